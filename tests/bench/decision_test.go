package bench_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/authorizer"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// BenchmarkDecisionAgainstNoSessionCheck measures how much the session check adds to the authorizer's own work.
// The store is in memory: on AWS a round trip to DynamoDB is added.
func BenchmarkDecisionAgainstNoSessionCheck(b *testing.B) {
	clock := func() time.Time { return sessiontest.Time(0) }
	store, minted := sessiontest.NewMemory(), sessiontest.NewTokens(b, clock)
	manager, err := session.New(session.Config{}, store, minted.Keys, clock)
	must(b, err)
	standing, err := manager.Start(b.Context(), session.User{Subject: "alice", Roles: []string{"customer"}}, session.Device{})
	must(b, err)
	revoked, err := manager.Start(b.Context(), session.User{Subject: "bob", Roles: []string{"customer"}}, session.Device{})
	must(b, err)
	_, err = manager.RevokeAll(b.Context(), "bob", session.Logout)
	must(b, err)

	checker, err := session.NewChecker(session.CheckConfig{}, store, clock)
	must(b, err)
	check := func(_ context.Context, token string) (identity.Identity, error) { return minted.Access.Verify(token) }
	classes := map[string]identity.Revocation{"GET /default": identity.Default}
	a, err := authorizer.New(check, authorizer.Config{Sessions: checker, Classes: classes})
	must(b, err)
	without, err := authorizer.New(check, authorizer.Config{})
	must(b, err)
	decideWith := func(a *authorizer.Authorizer, token, route string, want identity.Outcome) func() error {
		request := events.APIGatewayV2CustomAuthorizerV2Request{
			RouteKey: route, Headers: map[string]string{"authorization": "Bearer " + token},
		}
		return func() error {
			answer, err := a.Authorize(b.Context(), request)
			if err != nil || answer.Context["auth"] != string(want) {
				return errors.Join(err, fmt.Errorf("got %v, want %s", answer.Context, want))
			}
			return nil
		}
	}
	decide := func(token, route string, want identity.Outcome) func() error {
		return decideWith(a, token, route, want)
	}

	baseline := decideWith(without, standing.AccessToken, "GET /default", identity.OK)
	for name, decision := range map[string]func() error{
		"Default":          decide(standing.AccessToken, "GET /default", identity.OK),
		"Strict":           decide(standing.AccessToken, "POST /strict", identity.OK),
		"KnownToBeRevoked": decide(revoked.AccessToken, "GET /default", identity.TokenRevoked),
		"Garbage":          decide("garbage", "GET /default", identity.InvalidToken),
	} {
		b.Run(name, func(b *testing.B) { compare(b, "x_no_check", baseline, decision) })
	}
}

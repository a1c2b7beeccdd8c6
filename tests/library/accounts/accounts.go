// Package accounts logs people in: the tokens, the sessions behind them, and who sends a request. Another
// module can copy it; it needs the library and a session.Store.
package accounts

import (
	"context"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/authorizer"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/session"
)

// Config is the environment: the issuer and the audience of the tokens, and how long sessions live.
type Config struct {
	Access   jwt.Config
	Refresh  jwt.RefreshConfig
	Sessions session.Config
}

// Accounts starts, refreshes and ends sessions (the methods of session.Manager), and checks their tokens.
type Accounts struct {
	*session.Manager

	verifier *jwt.Verifier
}

// Open returns the accounts on a store. The secrets hold the keys of access and of refresh tokens, as
// jwt.ParseKeys reads them. It refuses keys that are weak, or the same for both kinds of token.
func Open(cfg Config, store session.Store, accessSecret, refreshSecret []byte, clock func() time.Time) (*Accounts, error) {
	accessKeys, err := jwt.ParseKeys(accessSecret)
	if err != nil {
		return nil, err
	}
	refreshKeys, err := jwt.ParseKeys(refreshSecret)
	if err != nil {
		return nil, err
	}
	if err := jwt.Separate(accessKeys, refreshKeys); err != nil {
		return nil, err
	}

	signer, err := jwt.NewSigner(cfg.Access, accessKeys, clock)
	if err != nil {
		return nil, err
	}
	verifier, err := jwt.NewVerifier(cfg.Access, accessKeys, clock)
	if err != nil {
		return nil, err
	}
	refreshSigner, err := jwt.NewRefreshSigner(cfg.Refresh, refreshKeys)
	if err != nil {
		return nil, err
	}
	refreshVerifier, err := jwt.NewRefreshVerifier(cfg.Refresh, refreshKeys, clock)
	if err != nil {
		return nil, err
	}

	manager, err := session.New(cfg.Sessions, store, session.Keys{
		Access:  func(context.Context) *jwt.Signer { return signer },
		Refresh: func(context.Context) *jwt.RefreshSigner { return refreshSigner },
		Verify:  func(context.Context) *jwt.RefreshVerifier { return refreshVerifier },
	}, clock)
	if err != nil {
		return nil, err
	}
	return &Accounts{Manager: manager, verifier: verifier}, nil
}

// Verify checks an access token by itself: signature, issuer, audience, expiry.
func (a *Accounts) Verify(_ context.Context, token string) (identity.Identity, error) {
	return a.verifier.Verify(token)
}

// Authenticator identifies the caller of the route: it verifies the token and checks its session, with the freshness that
// the route requires. A read of the route runs at the same time as the check, and its answer waits for it.
func (a *Accounts) Authenticator(route api.Route) middleware.Authenticator {
	return middleware.Confirm(jwt.Authenticate(a.Verify), func(ctx context.Context, id identity.Identity) error {
		return a.Check(ctx, id, route.Revocation)
	})
}

// Authorizer is the decision of an HTTP API's Lambda authorizer in front of the routes.
func (a *Accounts) Authorizer(routes ...api.Route) (*authorizer.Authorizer, error) {
	classes := map[string]identity.Revocation{} // a route that is not in it is strict
	for _, route := range routes {
		classes[route.Key()] = route.Revocation
	}
	return authorizer.New(a.Verify, authorizer.Config{Sessions: a, Classes: classes})
}

// LogoutRoute ends the caller's session.
var LogoutRoute = api.Route{
	Name: "logout", Method: http.MethodPost, Path: "/v1/logout", Auth: api.Required, Rate: api.Unlimited, Revocation: identity.Strict,
}

// Logout answers 204: neither the session's refresh token nor its access tokens work any more.
func Logout(accounts *Accounts) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		caller, _ := identity.From(r.Context())
		if err := accounts.Revoke(r.Context(), caller.SessionID, session.Logout); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

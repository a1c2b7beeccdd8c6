package identity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/identity"
)

func TestAnnotationRoundTrip(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-z0-9:._-]{1,12}`)
	seconds := rapid.Int64Range(1, 1<<40)
	rapid.Check(t, func(t *rapid.T) {
		want := identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{
			Subject:   word.Draw(t, "sub"),
			SessionID: rapid.OneOf(word, rapid.Just("")).Draw(t, "sid"),
			ClientID:  rapid.OneOf(word, rapid.Just("")).Draw(t, "client"),
			Roles:     rapid.SliceOf(word).Draw(t, "roles"),
			Scopes:    rapid.SliceOf(word).Draw(t, "scopes"),
			AuthTime:  time.Unix(seconds.Draw(t, "auth_time"), 0).UTC(),
			ExpiresAt: time.Unix(seconds.Draw(t, "exp"), 0).UTC(),
			AMR:       rapid.SliceOf(word).Draw(t, "amr"),
			TokenID:   rapid.OneOf(word, rapid.Just("")).Draw(t, "jti"),
			KeyID:     rapid.OneOf(word, rapid.Just("")).Draw(t, "kid"),
			IssuedAt:  time.UnixMilli(seconds.Draw(t, "iat")).UTC(),

			AuthzVersion: rapid.Int64Range(0, 1<<50).Draw(t, "authz_ver"),
		}}
		got, err := identity.ParseAnnotation(want.Map())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestAnnotationOfAFailureCarriesNoIdentity(t *testing.T) {
	t.Parallel()
	a := identity.Annotation{Outcome: identity.TokenExpired, Identity: identity.Identity{Subject: "u1"}}
	if diff := cmp.Diff(map[string]string{"auth": "token_expired"}, a.Map()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got, err := identity.ParseAnnotation(map[string]string{"auth": "invalid_token", "sub": "u1", "roles": "admin"})
	if err != nil || got.Identity.Subject != "" || got.Identity.Roles != nil {
		t.Errorf("got %+v, %v, want no identity", got, err)
	}
}

func TestParseAnnotationRefuses(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]map[string]string{
		"NoOutcome": {"sub": "u1"},
		"NoSubject": {"auth": "ok"},
		"BadExpiry": {"auth": "ok", "sub": "u1", "token_exp": "soon"},
		"BadTime":   {"auth": "ok", "sub": "u1", "auth_time": "1.5"},
		"BadIssue":  {"auth": "ok", "sub": "u1", "iat_ms": "x"},
		"BadCount":  {"auth": "ok", "sub": "u1", "authz_ver": "1e3"},
		"Empty":     {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := identity.ParseAnnotation(m); !errors.Is(err, identity.ErrAnnotation) {
				t.Errorf("got %v, want ErrAnnotation", err)
			}
		})
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	if _, ok := identity.UserID(ctx); ok {
		t.Error("an empty context has a user")
	}
	ctx = identity.With(ctx, identity.Identity{Subject: "u1", Roles: []string{"a"}, Scopes: []string{"read", "write"}})
	if got := identity.MustUserID(ctx); got != "u1" {
		t.Errorf("got %q, want u1", got)
	}
	id, _ := identity.From(ctx)
	if !id.HasAnyRole("x", "a") || id.HasAnyRole("x") || id.HasAnyRole() {
		t.Error("HasAnyRole is wrong")
	}
	if !id.HasScopes("write", "read") || !id.HasScopes() || id.HasScopes("read", "delete") {
		t.Error("HasScopes is wrong")
	}
	defer func() {
		if recover() == nil {
			t.Error("MustUserID did not panic for an anonymous request")
		}
	}()
	identity.MustUserID(context.Background())
}

package authtest

import (
	"context"
	"errors"
	"testing"

	"github.com/tienda-dev/tienda/functions/auth"
)

// testContext checks that no call begins after its context has ended.
func testContext(t *testing.T, newStore func(t *testing.T) auth.Store) {
	store := newStore(t)
	r := register(t, store)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	after := r.User
	after.AuthzVersion++
	calls := map[string]func() error{
		"Register":        func() error { return store.Register(ctx, NewRegistration()) },
		"ReplacePassword": func() error { return store.ReplacePassword(ctx, r.Credentials, r.Credentials) },
		"ReplaceRoles":    func() error { return store.ReplaceRoles(ctx, r.User, after) },
		"ResetAttempts":   func() error { return store.ResetAttempts(ctx, "x") },
		"Find":            func() error { _, err := store.Find(ctx, r.User.Identifier); return err },
		"User":            func() error { _, err := store.User(ctx, r.User.ID); return err },
		"Credentials":     func() error { _, err := store.Credentials(ctx, r.User.ID); return err },
		"Guessable":       func() error { _, err := store.Guessable(ctx, r.User.ID); return err },
		"Attempt": func() error {
			_, _, err := store.Attempt(ctx, newAttempt("x", Time(0)))
			return err
		},
		"EndAttempt": func() error {
			_, err := store.EndAttempt(ctx, newAttempt("x", Time(0)), auth.Wrong, Time(0))
			return err
		},
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want %v", name, err, context.Canceled)
		}
	}
	want(t, store, r.Credentials)
}

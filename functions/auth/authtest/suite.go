// Package authtest tests implementations of auth.Store: it has a suite, and a store in memory that passes
// it.
package authtest

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/functions/auth"
)

// Run runs the suite. newStore returns an empty store that no other test uses.
func Run(t *testing.T, newStore func(t *testing.T) auth.Store) {
	t.Helper()
	for _, part := range []struct {
		name string
		test func(t *testing.T, newStore func(t *testing.T) auth.Store)
	}{
		{"Register", testRegister},
		{"ReplacePassword", testReplacePassword},
		{"ReplaceRoles", testReplaceRoles},
		{"Attempts", testAttempts},
		{"ResetAttempts", testResetAttempts},
		{"Addresses", testAddresses},
		{"Context", testContext},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, newStore)
		})
	}
}

// Time returns a fixed time, d after the first one.
func Time(d time.Duration) time.Time {
	return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC).Add(d)
}

// NewRegistration returns a registration as the registrar passes it to a store, with a new identifier.
func NewRegistration() auth.Registration {
	id := ulid.MustNew(ulid.Timestamp(Time(0)), rand.Reader).String()
	return auth.Registration{
		Credentials: auth.Credentials{
			User: auth.User{
				ID: id, Identifier: auth.Identifier(make([]byte, auth.MinIdentifierKey), id+"@shop.example"),
				Roles: []string{"customer"}, AuthzVersion: 1, CreatedAt: Time(7 * time.Millisecond),
			},
			PasswordHash: "hash-" + id, PasswordChangedAt: Time(7 * time.Millisecond),
		},
		Email: "Maria." + id + "@shop.example",
		Name:  "María López",
	}
}

// register stores a new user.
func register(t *testing.T, store auth.Store) auth.Registration {
	t.Helper()
	r := NewRegistration()
	if err := store.Register(t.Context(), r); err != nil {
		t.Fatalf("Register: %v", err)
	}
	return r
}

// want checks the user, its credentials and its identifier.
func want(t *testing.T, store auth.Store, want auth.Credentials) {
	t.Helper()
	got, err := store.Credentials(t.Context(), want.User.ID)
	if err != nil {
		t.Fatalf("Credentials: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("credentials (-want +got):\n%s", diff)
	}
	user, err := store.User(t.Context(), want.User.ID)
	if err != nil {
		t.Fatalf("User: %v", err)
	}
	if diff := cmp.Diff(want.User, user); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	id, err := store.Find(t.Context(), want.User.Identifier)
	if err != nil || id != want.User.ID {
		t.Errorf("Find: %q, %v; want %q", id, err, want.User.ID)
	}
}

// wantNone checks that the user does not exist.
func wantNone(t *testing.T, store auth.Store, id string) {
	t.Helper()
	if _, err := store.User(t.Context(), id); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("User: %v, want %v", err, auth.ErrUserNotFound)
	}
	if _, err := store.Credentials(t.Context(), id); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("Credentials: %v, want %v", err, auth.ErrUserNotFound)
	}
}

func testRegister(t *testing.T, newStore func(t *testing.T) auth.Store) {
	t.Run("KeepsEveryField", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		r, other := register(t, store), register(t, store)
		want(t, store, r.Credentials)
		want(t, store, other.Credentials)
	})
	t.Run("ProfileIsGuessable", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		r := register(t, store)
		register(t, store)
		known, err := store.Guessable(t.Context(), r.User.ID)
		if err != nil || !slices.Equal(known, []string{r.Email, r.Name}) {
			t.Errorf("Guessable: %q, %v; want the address and the name", known, err)
		}
		if known, err = store.Guessable(t.Context(), NewRegistration().User.ID); err != nil || len(known) > 0 {
			t.Errorf("Guessable of nobody: %q, %v", known, err)
		}
	})
	t.Run("UnknownIsNotFound", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		r := NewRegistration()
		wantNone(t, store, r.User.ID)
		if _, err := store.Find(t.Context(), r.User.Identifier); !errors.Is(err, auth.ErrUserNotFound) {
			t.Errorf("Find: %v, want %v", err, auth.ErrUserNotFound)
		}
	})
	t.Run("TakenIdentifierWritesNothing", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		r := register(t, store)
		second := NewRegistration()
		second.User.Identifier = r.User.Identifier
		if err := store.Register(t.Context(), second); !errors.Is(err, auth.ErrEmailExists) {
			t.Errorf("Register: %v, want %v", err, auth.ErrEmailExists)
		}
		wantNone(t, store, second.User.ID)
		want(t, store, r.Credentials)
	})
	t.Run("RepeatedIsTheSameRegistration", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		r := register(t, store)
		after := r.User
		after.Roles, after.AuthzVersion = []string{"admin"}, 2
		if err := store.ReplaceRoles(t.Context(), r.User, after); err != nil {
			t.Fatal(err)
		}
		if err := store.Register(t.Context(), r); err != nil {
			t.Errorf("Register: %v", err)
		}
		r.User = after
		want(t, store, r.Credentials)
	})
	t.Run("OneOfManyGetsTheIdentifier", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		const n = 8
		all := make([]auth.Registration, n)
		for i := range all {
			all[i] = NewRegistration()
			all[i].User.Identifier = all[0].User.Identifier
		}
		errs := together(n, func(i int) error { return store.Register(t.Context(), all[i]) })
		won := 0
		for i, err := range errs {
			switch {
			case err == nil:
				won++
				want(t, store, all[i].Credentials)
			case !errors.Is(err, auth.ErrEmailExists):
				t.Errorf("Register: %v", err)
			default:
				wantNone(t, store, all[i].User.ID)
			}
		}
		if won != 1 {
			t.Errorf("%d of %d registrations have won, want 1", won, n)
		}
	})
	t.Run("UsersShareNothingWithTheStore", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		r := NewRegistration()
		given := r
		given.User.Roles = []string{"customer"}
		if err := store.Register(t.Context(), given); err != nil {
			t.Fatal(err)
		}
		given.User.Roles[0] = "admin"
		got, err := store.User(t.Context(), r.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		got.Roles[0] = "admin"
		want(t, store, r.Credentials)
	})
	t.Run("NoRolesIsAnEmptyList", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		r := NewRegistration()
		r.User.Roles = nil
		if err := store.Register(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got, err := store.User(t.Context(), r.User.ID); err != nil || got.Roles == nil || len(got.Roles) > 0 {
			t.Errorf("roles %#v, %v; null in JSON", got.Roles, err)
		}
	})
}

func testReplacePassword(t *testing.T, newStore func(t *testing.T) auth.Store) {
	next := func(c auth.Credentials) auth.Credentials {
		c.PasswordHash, c.PasswordChangedAt = "next-"+c.User.ID, Time(time.Hour)
		return c
	}
	t.Run("Replaces", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		before, other := register(t, store).Credentials, register(t, store).Credentials
		after := next(before)
		for range 2 { // the second one is the same call again
			if err := store.ReplacePassword(t.Context(), before, after); err != nil {
				t.Fatalf("ReplacePassword: %v", err)
			}
			want(t, store, after)
		}
		want(t, store, other)
	})
	t.Run("AnotherHashIsChanged", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		first := register(t, store).Credentials
		second := next(first)
		if err := store.ReplacePassword(t.Context(), first, second); err != nil {
			t.Fatal(err)
		}
		late := first
		late.PasswordHash = "late"
		if err := store.ReplacePassword(t.Context(), first, late); !errors.Is(err, auth.ErrChanged) {
			t.Errorf("ReplacePassword: %v, want %v", err, auth.ErrChanged)
		}
		want(t, store, second)
	})
	t.Run("UnknownIsNotFound", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		c := NewRegistration().Credentials
		if err := store.ReplacePassword(t.Context(), c, next(c)); !errors.Is(err, auth.ErrUserNotFound) {
			t.Errorf("ReplacePassword: %v, want %v", err, auth.ErrUserNotFound)
		}
		wantNone(t, store, c.User.ID)
	})
	t.Run("OneOfManyWriters", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		before := register(t, store).Credentials
		errs := together(8, func(i int) error {
			after := next(before)
			after.PasswordHash += string(rune('a' + i))
			return store.ReplacePassword(t.Context(), before, after)
		})
		wantOne(t, errs)
	})
}

func testReplaceRoles(t *testing.T, newStore func(t *testing.T) auth.Store) {
	next := func(u auth.User, roles ...string) auth.User {
		u.Roles, u.AuthzVersion = append([]string{}, roles...), u.AuthzVersion+1
		return u
	}
	t.Run("Replaces", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		r := register(t, store)
		for _, roles := range [][]string{{"admin", "catalog"}, {}, {"support"}} {
			after := next(r.User, roles...)
			for range 2 { // the second one is the same call again
				if err := store.ReplaceRoles(t.Context(), r.User, after); err != nil {
					t.Fatalf("ReplaceRoles: %v", err)
				}
			}
			r.User = after
			want(t, store, r.Credentials)
		}
	})
	t.Run("AnotherVersionIsChanged", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		r := register(t, store)
		second := next(r.User, "admin")
		if err := store.ReplaceRoles(t.Context(), r.User, second); err != nil {
			t.Fatal(err)
		}
		for _, late := range []auth.User{next(r.User, "catalog"), next(next(second, "x"), "catalog")} {
			before := late
			before.AuthzVersion--
			if err := store.ReplaceRoles(t.Context(), before, late); !errors.Is(err, auth.ErrChanged) {
				t.Errorf("ReplaceRoles to version %d: %v, want %v", late.AuthzVersion, err, auth.ErrChanged)
			}
		}
		r.User = second
		want(t, store, r.Credentials)
	})
	t.Run("UnknownIsNotFound", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		u := NewRegistration().User
		if err := store.ReplaceRoles(t.Context(), u, next(u, "admin")); !errors.Is(err, auth.ErrUserNotFound) {
			t.Errorf("ReplaceRoles: %v, want %v", err, auth.ErrUserNotFound)
		}
		wantNone(t, store, u.ID)
	})
	t.Run("VersionIsTheNextOne", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		r := register(t, store)
		if err := store.ReplaceRoles(t.Context(), r.User, r.User); err == nil {
			t.Error("the same version is accepted")
		}
		want(t, store, r.Credentials)
	})
	t.Run("OneOfManyWriters", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		r := register(t, store)
		wantOne(t, together(8, func(i int) error {
			return store.ReplaceRoles(t.Context(), r.User, next(r.User, "role-"+string(rune('a'+i))))
		}))
	})
}

// wantOne checks that exactly one of the changes was made.
func wantOne(t *testing.T, errs []error) {
	t.Helper()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, auth.ErrChanged):
			t.Errorf("%v, want %v", err, auth.ErrChanged)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d changes of one version were made, want 1", won, len(errs))
	}
}

// together runs n calls of f in parallel and returns their results.
func together[T any](n int, f func(i int) T) []T {
	results := make([]T, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			results[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return results
}

//go:build integration

package authddb_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/functions/auth/authtest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
)

// profiles writes profiles into a table of its own.
type profiles struct{ table *ddb.Table }

func profileKey(id string) ddb.Key { return ddb.Key{PK: "CUST#" + id, SK: "PROFILE"} }

func (p profiles) Add(id, email, name string, at time.Time) []ddb.Write {
	item := struct {
		ddb.Key

		Email, Name string
		At          int64
	}{profileKey(id), email, name, at.UnixMilli()}
	return []ddb.Write{p.table.Put(item).If(ddb.Absent(), errors.New("the profile exists"))}
}

func (p profiles) Guessable(ctx context.Context, id string) ([]string, error) {
	var item struct{ Email, Name string }
	found, err := p.table.Get(ctx, profileKey(id), &item, true)
	if err != nil || !found {
		return nil, err
	}
	return []string{item.Email, item.Name}, nil
}

// open returns a store that injects the faults into its requests, and its tables.
func open(t *testing.T) (store *authddb.Store, faults *ddbtest.Faults, users, customers *ddb.Table) {
	t.Helper()
	faults = &ddbtest.Faults{}
	users, customers = ddbtest.Table(t, faults.Option), ddbtest.Table(t)
	return authddb.New(users, profiles{customers}), faults, users, customers
}

func TestStore(t *testing.T) {
	t.Parallel()
	authtest.Run(t, func(t *testing.T) auth.Store {
		t.Helper()
		store, _, _, _ := open(t)
		return store
	})
}

func TestRegistrationWritesTheProfileToo(t *testing.T) {
	t.Parallel()
	store, _, _, customers := open(t)
	r, second := authtest.NewRegistration(), authtest.NewRegistration()
	second.User.Identifier = r.User.Identifier
	if err := store.Register(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := store.Register(t.Context(), second); !errors.Is(err, auth.ErrEmailExists) {
		t.Fatalf("Register: %v, want %v", err, auth.ErrEmailExists)
	}
	for id, want := range map[string]bool{r.User.ID: true, second.User.ID: false} {
		var profile struct{ Email, Name string }
		found, err := customers.Get(t.Context(), profileKey(id), &profile, true)
		if err != nil || found != want || found && (profile.Email != r.Email || profile.Name != r.Name) {
			t.Errorf("profile %+v, found %t, %v; want %t", profile, found, err, want)
		}
	}
	if err := authddb.New(customers, nil).Register(t.Context(), second); err == nil {
		t.Error("a user without a profile was registered")
	}
}

// No key and no attribute in the table holds an address.
func TestTableHoldsNoAddress(t *testing.T) {
	t.Parallel()
	store, _, users, _ := open(t)
	r := authtest.NewRegistration()
	if err := store.Register(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Attempt(t.Context(), auth.Attempt{Name: r.User.Identifier, ID: "1", At: r.User.CreatedAt}); err != nil {
		t.Fatal(err)
	}
	name := users.Name()
	out, err := users.Client().SDK().Scan(t.Context(), &dynamodb.ScanInput{TableName: &name})
	if err != nil || len(out.Items) != 4 {
		t.Fatalf("%d items, %v; want 4", len(out.Items), err)
	}
	for _, item := range out.Items {
		for attribute, value := range item {
			text := fmt.Sprintf("%s %v", attribute, value)
			if s, ok := value.(*types.AttributeValueMemberS); ok {
				text = s.Value
			}
			if strings.Contains(strings.ToLower(text), "@") || strings.Contains(strings.ToLower(text), "maria") {
				t.Errorf("%s: %s", attribute, text)
			}
		}
	}
}

// A change of roles by this package makes older tokens invalid, and an epoch that package sessionddb writes
// leaves the user as it is.
func TestChangeOfRolesEndsOlderTokens(t *testing.T) {
	t.Parallel()
	store, _, users, _ := open(t)
	sessions := sessionddb.New(users)
	r := authtest.NewRegistration()
	if err := store.Register(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	now := r.User.CreatedAt.Add(time.Second)
	checker, err := session.NewChecker(session.CheckConfig{}, sessions, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	check := func(version int64) error {
		id := identity.Identity{Subject: r.User.ID, TokenID: "jti-" + strconv.FormatInt(version, 10), IssuedAt: now, AuthzVersion: version}
		return checker.Check(t.Context(), id, identity.Strict)
	}
	if err := check(r.User.AuthzVersion); err != nil {
		t.Fatalf("before the change of roles: %v", err)
	}

	after := r.User
	after.Roles, after.AuthzVersion = []string{"admin"}, 2
	if err := store.ReplaceRoles(t.Context(), r.User, after); err != nil {
		t.Fatal(err)
	}
	if err := check(r.User.AuthzVersion); !errors.Is(err, session.ErrRevoked) {
		t.Errorf("a token with the old roles: %v, want %v", err, session.ErrRevoked)
	}
	if err := check(after.AuthzVersion); err != nil {
		t.Errorf("a token with the new roles: %v", err)
	}

	if err := sessions.RevokeSubject(t.Context(), r.User.ID, now); err != nil {
		t.Fatal(err)
	}
	if err := check(after.AuthzVersion); !errors.Is(err, session.ErrRevoked) {
		t.Errorf("a token from before the epoch: %v, want %v", err, session.ErrRevoked)
	}
	if got, err := store.User(t.Context(), r.User.ID); err != nil || !cmp.Equal(got, after) {
		t.Errorf("user %+v, %v; want %+v", got, err, after)
	}
}

// Package sessionddb may have made the account of a subject that is not a user.
func TestAccountWithoutAUser(t *testing.T) {
	t.Parallel()
	store, _, users, _ := open(t)
	const machine = "machine-1"
	if err := sessionddb.New(users).RevokeSubject(t.Context(), machine, authtest.Time(0)); err != nil {
		t.Fatal(err)
	}
	if _, err := store.User(t.Context(), machine); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("User: %v", err)
	}
	if _, err := store.Credentials(t.Context(), machine); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("Credentials: %v", err)
	}
	before := auth.User{ID: machine}
	if err := store.ReplaceRoles(t.Context(), before, auth.User{ID: machine, AuthzVersion: 1, Roles: []string{"admin"}}); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("ReplaceRoles: %v", err)
	}
}

// Every write takes effect once, even if its response is lost twice with a refusal in between.
func TestLostResponses(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]ddbtest.Fault{
		"LostResponse": ddbtest.LoseResponse, "FailAfterCommit": ddbtest.FailAfterCommit, "BrokenOff": ddbtest.BreakOff,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, faults, _, _ := open(t)
			spoil := func(operation string) { faults.Inject(operation, fault, ddbtest.Throttle, fault) }

			r := authtest.NewRegistration()
			spoil("TransactWriteItems")
			if err := store.Register(t.Context(), r); err != nil {
				t.Fatalf("Register: %v", err)
			}

			next := r.Credentials
			next.PasswordHash, next.PasswordChangedAt = "next", authtest.Time(time.Hour)
			spoil("TransactWriteItems")
			if err := store.ReplacePassword(t.Context(), r.Credentials, next); err != nil {
				t.Fatalf("ReplacePassword: %v", err)
			}

			after := r.User
			after.Roles, after.AuthzVersion = []string{"admin"}, 2
			spoil("TransactWriteItems")
			if err := store.ReplaceRoles(t.Context(), r.User, after); err != nil {
				t.Fatalf("ReplaceRoles: %v", err)
			}
			next.User = after
			if got, err := store.Credentials(t.Context(), r.User.ID); err != nil || !cmp.Equal(got, next) {
				t.Errorf("credentials %+v, %v; want %+v", got, err, next)
			}

			for n := int64(1); n <= auth.FreeAttempts; n++ {
				a := auth.Attempt{Name: "a", ID: strconv.FormatInt(n, 10), At: authtest.Time(0)}
				spoil("UpdateItem")
				if f, got, err := store.Attempt(t.Context(), a); err != nil || got != auth.Admitted || f.Count != n-1 {
					t.Fatalf("attempt %d: %+v, admission %d, %v", n, f, got, err)
				}
				spoil("UpdateItem")
				if f, err := store.EndAttempt(t.Context(), a, auth.Wrong, a.At); err != nil || f.Count != n {
					t.Fatalf("failure %d: %+v, %v", n, f, err)
				}
			}
			// The first attempt after a quiet time is refused, forgets the failures, and is admitted.
			a := auth.Attempt{Name: "a", ID: "later", At: authtest.Time(auth.Quiet)}
			spoil("UpdateItem")
			if f, got, err := store.Attempt(t.Context(), a); err != nil || got != auth.Admitted || f.Count != 0 {
				t.Errorf("after a quiet time: %+v, admission %d, %v", f, got, err)
			}
			spoil("UpdateItem")
			if _, err := store.EndAttempt(t.Context(), a, auth.NoVerdict, a.At); err != nil {
				t.Errorf("EndAttempt: %v", err)
			}
			spoil("UpdateItem")
			if err := store.ResetAttempts(t.Context(), "a"); err != nil {
				t.Errorf("ResetAttempts: %v", err)
			}
			if got := faults.Attempts("TransactWriteItems"); got != 12 {
				t.Errorf("%d attempts of transactions, want 4 for each of 3: the faults were not injected", got)
			}
			// The attempt after a quiet time takes two updates more.
			if got, want := faults.Attempts("UpdateItem"), 4*(2*auth.FreeAttempts+3)+2; got != want {
				t.Errorf("%d attempts of updates, want %d: the faults were not injected", got, want)
			}
		})
	}
}

func TestUnavailableIsNeitherUnknownNorAdmitted(t *testing.T) {
	t.Parallel()
	store, faults, _, _ := open(t)
	r := authtest.NewRegistration()
	if err := store.Register(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, operation := range []string{"GetItem", "BatchGetItem", "UpdateItem"} {
		for range 100 {
			faults.Inject(operation, ddbtest.Throttle)
		}
	}
	for name, call := range map[string]func() error{
		"Find":        func() error { _, err := store.Find(t.Context(), r.User.Identifier); return err },
		"User":        func() error { _, err := store.User(t.Context(), r.User.ID); return err },
		"Credentials": func() error { _, err := store.Credentials(t.Context(), r.User.ID); return err },
		"Attempt": func() error {
			_, got, err := store.Attempt(t.Context(), auth.Attempt{Name: "a", ID: "1", At: authtest.Time(0)})
			if got == auth.Admitted {
				t.Error("an attempt that has no place is admitted")
			}
			return err
		},
	} {
		if err := call(); !errors.Is(err, ddb.ErrUnavailable) {
			t.Errorf("%s: %v, want %v", name, err, ddb.ErrUnavailable)
		}
	}
}

// An attempt is one update.
func TestAttemptIsOneCall(t *testing.T) {
	t.Parallel()
	store, faults, _, _ := open(t)
	for n := range 7 { // beyond the places too
		a := auth.Attempt{Name: "a", ID: strconv.Itoa(n), At: authtest.Time(0)}
		if _, _, err := store.Attempt(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if got := faults.Attempts("UpdateItem"); got != n+1 {
			t.Fatalf("attempt %d took %d calls in all", n+1, got)
		}
	}
}

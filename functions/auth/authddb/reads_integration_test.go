//go:build integration

package authddb_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/functions/auth/authtest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
)

// From a replica that lags, a login would read the old password's hash and accept it, and a refresh would
// read the old roles and grant them.
func TestReadsAreConsistent(t *testing.T) {
	t.Parallel()
	var reads ddbtest.Reads
	store := authddb.New(ddbtest.Table(t, reads.Option), profiles{ddbtest.Table(t)})
	r := authtest.NewRegistration()
	if err := store.Register(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		call func() error
		want ddbtest.Read
	}{
		"Find": {
			func() error { _, err := store.Find(t.Context(), r.User.Identifier); return err }, ddbtest.Read{Operation: "GetItem", Consistent: true},
		},
		"User": {
			func() error { _, err := store.User(t.Context(), r.User.ID); return err }, ddbtest.Read{Operation: "GetItem", Consistent: true},
		},
		"Credentials": {
			func() error { _, err := store.Credentials(t.Context(), r.User.ID); return err }, ddbtest.Read{Operation: "BatchGetItem", Consistent: true},
		},
	} {
		reads.Take()
		if err := tc.call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff([]ddbtest.Read{tc.want}, reads.Take()); diff != "" {
			t.Errorf("%s reads (-want +got):\n%s", name, diff)
		}
	}
}

// Attempts are kept longer than they count, and no longer than package authddb says. DynamoDB takes the
// attribute for seconds.
func TestAttemptsAreKeptForAnHour(t *testing.T) {
	t.Parallel()
	store, _, users, _ := open(t)
	const hour = 3600
	if hour < auth.Quiet.Seconds() {
		t.Fatalf("attempts count for %s", auth.Quiet)
	}
	at := authtest.Time(0)
	for _, tc := range []struct {
		name string
		a    auth.Attempt
	}{
		{"First", auth.Attempt{Name: "a", ID: "1", At: at}},
		{"Another", auth.Attempt{Name: "a", ID: "2", At: at.Add(auth.Quiet / 2)}},
		{"FirstAfterAQuietTime", auth.Attempt{Name: "a", ID: "3", At: at.Add(3 * auth.Quiet)}},
	} {
		if _, got, err := store.Attempt(t.Context(), tc.a); err != nil || got != auth.Admitted {
			t.Fatalf("%s: admission %d, %v", tc.name, got, err)
		}
		if _, err := store.EndAttempt(t.Context(), tc.a, auth.Wrong, tc.a.At); err != nil {
			t.Fatal(err)
		}
		var item struct {
			TTL int64 `dynamodbav:"ttl"`
		}
		found, err := users.Get(t.Context(), ddb.Key{PK: "L#a", SK: "L"}, &item, true)
		if want := tc.a.At.Unix() + hour; err != nil || !found || item.TTL != want {
			t.Errorf("%s: found %t, ttl %d, %v; want %d", tc.name, found, item.TTL, err, want)
		}
	}
}

// A subject that is not a user may have an account, with the expected version even.
func TestRolesAreNotSetForASubjectThatIsNotAUser(t *testing.T) {
	t.Parallel()
	store, _, users, _ := open(t)
	before := authtest.NewRegistration().User
	sessions := sessionddb.New(users)
	if err := sessions.RaiseAuthz(t.Context(), before.ID, before.AuthzVersion); err != nil {
		t.Fatal(err)
	}
	after := before
	after.Roles, after.AuthzVersion = []string{"admin"}, before.AuthzVersion+1
	if err := store.ReplaceRoles(t.Context(), before, after); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("ReplaceRoles: %v, want %v", err, auth.ErrUserNotFound)
	}
	state, err := sessions.State(t.Context(), session.Query{Subject: before.ID, Strong: true})
	if err != nil || state.Account.AuthzVersion != before.AuthzVersion {
		t.Errorf("the account is %+v, %v", state.Account, err)
	}
}

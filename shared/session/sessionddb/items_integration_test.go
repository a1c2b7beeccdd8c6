//go:build integration

package sessionddb_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// DynamoDB removes an item some time after its ttl, which is in seconds. If the ttl is too early, a revoked
// token works again; if it is in milliseconds, the item is never removed.
func TestItemsExpireAfterTheirLastUse(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := sessionddb.New(table)
	s := sessiontest.NewSession(func(s *session.Session) { s.EndsAt = s.EndsAt.Add(999 * time.Millisecond) })
	if err := store.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	expires := sessiontest.Time(900)
	if err := store.RevokeToken(t.Context(), session.TokenRevocation{TokenID: "t1", ExpiresAt: expires, Reason: session.Client}); err != nil {
		t.Fatal(err)
	}
	// A second revocation, with another idea of the token's end, must not shorten the first.
	if err := store.RevokeToken(t.Context(), session.TokenRevocation{TokenID: "t1", ExpiresAt: sessiontest.Time(1), Reason: session.Client}); err != nil {
		t.Fatal(err)
	}
	removed := func(name string, key ddb.Key, end time.Time) {
		t.Helper()
		var item struct {
			TTL    int64 `dynamodbav:"ttl"`
			Expiry int64 `dynamodbav:"exp"`
		}
		if ok, err := table.Get(t.Context(), key, &item, true); !ok || err != nil {
			t.Fatalf("%s: %t, %v", name, ok, err)
		}
		if at := time.Unix(item.TTL, 0); at.Before(end.Add(time.Hour)) || at.After(end.Add(3*24*time.Hour)) {
			t.Errorf("%s ends at %v with ttl %v, want a ttl hours to three days later", name, end, at.UTC())
		}
		if key.SK == "R" && item.Expiry != end.UnixMilli() {
			t.Errorf("%s: expiry %d, want %d", name, item.Expiry, end.UnixMilli())
		}
	}
	removed("the session", ddb.Key{PK: "S#" + s.ID, SK: "S"}, s.EndsAt)
	removed("the token", ddb.Key{PK: "R#t1", SK: "R"}, expires)

	// Refreshed or revoked, the session stays in the table until its last token has expired.
	if _, done, err := store.Rotate(t.Context(), session.Rotation{SessionID: s.ID, Subject: s.Subject, ID: "r", At: sessiontest.Time(60), IdleUntil: s.EndsAt}); !done || err != nil {
		t.Fatalf("done %t, %v", done, err)
	}
	if _, err := store.Revoke(t.Context(), session.Ending{SessionID: s.ID, Reason: session.Logout, At: sessiontest.Time(61)}); err != nil {
		t.Fatal(err)
	}
	removed("the ended session", ddb.Key{PK: "S#" + s.ID, SK: "S"}, s.EndsAt)
}

// Strong checks and lists read items consistently; the index supports no consistent read.
func TestReadsAreConsistent(t *testing.T) {
	t.Parallel()
	name := ddbtest.Table(t).Name()
	reads := &ddbtest.Reads{}
	store := sessionddb.New(ddb.NewTable(ddbtest.Client(t, reads.Option), name))
	s := sessiontest.NewSession()
	if err := store.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	all := session.Query{SessionID: s.ID, Subject: s.Subject, TokenID: "t1", Everybody: true}
	strong := all
	strong.Strong = true
	for call, c := range map[string]struct {
		read func() error
		want []ddbtest.Read
	}{
		"State":       {func() error { _, err := store.State(t.Context(), all); return err }, []ddbtest.Read{{Operation: "BatchGetItem"}}},
		"StateStrong": {func() error { _, err := store.State(t.Context(), strong); return err }, []ddbtest.Read{{Operation: "BatchGetItem", Consistent: true}}},
		"List": {
			func() error { _, _, err := store.List(t.Context(), s.Subject, 10); return err },
			[]ddbtest.Read{{Operation: "Query"}, {Operation: "BatchGetItem", Consistent: true}},
		},
	} {
		reads.Take()
		if err := c.read(); err != nil {
			t.Errorf("%s: %v", call, err)
		}
		if diff := cmp.Diff(c.want, reads.Take()); diff != "" {
			t.Errorf("%s reads (-want +got):\n%s", call, diff)
		}
	}
}

// A full list, with one session too many, needs one query and one batch of a hundred.
func TestFullListIsTwoRoundTrips(t *testing.T) {
	t.Parallel()
	reads := &ddbtest.Reads{}
	store := sessionddb.New(ddb.NewTable(ddbtest.Client(t, reads.Option), ddbtest.Table(t).Name()))
	const limit = 100
	for i := range limit + 1 {
		s := sessiontest.NewSession(func(s *session.Session) { s.Subject, s.CreatedAt = "alice", sessiontest.Time(i) })
		if err := store.Create(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	reads.Take()
	list, more, err := store.List(t.Context(), "alice", limit)
	if err != nil || !more || len(list) != limit {
		t.Errorf("got %d sessions, more %t, %v", len(list), more, err)
	}
	want := []ddbtest.Read{{Operation: "Query"}, {Operation: "BatchGetItem", Consistent: true}}
	if diff := cmp.Diff(want, reads.Take()); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
}

//go:build integration

package sessionddb_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	sessiontest.Run(t, func(t *testing.T) session.Store {
		t.Helper()
		return sessionddb.New(ddbtest.Table(t))
	})
}

// lossy lets DynamoDB do every write and loses the first response, each time in a different way.
type lossy struct {
	lost atomic.Int64
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	write := operation == "PutItem" || operation == "UpdateItem"
	if !write || !strings.HasPrefix(r.Header.Get("Amz-Sdk-Request"), "attempt=1;") {
		return http.DefaultTransport.RoundTrip(r)
	}
	faults := []ddbtest.Fault{ddbtest.LoseResponse, ddbtest.FailAfterCommit, ddbtest.BreakOff}
	return faults[l.lost.Add(1)%int64(len(faults))](http.DefaultTransport, r)
}

// tireless retries like its retryer, but without a delay and without the SDK's limit of about 100 retries.
type tireless struct{ aws.Retryer }

func (tireless) GetRetryToken(context.Context, error) (func(error) error, error) {
	return func(error) error { return nil }, nil
}

func (tireless) RetryDelay(int, error) (time.Duration, error) { return 0, nil }

// The whole suite, with the model and the races, passes when every write is sent twice.
func TestStoreRepeatsWritesAfterLostResponses(t *testing.T) {
	t.Parallel()
	line := &lossy{}
	sessiontest.Run(t, func(t *testing.T) session.Store {
		t.Helper()
		return sessionddb.New(ddbtest.Table(t, func(o *dynamodb.Options) {
			o.HTTPClient, o.Retryer = &http.Client{Transport: line}, tireless{o.Retryer}
		}))
	})
	t.Cleanup(func() {
		if line.lost.Load() == 0 {
			t.Error("no response was lost")
		}
	})
}

// operations counts calls by the name of the operation.
var operations = []string{"PutItem", "UpdateItem", "GetItem", "BatchGetItem", "Query", "TransactWriteItems"}

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	faults := &ddbtest.Faults{}
	store := sessionddb.New(ddbtest.Table(t, faults.Option))
	now := sessiontest.Time(0)
	clock := func() time.Time { return now }
	tokens := sessiontest.NewTokens(t, clock)
	manager, err := session.New(session.Config{}, store, tokens.Keys, clock)
	if err != nil {
		t.Fatal(err)
	}
	checker, err := session.NewChecker(session.CheckConfig{}, store, clock)
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(_ context.Context, subject string) (session.User, error) {
		return session.User{Subject: subject}, nil
	}
	first, err := manager.Start(t.Context(), session.User{Subject: "alice"}, session.Device{})
	if err != nil {
		t.Fatal(err)
	}
	id, err := tokens.Access.Verify(first.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	check := func(class identity.Revocation) func() error {
		return func() error { return checker.Check(t.Context(), id, class) }
	}
	refresh := func() error {
		got, err := manager.Refresh(t.Context(), first.RefreshToken, lookup)
		if err == nil {
			first.RefreshToken = got.RefreshToken
		}
		return err
	}

	for _, c := range []struct {
		name string
		call func() error
		want map[string]int
	}{
		{"Start", func() error {
			_, err := manager.Start(t.Context(), session.User{Subject: "alice"}, session.Device{})
			return err
		}, map[string]int{"PutItem": 1}},
		{"Refresh", refresh, map[string]int{"UpdateItem": 1, "BatchGetItem": 1}}, // in parallel
		{"CheckDefault", check(identity.Default), map[string]int{"BatchGetItem": 1}},
		{"CheckStrict", check(identity.Strict), map[string]int{"BatchGetItem": 1}},
		{"CheckDefaultStillReads", check(identity.Default), map[string]int{"BatchGetItem": 1}},
		{"List", func() error { _, _, err := manager.List(t.Context(), "alice"); return err }, map[string]int{"Query": 1, "BatchGetItem": 2}},
		{"RevokeToken", func() error {
			return manager.RevokeToken(t.Context(), "other", now.Add(time.Minute), session.Client)
		}, map[string]int{"UpdateItem": 1}},
		{"RaiseAuthz", func() error { return manager.RaiseAuthz(t.Context(), "bob", 1) }, map[string]int{"UpdateItem": 1}},
		{"RevokeAll", func() error { _, err := manager.RevokeAll(t.Context(), "bob", session.Logout); return err }, map[string]int{"UpdateItem": 1}},
		{"Revoke", func() error { return manager.Revoke(t.Context(), id.SessionID, session.Logout) }, map[string]int{"UpdateItem": 1}},
		{"CheckRevoked", func() error { return expect(session.ErrRevoked, check(identity.Default)()) }, map[string]int{"BatchGetItem": 1}},
		{"CheckKnownToBeRevoked", func() error { return expect(session.ErrRevoked, check(identity.Strict)()) }, nil},
		{"RefreshRevoked", func() error { return expect(session.ErrInvalidGrant, refresh()) }, map[string]int{"UpdateItem": 1, "BatchGetItem": 1}},
		{"RefreshGarbage", func() error {
			_, err := manager.Refresh(t.Context(), "garbage", lookup)
			return expect(session.ErrInvalidGrant, err)
		}, nil},
	} {
		before := map[string]int{}
		for _, operation := range operations {
			before[operation] = faults.Attempts(operation)
		}
		if err := c.call(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		got := map[string]int{}
		for _, operation := range operations {
			if n := faults.Attempts(operation) - before[operation]; n > 0 {
				got[operation] = n
			}
		}
		if c.want == nil {
			c.want = map[string]int{}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: round trips (-want +got):\n%s", c.name, diff)
		}
	}
}

func expect(want, got error) error {
	if errors.Is(got, want) {
		return nil
	}
	return errors.Join(errors.New("another answer"), got)
}

// A store that does not answer must not count as "not revoked".
func TestNoResponseIsUnavailable(t *testing.T) {
	t.Parallel()
	name := ddbtest.Table(t).Name()
	open := func(faults *ddbtest.Faults) *sessionddb.Store {
		return sessionddb.New(ddb.NewTable(ddbtest.Client(t, faults.Option), name))
	}
	s := sessiontest.NewSession()
	if err := open(&ddbtest.Faults{}).Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	unprocessed := func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		return ddbtest.Respond(r, http.StatusOK, `{"Responses":{"`+name+`":[]},"UnprocessedKeys":{"`+name+`":{"Keys":[
			{"PK":{"S":"S#`+s.ID+`"},"SK":{"S":"S"}}]}}}`), nil
	}
	for name, fault := range map[string]ddbtest.Fault{
		"Throttled": ddbtest.Throttle, "Unreachable": ddbtest.Refuse, "Unprocessed": unprocessed, "Hangs": ddbtest.Delay(time.Minute),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			faults.Inject("BatchGetItem", slices.Repeat([]ddbtest.Fault{fault}, 1000)...)
			checker, err := session.NewChecker(session.CheckConfig{Timeout: 300 * time.Millisecond}, open(faults), func() time.Time { return sessiontest.Time(1) })
			if err != nil {
				t.Fatal(err)
			}
			id := identity.Identity{Subject: s.Subject, SessionID: s.ID, TokenID: "t"}
			if err := checker.Check(t.Context(), id, identity.Default); !errors.Is(err, session.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want ErrUnavailable", err)
			}
		})
	}
	t.Run("OnePartialAnswerIsAskedAgain", func(t *testing.T) {
		t.Parallel()
		faults := &ddbtest.Faults{}
		faults.Inject("BatchGetItem", unprocessed)
		if state, err := open(faults).State(t.Context(), session.Query{SessionID: s.ID}); err != nil || !state.HasSession {
			t.Errorf("got %+v, %v", state, err)
		}
	})
}

// A user store changes roles and SetAuthz in one transaction, whether or not there is an account.
func TestSetAuthz(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := sessionddb.New(table)
	for version := int64(2); version <= 3; version++ {
		if err := ddb.Commit(t.Context(), table.Client(), sessionddb.SetAuthz(table, "alice", version)); err != nil {
			t.Fatal(err)
		}
		if err := store.RevokeSubject(t.Context(), "alice", sessiontest.Time(1)); err != nil {
			t.Fatal(err)
		}
		state, err := store.State(t.Context(), session.Query{Subject: "alice", Strong: true})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(session.Account{NotBefore: sessiontest.Time(1), AuthzVersion: version}, state.Account); diff != "" {
			t.Errorf("account (-want +got):\n%s", diff)
		}
	}
}

// An item that cannot be decoded is an error, not a session without an end.
func TestBrokenItemIsAFault(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := sessionddb.New(table)
	for name, change := range map[string]func(ddb.Item){
		"NoEnd":         func(item ddb.Item) { delete(item, "abs_exp") },
		"NoIdleEnd":     func(item ddb.Item) { delete(item, "idle_exp") },
		"NoBeginning":   func(item ddb.Item) { delete(item, "created_at") },
		"NoSubject":     func(item ddb.Item) { delete(item, "sub") },
		"EndIsText":     func(item ddb.Item) { item["abs_exp"] = &types.AttributeValueMemberS{Value: "never"} },
		"RevokedIsText": func(item ddb.Item) { item["revoked_at"] = &types.AttributeValueMemberS{Value: ""} },
		"EndIsAFraction": func(item ddb.Item) {
			item["abs_exp"] = &types.AttributeValueMemberN{Value: "1.5"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sessiontest.NewSession()
			if err := store.Create(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			key := ddb.Key{PK: "S#" + s.ID, SK: "S"}
			items, err := table.BatchGet(t.Context(), []ddb.Key{key}, true)
			if err != nil {
				t.Fatal(err)
			}
			item := items[key]
			change(item)
			if err := ddb.Commit(t.Context(), table.Client(), table.Put(item)); err != nil {
				t.Fatal(err)
			}
			state, err := store.State(t.Context(), session.Query{SessionID: s.ID, Strong: true})
			if err == nil || errors.Is(err, session.ErrUnavailable) {
				t.Errorf("read %+v, %v", state, err)
			}
		})
	}
}

package ratelimitddb_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitddb"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

func TestNewNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	client := answering(t, &ddbtest.Faults{})
	now := ratelimittest.NewClock().Now
	wide := ratelimit.Policy{Name: "wide", Algorithm: ratelimit.SlidingLog, Limit: 98, Window: time.Minute}
	one := []ratelimit.Policy{gcra}
	cfg := ratelimitddb.Config{Now: now}
	type arguments struct {
		client   *ddb.Client
		table    string
		key      ratelimitddb.Key
		policies []ratelimit.Policy
		cfg      ratelimitddb.Config
	}
	for want, a := range map[string]arguments{
		"the client is nil":     {nil, "t", testKey, one, cfg},
		"the table has no name": {client, "", testKey, one, cfg},
		"Key is nil":            {client, "t", nil, one, cfg},
		"MaxHints must be":      {client, "t", testKey, one, ratelimitddb.Config{Now: now, MaxHints: -1}},
		"a limiter needs a":     {client, "t", testKey, nil, cfg},
		"Limit must be":         {client, "t", testKey, []ratelimit.Policy{{Name: "x", Window: time.Second}}, cfg},
		"have 101 units":        {client, "t", testKey, []ratelimit.Policy{log, wide}, cfg},
	} {
		if l, err := ratelimitddb.New(a.client, a.table, a.key, a.policies, a.cfg); err == nil || l != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestZeroConfigWorks(t *testing.T) {
	t.Parallel()
	faults := &ddbtest.Faults{}
	faults.Inject("GetItem", func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		return ddbtest.Respond(r, http.StatusOK, `{}`), nil
	})
	l, err := ratelimitddb.New(answering(t, faults), "ratelimit", testKey, []ratelimit.Policy{gcra}, ratelimitddb.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.Peek(t.Context(), alice)
	if age := time.Since(time.UnixMicro(d.At)); err != nil || !d.Allowed || age < 0 || age > time.Minute {
		t.Errorf("%+v, %v", d, err)
	}
}

// sent returns the partition key that the limiter asks for.
func sent(t *testing.T, subject ratelimit.Subject, key ratelimitddb.Key, policies ...ratelimit.Policy) string {
	t.Helper()
	var in struct{ Key map[string]map[string]string }
	faults := &ddbtest.Faults{}
	faults.Inject("GetItem", func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		return ddbtest.Respond(r, http.StatusOK, `{}`), nil
	})
	l, err := ratelimitddb.New(answering(t, faults), "ratelimit", key, policies, ratelimitddb.Config{Now: ratelimittest.NewClock().Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Peek(t.Context(), subject); err != nil {
		t.Fatal(err)
	}
	if len(in.Key) != 1 {
		t.Fatalf("the key is %v", in.Key)
	}
	return in.Key["PK"]["S"]
}

func pkOf(t *testing.T, subject ratelimit.Subject, policies ...ratelimit.Policy) string {
	t.Helper()
	return sent(t, subject, testKey, policies...)
}

func TestPartitionKey(t *testing.T) {
	t.Parallel()
	// The encoding, written out: two policies; each one's name, version, algorithm, limit, seconds and burst; the subject.
	old := ratelimit.Policy{Name: "gcra", Limit: 3, Window: time.Minute, Burst: 2, Version: 300}
	daily := ratelimit.Policy{Name: "window", Algorithm: ratelimit.FixedWindow, Limit: 5, Window: time.Second}
	key, _ := testKey(t.Context())
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("\x02\x04gcra\xac\x02\x00\x03\x3c\x02\x06window\x00\x01\x05\x01\x00alice@example.com"))
	if got, want := pkOf(t, alice, old, daily), "RL#"+base64.RawURLEncoding.EncodeToString(mac.Sum(nil)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	named := func(name string) ratelimit.Policy { p := gcra; p.Name = name; return p }
	changed := func(change func(p *ratelimit.Policy)) ratelimit.Policy { p := gcra; change(&p); return p }
	other := func(context.Context) ([]byte, error) { return bytes.Repeat([]byte{8}, 32), nil }
	seen := map[string]string{}
	for name, pk := range map[string]string{
		"plain":        pkOf(t, alice, gcra),
		"subject":      pkOf(t, alice+"x", gcra),
		"version":      pkOf(t, alice, changed(func(p *ratelimit.Policy) { p.Version++ })),
		"algorithm":    pkOf(t, alice, changed(func(p *ratelimit.Policy) { p.Algorithm, p.Burst = ratelimit.FixedWindow, 0 })),
		"limit":        pkOf(t, alice, changed(func(p *ratelimit.Policy) { p.Limit++ })),
		"seconds":      pkOf(t, alice, changed(func(p *ratelimit.Policy) { p.Window += time.Second })),
		"burst":        pkOf(t, alice, changed(func(p *ratelimit.Policy) { p.Burst++ })),
		"name":         pkOf(t, alice, named("gcr")),
		"shifted":      pkOf(t, "a"+alice, named("gcr")),
		"two":          pkOf(t, alice, gcra, window),
		"otherOrder":   pkOf(t, alice, window, gcra),
		"joined":       pkOf(t, alice, named("gcra-window")),
		"key":          sent(t, alice, other, gcra),
		"nameInBefore": pkOf(t, "window"+alice, gcra),
	} {
		if seen[pk] != "" {
			t.Errorf("%s and %s have the same key", name, seen[pk])
		}
		seen[pk] = name
		if len(pk) != 46 || !strings.HasPrefix(pk, "RL#") || strings.Contains(pk, "alice") {
			t.Errorf("%s: %q", name, pk)
		}
	}
}

// The key is read for each operation; a new one takes effect at once.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	var asked []string
	key, failure := bytes.Repeat([]byte{1}, 32), error(nil)
	faults := &ddbtest.Faults{}
	for range 9 {
		faults.Inject("DeleteItem", func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
			var in struct{ Key map[string]map[string]string }
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				t.Error(err)
			}
			asked = append(asked, in.Key["PK"]["S"])
			return ddbtest.Respond(r, http.StatusOK, `{}`), nil
		})
	}
	l, err := ratelimitddb.New(answering(t, faults), "ratelimit", func(context.Context) ([]byte, error) { return key, failure },
		[]ratelimit.Policy{gcra}, ratelimitddb.Config{Now: ratelimittest.NewClock().Now})
	if err != nil {
		t.Fatal(err)
	}
	reset := func() error { return l.Reset(t.Context(), alice) }
	for _, first := range []byte{1, 1, 2, 1} {
		key[0] = first // in place: the limiter keeps its own copy
		if err := reset(); err != nil {
			t.Fatal(err)
		}
	}
	if asked[0] != asked[1] || asked[0] == asked[2] || asked[0] != asked[3] {
		t.Errorf("the keys of the items are %q", asked)
	}
	key = key[:31]
	if err := reset(); err == nil || !strings.Contains(err.Error(), "31 bytes") {
		t.Errorf("a short key: %v", err)
	}
	key, failure = nil, errors.New("secret not loaded")
	if err := reset(); !errors.Is(err, failure) {
		t.Errorf("got %v, want the key's error", err)
	}
	key, failure = bytes.Repeat([]byte{1}, 32), nil
	if err := l.Reset(t.Context(), ""); err == nil {
		t.Error("an empty subject is accepted")
	}
	if got := faults.Attempts("DeleteItem"); got != 4 {
		t.Errorf("%d calls, want 4", got)
	}
}

func TestRefundSendsNothingForNothing(t *testing.T) {
	t.Parallel()
	faults := &ddbtest.Faults{}
	clock := ratelimittest.NewClock()
	l := open(t, answering(t, faults), "ratelimit", clock.Now, gcra, window)
	at := clock.Now().UnixMicro()
	results := []ratelimit.Result{{Policy: &gcra, Allowed: true}, {Policy: &window, Allowed: true}}
	for name, d := range map[string]ratelimit.Decision{
		"Denied":     {Subject: alice, Cost: 1, At: at, Results: results},
		"FailedOpen": {Allowed: true, Source: ratelimit.FailedOpen, Subject: alice, Cost: 1, At: at},
		"LongAgo":    {Allowed: true, Subject: alice, Cost: 1, At: at - time.Hour.Microseconds(), Results: results},
	} {
		if err := l.Refund(t.Context(), d); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := l.Refund(t.Context(), ratelimit.Decision{Allowed: true, Subject: alice, Cost: 1, At: at, Results: results[:1]}); err == nil {
		t.Error("it refunds a decision of another limiter")
	}
	logged := open(t, answering(t, faults), "ratelimit", clock.Now, log)
	if err := logged.Refund(t.Context(), ratelimit.Decision{}); !errors.Is(err, ratelimit.ErrNotRefundable) {
		t.Errorf("got %v, want ErrNotRefundable", err)
	}
	if got := faults.Attempts("UpdateItem"); got != 0 {
		t.Errorf("%d calls, want none", got)
	}
}

func TestCostIsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	faults := &ddbtest.Faults{}
	l := open(t, answering(t, faults), "ratelimit", ratelimittest.NewClock().Now, gcra)
	for _, cost := range []int64{-1, 0, 4} {
		if _, err := l.Take(t.Context(), alice, cost); err == nil {
			t.Errorf("cost %d is accepted", cost)
		}
	}
	if got := faults.Attempts("UpdateItem"); got != 0 {
		t.Errorf("%d calls, want none", got)
	}
}

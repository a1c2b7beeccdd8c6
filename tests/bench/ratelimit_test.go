//go:build integration

package bench_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitddb"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

const (
	// many is a fleet whose instances see each client rarely, which is the worst for what they remember.
	many = 50
	// some is a fleet as large as the mixed traffic needs at its peaks: a Lambda instance has one request at a time.
	some = 10
)

// usdPerMillionWrites is the price of a million write request units on demand in us-east-1
// (https://aws.amazon.com/dynamodb/pricing/on-demand/). A read request unit costs a fifth.
const usdPerMillionWrites = 0.625

var limits = []ratelimit.Policy{
	{Name: "gcra", Limit: 100, Window: time.Minute, Burst: 20},
	{Name: "fixed-window", Algorithm: ratelimit.FixedWindow, Limit: 100, Window: time.Minute},
	{Name: "sliding-log", Algorithm: ratelimit.SlidingLog, Limit: 100, Window: time.Minute},
}

// meter counts the calls of some operations by a client, and the request units that DynamoDB reports for them.
type meter struct {
	operations []string

	mu               sync.Mutex
	calls, succeeded int
	units            float64
}

func (m *meter) option(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: m} }

var capacity = regexp.MustCompile(`"CapacityUnits":([0-9.]+)`)

// RoundTrip asks for the capacity of each call, which the stores do not.
func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); !slices.Contains(m.operations, operation) {
		return http.DefaultTransport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	body = append([]byte(`{"ReturnConsumedCapacity":"TOTAL",`), body[1:]...)
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if found := capacity.FindSubmatch(answer); found != nil {
		units, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			return nil, err
		}
		m.units += units
		m.succeeded++
	}
	return response, nil
}

// fleetOf returns instances in front of one table: with a guard each, or the bare stores.
func fleetOf(t *testing.T, instances int, policy ratelimit.Policy, guards bool) (*ratelimittest.Fleet, *meter) {
	t.Helper()
	clock, table, m := ratelimittest.NewClock(), ddbtest.HashTable(t), &meter{operations: []string{"UpdateItem"}}
	client := ddbtest.Client(t, m.option)
	key := func(context.Context) ([]byte, error) { return bytes.Repeat([]byte{7}, ratelimitddb.MinKey), nil }
	f := &ratelimittest.Fleet{Clock: clock, Skew: 50 * time.Millisecond, RTT: 6 * time.Millisecond, Seed: 1}
	for range instances {
		store, err := ratelimitddb.New(client, table, key, []ratelimit.Policy{policy}, ratelimitddb.Config{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		f.Instances = append(f.Instances, store)
		if !guards {
			continue
		}
		g, err := ratelimit.NewGuard(store, ratelimit.GuardConfig{OnError: ratelimit.Closed, Budget: time.Minute, Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		f.Instances[len(f.Instances)-1] = g
	}
	return f, m
}

// traffic returns a few minutes of requests: of clients that load pages of 10 requests each, of clients that send single
// requests, and of one that sends more than it may.
func traffic() []ratelimittest.Arrival {
	const length = 2 * time.Minute
	random := rand.New(rand.NewPCG(1, 2))
	var all []ratelimittest.Arrival
	client := func(i int) ratelimit.Subject { return ratelimit.NewSubject("user", strconv.Itoa(i)) }
	for i := range 8 {
		begin := time.Duration(random.Int64N(int64(10 * time.Second)))
		for _, a := range ratelimittest.PageLoads(client(i), 12*time.Second, length) {
			a.At += begin
			all = append(all, a)
		}
	}
	for i := range 40 {
		for at := time.Duration(0); at < length; at += time.Duration(random.Int64N(int64(10 * time.Second))) {
			all = append(all, ratelimittest.Arrival{At: at, Subject: client(100 + i), Cost: 1})
		}
	}
	return append(all, ratelimittest.Flood(client(200), 4, length)...)
}

func isAllowed(o ratelimittest.Outcome) bool { return o.Decision.Allowed }

// pages is clients that only load pages, whose requests reach an instance each: all of them but one find a busy subject
// of which their instance knows nothing.
func pages() (all []ratelimittest.Arrival) {
	for i := range 30 {
		for _, a := range ratelimittest.PageLoads(ratelimit.NewSubject("page", strconv.Itoa(i)), 20*time.Second, 80*time.Second) {
			a.At += time.Duration(i) * 500 * time.Millisecond
			all = append(all, a)
		}
	}
	return all
}

// Without the guard's memory of denials, a decision is one write. A GCRA sometimes has two, and so has a sliding log the
// first time that an instance sees a client.
func TestRateLimitWritesPerDecision(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		instances int
		traffic   []ratelimittest.Arrival
		most      float64 // writes per decision
	}{{"mixed", some, traffic(), 1.2}, {"pages", many, pages(), 1.4}} {
		for _, policy := range limits {
			fleet, m := fleetOf(t, c.instances, policy, false)
			outcomes, err := fleet.Run(t.Context(), c.traffic)
			if err != nil {
				t.Fatal(err)
			}
			perDecision := float64(m.calls) / float64(len(outcomes))
			// DynamoDB reports no units for a failed condition, but charges for the item as for a write.
			units := perDecision * m.units / float64(m.succeeded)
			t.Logf("%s over %d instances, %-12s %d decisions, %d admitted: %.3f writes and %.3f write units each, USD %.3f per million",
				c.name, c.instances, policy.Name, len(outcomes), count(outcomes, isAllowed), perDecision, units, units*usdPerMillionWrites)
			most := c.most
			if policy.Algorithm == ratelimit.FixedWindow {
				most = 1
			}
			if perDecision > most {
				t.Errorf("%s, %s: %.3f writes per decision, want at most %.1f", c.name, policy.Name, perDecision, most)
			}
		}
	}
}

func count(outcomes []ratelimittest.Outcome, is func(ratelimittest.Outcome) bool) (n int) {
	for _, o := range outcomes {
		if is(o) {
			n++
		}
	}
	return n
}

// One client floods the fleet: the guards answer nearly all of it. Each instance asks the store once in the time for which
// it remembers a denial, and once for each unit that the limit gives back.
func TestRateLimitWritesInAFlood(t *testing.T) {
	t.Parallel()
	const perSecond = 200
	for _, policy := range limits {
		most, length := 0.02, 5*time.Minute
		if policy.Algorithm == ratelimit.GCRA {
			most, length = 0.4, time.Minute
		}
		fleet, m := fleetOf(t, many, policy, true)
		outcomes, err := fleet.Run(t.Context(), ratelimittest.Flood(ratelimit.NewSubject("ip", "192.0.2.1"), perSecond, length))
		if err != nil {
			t.Fatal(err)
		}
		perRequest, admitted := float64(m.calls)/float64(len(outcomes)), count(outcomes, isAllowed)
		t.Logf("flood over %d instances, %-12s %d requests, %d admitted: %.4f writes each", many, policy.Name, len(outcomes), admitted, perRequest)
		if perRequest > most {
			t.Errorf("%s: %.4f writes per request, want at most %.4f", policy.Name, perRequest, most)
		}
	}
}

// A denial that the guard remembers is not a call at all.
func TestRateLimitWritesOfACachedDenial(t *testing.T) {
	t.Parallel()
	for _, policy := range limits {
		fleet, m := fleetOf(t, 1, policy, true)
		one := fleet.Instances[0]
		subject := ratelimit.NewSubject("ip", "192.0.2.1")
		denied := func() bool {
			d, err := one.Take(t.Context(), subject, policy.Capacity())
			if err != nil {
				t.Fatal(err)
			}
			return !d.Allowed
		}
		for !denied() {
		}
		before := m.calls
		for range 1000 {
			if !denied() {
				t.Fatal("it is admitted")
			}
		}
		t.Logf("%-12s 1000 denials: %d writes", policy.Name, m.calls-before)
		if m.calls != before {
			t.Errorf("%s: %d writes for denials that are known", policy.Name, m.calls-before)
		}
	}
}

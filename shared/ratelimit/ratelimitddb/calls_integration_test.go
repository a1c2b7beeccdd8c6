//go:build integration

package ratelimitddb_test

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitddb"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

// instances opens limiters of the same policies on the table that share a transport, and no hints.
func instances(t *testing.T, n int, clock *ratelimittest.Clock, policies ...ratelimit.Policy) ([]*ratelimitddb.Limiter, *ddbtest.Faults, string) {
	t.Helper()
	faults, table := &ddbtest.Faults{}, ddbtest.HashTable(t)
	client := ddbtest.Client(t, faults.Option)
	all := make([]*ratelimitddb.Limiter, n)
	for i := range all {
		all[i] = open(t, client, table, clock.Now, policies...)
	}
	return all, faults, table
}

func shadowed(p ratelimit.Policy) ratelimit.Policy {
	p.Shadow = true
	return p
}

// Each step is a call and the number of requests that it makes.
func TestCallsPerDecision(t *testing.T) {
	t.Parallel()
	type step struct {
		instance int
		cost     int64
		allowed  bool
		calls    int
	}
	for name, c := range map[string]struct {
		policies []ratelimit.Policy
		steps    []step
	}{
		"FixedWindow": {[]ratelimit.Policy{window}, []step{
			{0, 1, true, 1}, {1, 1, true, 1}, {2, 1, true, 1}, {0, 1, false, 1}, {3, 1, false, 1}, {3, 1, false, 1},
		}},
		"SlidingLog": {[]ratelimit.Policy{log}, []step{
			{0, 1, true, 1}, // create
			{0, 1, true, 1}, // rotate: it knows the subject
			{1, 1, true, 2}, // it does not
			{1, 1, false, 1}, {2, 1, false, 1},
		}},
		"GCRA": {[]ratelimit.Policy{gcra}, []step{
			{0, 1, true, 1}, // idle
			{0, 1, true, 1}, // busy: it knows the subject
			{1, 1, true, 2}, // it does not
			{1, 1, false, 1}, {2, 1, false, 1}, {2, 2, false, 1},
		}},
		"Shadow": {[]ratelimit.Policy{{Name: "wide", Limit: 60, Window: time.Minute}, shadowed(window), shadowed(log)}, []step{
			{0, 2, true, 1},
			{0, 2, true, 2}, // the shadow policies would deny
			{0, 2, true, 1}, // as they did before
			{1, 2, true, 2},
			{1, 2, true, 1},
		}},
		"OneRetryResolvesAll": {[]ratelimit.Policy{gcra, window, log}, []step{
			{0, 1, true, 1}, {1, 1, true, 2}, {1, 1, true, 1}, {2, 1, false, 1},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, faults, _ := instances(t, 4, ratelimittest.NewClock(), c.policies...)
			for i, s := range c.steps {
				before := faults.Attempts("UpdateItem")
				d, err := all[s.instance].Take(t.Context(), alice, s.cost)
				if err != nil || d.Allowed != s.allowed {
					t.Fatalf("step %d: allowed %t, %v; want %t", i, d.Allowed, err, s.allowed)
				}
				if got := faults.Attempts("UpdateItem") - before; got != s.calls {
					t.Errorf("step %d: %d writes, want %d", i, got, s.calls)
				}
			}
			if got := faults.Attempts("GetItem"); got != 0 {
				t.Errorf("%d reads, want none", got)
			}
		})
	}
}

// What was right for other subjects is tried first for a new one.
func TestUnknownSubjectsShareAGuess(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]ratelimit.Policy{"GCRA": gcra, "SlidingLog": log} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, faults, _ := instances(t, 2, ratelimittest.NewClock(), policy)
			take := func(instance, subject int) int {
				before := faults.Attempts("UpdateItem")
				if _, err := all[instance].Take(t.Context(), ratelimit.NewSubject("n", strconv.Itoa(subject)), 1); err != nil {
					t.Fatal(err)
				}
				return faults.Attempts("UpdateItem") - before
			}
			calls := 0
			for i := range 20 {
				take(0, i)
				calls = take(1, i) // all of them are busy for this one
			}
			if calls != 1 {
				t.Errorf("the twentieth busy subject takes %d writes, want 1", calls)
			}
			if first := take(1, 100); first != 2 {
				t.Errorf("an idle subject after that takes %d writes, want 2", first)
			}
		})
	}
}

func TestOtherCalls(t *testing.T) {
	t.Parallel()
	clock := ratelimittest.NewClock()
	all, faults, _ := instances(t, 1, clock, gcra, window)
	l := all[0]
	d, err := l.Take(t.Context(), alice, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Peek(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	if err := l.Refund(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if err := l.Reset(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	if err := l.Refund(t.Context(), d); err != nil { // the condition fails, and nothing is left to give back
		t.Fatal(err)
	}
	for operation, want := range map[string]int{"UpdateItem": 3, "GetItem": 1, "DeleteItem": 1} {
		if got := faults.Attempts(operation); got != want {
			t.Errorf("%d calls of %s, want %d", got, operation, want)
		}
	}
}

// Real concurrency: however many goroutines and instances take at once, the limit is what is admitted.
func TestConcurrentInstancesAdmitTheLimit(t *testing.T) {
	t.Parallel()
	const rounds, takers, perRound = 60, 32, 10
	for name, policy := range map[string]ratelimit.Policy{
		"GCRA":        {Name: "gcra", Limit: perRound, Window: time.Hour},
		"FixedWindow": {Name: "window", Algorithm: ratelimit.FixedWindow, Limit: perRound, Window: time.Hour},
		"SlidingLog":  {Name: "log", Algorithm: ratelimit.SlidingLog, Limit: perRound, Window: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			all, faults, _ := instances(t, 4, ratelimittest.NewClock(), policy)
			for round := range rounds {
				subject := ratelimit.NewSubject("round", strconv.Itoa(round))
				var admitted atomic.Int64
				var group sync.WaitGroup
				begin := make(chan struct{})
				for taker := range takers {
					group.Go(func() {
						<-begin
						d, err := all[taker%len(all)].Take(t.Context(), subject, 1)
						if err != nil {
							t.Error(err)
						} else if d.Allowed {
							admitted.Add(1)
						}
					})
				}
				close(begin)
				group.Wait()
				if got := admitted.Load(); got != perRound {
					t.Fatalf("round %d: %d are admitted, want %d", round, got, perRound)
				}
			}
			t.Logf("%.2f writes per decision", float64(faults.Attempts("UpdateItem"))/(rounds*takers))
		})
	}
}

// A lost answer counts, and is an error: never an admission that nobody has counted, and never two.
func TestLostAnswersCountOnce(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]ratelimit.Policy{"GCRA": gcra, "FixedWindow": window, "SlidingLog": log} {
		for fault, spoil := range map[string]ddbtest.Fault{
			"FailAfterCommit": ddbtest.FailAfterCommit, "LoseResponse": ddbtest.LoseResponse, "BreakOff": ddbtest.BreakOff,
		} {
			t.Run(name+"/"+fault, func(t *testing.T) {
				t.Parallel()
				all, faults, _ := instances(t, 1, ratelimittest.NewClock(), policy)
				faults.Inject("UpdateItem", spoil)
				if d, err := all[0].Take(t.Context(), alice, 1); err == nil || errors.Is(err, ratelimit.ErrSubjectThrottled) {
					t.Errorf("got %+v, %v; want a failure of the store", d, err)
				}
				d, err := all[0].Peek(t.Context(), alice)
				if err != nil || d.Results[0].Remaining != policy.Capacity()-1 {
					t.Errorf("got %+v, %v; want one unit to be taken", d.Results, err)
				}
				if got := faults.Attempts("UpdateItem"); got != 1 {
					t.Errorf("%d attempts, want 1", got)
				}
			})
		}
	}
}

func itemOf(t *testing.T, table, pk string) map[string]types.AttributeValue {
	t.Helper()
	out, err := ddbtest.Client(t).GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &table, Key: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: pk}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

func number(t *testing.T, v types.AttributeValue) (n int64) {
	t.Helper()
	if _, err := fmt.Sscan(v.(*types.AttributeValueMemberN).Value, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// The item has what the package documentation lists, and lives longer than any state in it is needed.
func TestItem(t *testing.T) {
	t.Parallel()
	clock := ratelimittest.NewClock()
	slow := ratelimit.Policy{Name: "slow", Limit: 1, Window: 24 * time.Hour, Burst: 3}
	all, _, table := instances(t, 1, clock, gcra, window, log, slow)
	if _, err := all[0].Take(t.Context(), alice, 3); err != nil {
		t.Fatal(err)
	}
	item := itemOf(t, table, pkOf(t, alice, gcra, window, log, slow))
	now := clock.Now().UnixMicro()
	current := fmt.Sprintf("w1x%d", window.WindowOf(alice, now))
	for _, name := range []string{"PK", "ttl", "g0", current, "l2", "g3"} {
		if item[name] == nil {
			t.Errorf("there is no %s in %v", name, item)
		}
	}
	if len(item) != 6 {
		t.Errorf("%d attributes, want 6", len(item))
	}
	if got, want := number(t, item["g3"]), now+3*24*time.Hour.Microseconds(); got != want {
		t.Errorf("g3 is %d, want %d", got, want)
	}
	after := time.Duration(number(t, item["ttl"])*1e6-number(t, item["g3"])) * time.Microsecond
	if after < time.Hour-time.Second || after > time.Hour {
		t.Errorf("the item expires %v after its last state, want an hour", after)
	}
}

// Windows that are over are removed, so that an item does not grow.
func TestStaleWindowsAreRemoved(t *testing.T) {
	t.Parallel()
	clock := ratelimittest.NewClock()
	all, _, table := instances(t, 2, clock, window)
	pk := pkOf(t, alice, window)
	for i := range 40 {
		if _, err := all[i%2].Take(t.Context(), alice, 1); err != nil {
			t.Fatal(err)
		}
		if got := len(itemOf(t, table, pk)); got > 2+5 {
			t.Fatalf("step %d: %d attributes", i, got)
		}
		clock.Move(time.Minute)
	}
	// The clock is set back to a window that was stale: it is counted in, and not removed.
	clock.Move(-5 * time.Minute)
	before := number(t, itemOf(t, table, pk)["ttl"])
	for i := range 2 {
		if _, err := all[i].Take(t.Context(), alice, 1); err != nil {
			t.Error(err)
		}
	}
	if number(t, itemOf(t, table, pk)["ttl"]) == before {
		t.Error("nothing was written")
	}
}

// Two instances whose clocks differ by skew: the bounds that package ratelimit documents hold, and nearly all of the
// rate is admitted.
func TestSkewedInstances(t *testing.T) {
	t.Parallel()
	const skew = 2 * time.Second
	for name, policy := range map[string]ratelimit.Policy{
		"GCRA":        {Name: "gcra", Limit: 60, Window: time.Minute, Burst: 5},
		"FixedWindow": {Name: "window", Algorithm: ratelimit.FixedWindow, Limit: 10, Window: 10 * time.Second},
		"SlidingLog":  {Name: "log", Algorithm: ratelimit.SlidingLog, Limit: 10, Window: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock, table := ratelimittest.NewClock(), ddbtest.HashTable(t)
			client := ddbtest.Client(t)
			ahead := func() time.Time { return clock.Now().Add(skew) }
			all := []*ratelimitddb.Limiter{open(t, client, table, clock.Now, policy), open(t, client, table, ahead, policy)}
			var admitted []time.Time
			const steps, pace = 400, 100 * time.Millisecond
			for i := range steps {
				clock.Move(pace)
				if d, err := all[i*i/2%2].Take(t.Context(), alice, 1); err != nil {
					t.Fatal(err)
				} else if d.Allowed {
					admitted = append(admitted, clock.Now())
				}
			}
			// No interval has more than the policy admits in it.
			for i := range admitted {
				for j := i; j < len(admitted); j++ {
					if got, most := int64(j-i+1), bound(&policy, admitted[j].Sub(admitted[i]), skew); got > most {
						t.Fatalf("%d are admitted in %v, want at most %d", got, admitted[j].Sub(admitted[i]), most)
					}
				}
			}
			fair := int(policy.Limit * int64(steps*pace) / int64(policy.Window))
			if len(admitted) < fair*8/10 {
				t.Errorf("%d are admitted, want about %d", len(admitted), fair)
			}
		})
	}
}

// bound returns the most units in any closed interval of length d, from the documentation of the algorithms.
func bound(p *ratelimit.Policy, d, skew time.Duration) int64 {
	switch p.Algorithm {
	case ratelimit.FixedWindow: // the windows that the interval and the skew touch
		return p.Limit * (int64((d+skew)/p.Window) + 2)
	case ratelimit.SlidingLog: // Limit in each Window-skew
		return p.Limit * (int64(d/(p.Window-skew)) + 1)
	default:
		return p.Burst + (d+skew).Microseconds()/p.Interval()
	}
}

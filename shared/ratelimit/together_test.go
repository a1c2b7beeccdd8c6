package ratelimit_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// scripted is a limiter that answers as it is told, after a second, and records its calls.
type scripted struct {
	name       string
	algorithm  ratelimit.Algorithm
	allowed    bool
	err        error
	refundFail error
	calls      *calls
}

type calls struct {
	mu  sync.Mutex
	log []string
}

func (c *calls) add(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, call)
}

func (s *scripted) Take(ctx context.Context, subject ratelimit.Subject, cost int64) (ratelimit.Decision, error) {
	time.Sleep(time.Second)
	s.calls.add("take " + s.name)
	if s.err != nil {
		return ratelimit.Decision{}, s.err
	}
	p := &s.Policies()[0]
	return ratelimit.Decision{Allowed: s.allowed, Subject: subject, Cost: cost, Results: []ratelimit.Result{{Policy: p, Allowed: s.allowed}}}, ctx.Err()
}

func (s *scripted) Refund(ctx context.Context, taken ratelimit.Decision) error {
	if !taken.Took() || taken.Cost != 3 || ctx.Err() != nil {
		s.calls.add("bad refund")
	}
	s.calls.add("refund " + s.name)
	return s.refundFail
}

func (s *scripted) Peek(context.Context, ratelimit.Subject) (ratelimit.Decision, error) {
	return ratelimit.Decision{}, errors.New("not asked")
}

func (s *scripted) Reset(context.Context, ratelimit.Subject) error { return errors.New("not asked") }

func (s *scripted) Policies() []ratelimit.Policy {
	return []ratelimit.Policy{{Name: s.name, Algorithm: s.algorithm, Limit: 5, Window: time.Second}}
}

func TestTakeAll(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		limiters []scripted
		calls    []string // sorted
		asked    []string // whose decisions come back
		allowed  bool
		err      error
		took     time.Duration
	}{
		"AllAdmit": {
			limiters: []scripted{{name: "a", allowed: true}, {name: "b", allowed: true}},
			calls:    []string{"take a", "take b"}, asked: []string{"a", "b"}, allowed: true, took: time.Second,
		},
		"OneDenies": {
			limiters: []scripted{{name: "a", allowed: true}, {name: "b"}, {name: "c", allowed: true}},
			calls:    []string{"refund a", "refund c", "take a", "take b", "take c"}, asked: []string{"a", "b", "c"}, took: time.Second,
		},
		"OneFails": {
			limiters: []scripted{{name: "a", err: broken}, {name: "b", allowed: true}},
			calls:    []string{"refund b", "take a", "take b"}, asked: []string{"b"}, err: broken, took: time.Second,
		},
		"ALostRefundIsStillADenial": {
			limiters: []scripted{{name: "a", allowed: true, refundFail: broken}, {name: "b"}},
			calls:    []string{"refund a", "take a", "take b"}, asked: []string{"a", "b"}, took: time.Second,
		},
		"OneThatCannotRefundIsLast": {
			limiters: []scripted{{name: "log", algorithm: ratelimit.SlidingLog, allowed: true}, {name: "b", allowed: true}},
			calls:    []string{"take b", "take log"}, asked: []string{"log", "b"}, allowed: true, took: 2 * time.Second,
		},
		"OneThatCannotRefundIsNotAskedAfterADenial": {
			limiters: []scripted{{name: "log", algorithm: ratelimit.SlidingLog, allowed: true}, {name: "b"}, {name: "c", allowed: true}},
			calls:    []string{"refund c", "take b", "take c"}, asked: []string{"b", "c"}, took: time.Second,
		},
		"OneThatCannotRefundDenies": {
			limiters: []scripted{{name: "log", algorithm: ratelimit.SlidingLog}, {name: "b", allowed: true}},
			calls:    []string{"refund b", "take b", "take log"}, asked: []string{"log", "b"}, took: 2 * time.Second,
		},
		"OneThatCannotRefundFails": {
			limiters: []scripted{{name: "a", allowed: true}, {name: "log", algorithm: ratelimit.SlidingLog, err: broken}},
			calls:    []string{"refund a", "take a", "take log"}, asked: []string{"a"}, err: broken, took: 2 * time.Second,
		},
		"OneThatCannotRefundAlone": {
			limiters: []scripted{{name: "log", algorithm: ratelimit.SlidingLog, allowed: true}},
			calls:    []string{"take log"}, asked: []string{"log"}, allowed: true, took: time.Second,
		},
		"Nobody": {allowed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log calls
				requests := make([]ratelimit.Request, len(c.limiters))
				for i := range c.limiters {
					limiter := c.limiters[i]
					limiter.calls = &log
					requests[i] = ratelimit.Request{Limiter: &limiter, Subject: "s", Cost: 3}
				}
				if err := ratelimit.ValidateTogether(requests...); err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				got, err := ratelimit.TakeAll(t.Context(), requests...)
				if took := time.Since(begin); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if !errors.Is(err, c.err) || got.Allowed() != c.allowed && err == nil {
					t.Errorf("allowed %t, error %v", got.Allowed(), err)
				}
				var asked []string
				for _, d := range got {
					asked = append(asked, d.Results[0].Policy.Name)
				}
				slices.Sort(log.log)
				if !slices.Equal(log.log, c.calls) || !slices.Equal(asked, c.asked) {
					t.Errorf("calls %q, want %q; decisions of %q, want %q", log.log, c.calls, asked, c.asked)
				}
			})
		})
	}
}

// A client that goes away loses its units' refund to nobody.
func TestTakeAllRefundsAfterTheContextHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log calls
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		_, err := ratelimit.TakeAll(ctx,
			ratelimit.Request{Limiter: &scripted{name: "a", allowed: true, calls: &log}, Cost: 3},
			ratelimit.Request{Limiter: &scripted{name: "log", algorithm: ratelimit.SlidingLog, allowed: true, calls: &log}, Cost: 3},
		)
		if want := []string{"take a", "take log", "refund a"}; !errors.Is(err, context.DeadlineExceeded) || !slices.Equal(log.log, want) {
			t.Errorf("calls %q, error %v", log.log, err)
		}
	})
}

func TestValidateTogether(t *testing.T) {
	t.Parallel()
	plain := &scripted{name: "plain"}
	log, other := &scripted{name: "log", algorithm: ratelimit.SlidingLog}, &scripted{name: "other", algorithm: ratelimit.SlidingLog}
	for name, c := range map[string]struct {
		requests []ratelimit.Request
		want     []string // in the error; nil is no error
	}{
		"OneCannotRefund": {[]ratelimit.Request{{Limiter: plain, Cost: 5}, {Limiter: log, Cost: 1}}, nil},
		"TwoCannotRefund": {[]ratelimit.Request{{Limiter: log, Cost: 1}, {Limiter: plain, Cost: 1}, {Limiter: other, Cost: 1}}, []string{`"log" and "other"`}},
		"CostTooHigh":     {[]ratelimit.Request{{Limiter: plain, Cost: 6}}, []string{`"plain"`, "6", "5"}},
		"NoCost":          {[]ratelimit.Request{{Limiter: plain}}, []string{"cost 0"}},
		"NoLimiter":       {[]ratelimit.Request{{Limiter: plain, Cost: 1}, {Cost: 1}}, []string{"limiter 1 is nil"}},
	} {
		err := ratelimit.ValidateTogether(c.requests...)
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range c.want {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
}

package ratelimittest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

func runSeveral(t *testing.T, newLimiter New) {
	t.Helper()
	small, large := window(), window()
	small.Name, small.Limit, small.Window = "small", 2, 10*time.Second
	large.Name, large.Limit, large.Window = "large", 50, time.Hour
	shadow := window()
	shadow.Name, shadow.Limit, shadow.Shadow = "shadow", 1, true
	daily := gcra()
	daily.Name, daily.Limit, daily.Window, daily.Burst = "daily", 24, 24*time.Hour, 6

	for _, c := range []struct {
		name     string
		policies []ratelimit.Policy
		run      func(*fixture)
	}{
		{"AllOfThem", []ratelimit.Policy{gcra(), window(), slidingLog()}, allOfThem},
		{"TwoGCRAs", []ratelimit.Policy{gcra(), daily}, twoGCRAs},
		{"OneDeniesAndNoneTakes", []ratelimit.Policy{large, small, daily}, oneDenies},
		{"TheOtherDeniesAndNoneTakes", []ratelimit.Policy{daily, slidingLog()}, otherDenies},
		{"OneCannotRefund", []ratelimit.Policy{gcra(), slidingLog()}, oneCannotRefund},
		{"RefundsAll", []ratelimit.Policy{gcra(), window()}, refundsAll},
		{"ShadowNeverDenies", []ratelimit.Policy{shadow, gcra()}, shadowNeverDenies},
		{"Concurrent", []ratelimit.Policy{daily, gcra(), window(), slidingLog()}, concurrent},
	} {
		t.Run("Several/"+c.name, func(t *testing.T) {
			t.Parallel()
			c.run(start(t, newLimiter, c.policies...))
		})
	}
}

func allOfThem(f *fixture) {
	f.admitted(3)
	for i := range 3 {
		f.remaining(i, 1)
	}
	f.admitted(1)
	after := f.denied(1)
	f.clock.Move(after - time.Microsecond)
	f.denied(1)
	f.clock.Move(time.Microsecond)
	f.admitted(1)
}

// twoGCRAs has one policy idle while the other one is busy, which a store needs two expressions for.
func twoGCRAs(f *fixture) {
	f.admitted(2)
	f.clock.Move(time.Minute)
	d := f.admitted(3)
	if d.Results[0].Remaining != 1 || d.Results[1].Remaining != 1 {
		f.t.Fatalf("%d and %d units left, want 1 and 1", d.Results[0].Remaining, d.Results[1].Remaining)
	}
	f.clock.Move(time.Minute)
	f.admitted(1)
	if got := f.denied(1); got < 50*time.Minute {
		f.t.Fatalf("retry after %v, but the daily units come hourly", got)
	}
}

func oneDenies(f *fixture) {
	f.admitted(2)
	d := f.take(1)
	if d.Allowed || !d.Results[0].Allowed || d.Results[1].Allowed || !d.Results[2].Allowed {
		f.t.Fatalf("got %+v, want a denial of the second policy alone", d.Results)
	}
	for i, want := range []int64{48, 0, 4} {
		if d.Results[i].Remaining != want {
			f.t.Errorf("policy %d has %d units left, want %d", i, d.Results[i].Remaining, want)
		}
		f.remaining(i, want)
	}
	f.clock.Move(d.Results[1].RetryAfter)
	f.admitted(1)
}

func otherDenies(f *fixture) {
	f.admitted(4)
	for range 3 {
		f.denied(1)
	}
	f.remaining(0, 2)
	f.clock.Move(time.Minute)
	f.admitted(2)
	f.denied(1) // of the daily units, which the log does not take
	f.remaining(1, 2)
}

func oneCannotRefund(f *fixture) {
	d := f.admitted(2)
	if err := f.limiter.Refund(f.t.Context(), d); err == nil {
		f.t.Fatal("a sliding log refunds")
	}
	f.remaining(0, 2)
	f.remaining(1, 2)
}

func refundsAll(f *fixture) {
	f.admitted(1)
	f.refund(f.admitted(3))
	f.remaining(0, 3)
	f.remaining(1, 3)
}

// shadowNeverDenies also holds that a shadow policy takes and refunds nothing when it would have denied.
func shadowNeverDenies(f *fixture) {
	first := f.admitted(1)
	second := f.admitted(1)
	if !first.Results[0].Allowed || second.Results[0].Allowed || second.Results[0].RetryAfter == 0 {
		f.t.Fatalf("the shadow policy says %+v, then %+v", first.Results[0], second.Results[0])
	}
	f.refund(second)
	f.remaining(0, 0)
	f.remaining(1, 3)
	f.refund(first)
	f.remaining(0, 1)
	f.remaining(1, 4)
	f.admitted(1)
	f.admitted(1)
	f.admitted(1)
	f.admitted(1)
	f.denied(1)
	if d := f.peek(); d.Allowed {
		f.t.Fatal("Peek admits what Take denies")
	}
}

// concurrent takes far more than there is, all at once.
func concurrent(f *fixture) {
	var admitted atomic.Int64
	f.parallel(func() {
		if d, err := f.limiter.Take(f.t.Context(), f.subject, 1); err != nil {
			f.t.Errorf("Take: %v", err)
		} else if d.Allowed {
			admitted.Add(1)
		}
	})
	if got := admitted.Load(); got != capacity {
		f.t.Fatalf("%d units are admitted, want %d", got, capacity)
	}
}

// concurrentRefunds holds that nothing is lost or made when many take and refund.
func concurrentRefunds(f *fixture) {
	if !f.limiter.Policies()[0].Refundable() {
		f.remaining(0, capacity)
		return
	}
	f.admitted(1)
	f.parallel(func() {
		d, err := f.limiter.Take(f.t.Context(), f.subject, 1)
		if err != nil {
			f.t.Errorf("Take: %v", err)
		}
		if err := f.limiter.Refund(f.t.Context(), d); err != nil {
			f.t.Errorf("Refund: %v", err)
		}
	})
	f.remaining(0, capacity-1)
}

func (f *fixture) parallel(run func()) {
	var group sync.WaitGroup
	begin := make(chan struct{})
	for range 32 {
		group.Go(func() {
			<-begin
			run()
		})
	}
	close(begin)
	group.Wait()
}

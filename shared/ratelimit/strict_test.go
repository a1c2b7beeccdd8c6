package ratelimit_test

import (
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// A decision's strictest result: denied first, then the longest retry, then the fewest left.
func TestStrictest(t *testing.T) {
	t.Parallel()
	live, shadow := &ratelimit.Policy{Name: "live"}, &ratelimit.Policy{Name: "shadow", Shadow: true}
	ordered := []ratelimit.Result{ // the strictest first
		{Policy: live, RetryAfter: 2 * time.Second, Remaining: 5},
		{Policy: live, RetryAfter: time.Second},
		{Policy: live, RetryAfter: time.Second, Remaining: 1},
		{Policy: live, Allowed: true},
		{Policy: live, Allowed: true, Remaining: 7},
	}
	ignored := ratelimit.Result{Policy: shadow, RetryAfter: time.Hour}
	for i, a := range ordered {
		for j, b := range ordered {
			for _, results := range [][]ratelimit.Result{{ignored, a, b}, {a, b, ignored}} {
				got, ok := ratelimit.Decision{Results: results}.Strictest()
				if want := ordered[min(i, j)]; !ok || got != want {
					t.Errorf("of %+v and %+v: %+v", a, b, got)
				}
			}
		}
	}
	if _, ok := (ratelimit.Decision{Results: []ratelimit.Result{ignored}}).Strictest(); ok {
		t.Error("a policy in shadow mode decides")
	}
}

func TestAllDecisionsMustAdmit(t *testing.T) {
	t.Parallel()
	admits, denies := ratelimit.Decision{Allowed: true}, ratelimit.Decision{}
	if !(ratelimit.Decisions{admits, admits}).Allowed() || (ratelimit.Decisions{admits, denies}).Allowed() {
		t.Error("decisions admit without all of them")
	}
}

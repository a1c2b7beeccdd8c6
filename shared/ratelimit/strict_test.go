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
			decisions := ratelimit.Decisions{
				{Allowed: a.Allowed, Results: []ratelimit.Result{a}}, {Allowed: b.Allowed, Results: []ratelimit.Result{b}},
			}
			if got := decisions.Strictest(); got.Results[0] != ordered[min(i, j)] || decisions.Allowed() != (a.Allowed && b.Allowed) {
				t.Errorf("of %+v and %+v: %+v, allowed %t", a, b, got, decisions.Allowed())
			}
		}
	}
	if _, ok := (ratelimit.Decision{Results: []ratelimit.Result{ignored}}).Strictest(); ok {
		t.Error("a policy in shadow mode decides")
	}
}

func TestStrictestWithoutResults(t *testing.T) {
	t.Parallel()
	live := &ratelimit.Policy{Name: "live"}
	admits := ratelimit.Decision{Allowed: true, Results: []ratelimit.Result{{Policy: live, Allowed: true, Remaining: 9}}}
	denies := ratelimit.Decision{Results: []ratelimit.Result{{Policy: live, RetryAfter: time.Second}}}
	open, closed := ratelimit.Decision{Allowed: true, Source: ratelimit.FailedOpen}, ratelimit.Decision{Source: ratelimit.FailedClosed}
	for name, c := range map[string]struct {
		of   ratelimit.Decisions
		want ratelimit.Decision
	}{
		"OpenAndAdmitted":   {ratelimit.Decisions{open, admits}, admits},
		"OpenAndDenied":     {ratelimit.Decisions{open, denies}, denies},
		"ClosedAndAdmitted": {ratelimit.Decisions{admits, closed}, closed},
		"ClosedAndDenied":   {ratelimit.Decisions{closed, denies}, denies},
		"OpenAlone":         {ratelimit.Decisions{open}, open},
		"Nobody":            {nil, ratelimit.Decision{}},
	} {
		if got := c.of.Strictest(); got.Allowed != c.want.Allowed || got.Source != c.want.Source || len(got.Results) != len(c.want.Results) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

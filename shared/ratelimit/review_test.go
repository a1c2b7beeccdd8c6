package ratelimit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
)

// A refund gives nothing back that time has given back already, even if the subject is busy again with other units.
func TestReviewLateRefundIsNotASecondUnit(t *testing.T) {
	t.Parallel()
	p := ratelimit.Policy{Name: "x", Limit: 10, Window: 10 * time.Second} // one a second, bursts of 10
	const subject, second = ratelimit.Subject("s"), int64(1e6)
	start := int64(1e15)
	first, state := p.Take(subject, ratelimit.State{}, start, 1)
	at := start + 5*second // first is paid for since 4 s
	burst, state := p.Take(subject, state, at, 10)
	state = p.Refund(subject, state, start, at, 1)
	eleventh, _ := p.Take(subject, state, at, 1)
	if !first.Allowed || !burst.Allowed || eleventh.Allowed {
		t.Errorf("%t, %t, %t: 11 units at once, of which none was refunded, with a burst of 10", first.Allowed, burst.Allowed, eleventh.Allowed)
	}
}

// In mode Open, requests that nothing has counted leave a trace, also while the breaker is closed.
func TestReviewUncountedRequestsLeaveATrace(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.DebugLevel)
	entry := &logging.Entry{}
	ctx := logging.WithEntry(logging.With(t.Context(), zap.New(core)), entry)
	store, err := ratelimitmem.New([]ratelimit.Policy{{Name: "x", Limit: 10, Window: time.Second}}, ratelimitmem.Config{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := ratelimit.NewGuard(&everyThird{Limiter: store}, ratelimit.GuardConfig{OnError: ratelimit.Open})
	if err != nil {
		t.Fatal(err)
	}
	uncounted := 0
	for range 30 {
		d, err := g.Take(ctx, "s", 1)
		if err != nil {
			t.Fatal(err)
		}
		if d.Source == ratelimit.FailedOpen {
			uncounted++
		}
	}
	if fields, err := entry.Snapshot(); uncounted > 0 && logs.Len() == 0 && len(fields) == 0 && err == nil {
		t.Errorf("%d of 30 requests were not counted, and no line and no field says so", uncounted)
	}
}

// everyThird fails every third Take.
type everyThird struct {
	ratelimit.Limiter

	calls int
}

func (l *everyThird) Take(ctx context.Context, subject ratelimit.Subject, cost int64) (ratelimit.Decision, error) {
	if l.calls++; l.calls%3 == 0 {
		return ratelimit.Decision{}, errors.New("the store fails")
	}
	return l.Limiter.Take(ctx, subject, cost)
}

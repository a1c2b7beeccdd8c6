package healthcheck_test

import (
	"context"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/clock/clocktest"
	"github.com/tienda-dev/tienda/shared/healthcheck"
)

// A frozen environment stops the monotonic clock: a report ages by the wall clock, and a clock that is set back
// makes none young again.
func TestReportAgesByTheWallClock(t *testing.T) {
	t.Parallel()
	for _, moved := range []time.Duration{time.Hour, -time.Hour} {
		stalled, runs := clocktest.New(t), 0
		c, err := healthcheck.New([]healthcheck.Check{critical("a", func(context.Context) error { runs++; return nil })}, healthcheck.Config{}, stalled.Now)
		if err != nil {
			t.Fatal(err)
		}
		report(t, c)
		report(t, c)
		stalled.Move(moved)
		if got := report(t, c); runs != 2 || got.DurationMS < 0 {
			t.Errorf("%d runs after %v, want 2", runs, moved)
		}
	}
}

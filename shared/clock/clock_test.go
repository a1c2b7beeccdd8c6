package clock_test

import (
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/clock/clocktest"
)

func TestWall(t *testing.T) {
	t.Parallel()
	stalled := clocktest.New(t)
	now := clock.Wall(stalled.Now)
	before := now()
	stalled.Move(time.Hour)
	if got := now().Sub(before); got != time.Hour {
		t.Errorf("an hour of the wall clock is %v", got)
	}
	if clock.Wall(nil) != nil {
		t.Error("a nil clock has become one that panics")
	}
}

func TestFresh(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		made time.Time
		want bool
	}{
		"Never":        {time.Time{}, false},
		"JustNow":      {now, true},
		"Young":        {now.Add(-59 * time.Second), true},
		"Old":          {now.Add(-time.Minute), false},
		"ClockSetBack": {now.Add(time.Nanosecond), false},
	} {
		if got := clock.Fresh(c.made, now, time.Minute); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

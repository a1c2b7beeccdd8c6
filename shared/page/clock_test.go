package page_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/clock/clocktest"
	"github.com/tienda-dev/tienda/shared/page"
)

// A cursor ends by the wall clock, and a clock that is set back does not lengthen its life.
func TestCursorEndsByTheWallClock(t *testing.T) {
	t.Parallel()
	for moved, want := range map[time.Duration]error{
		0: nil, -30 * time.Second: nil, page.Lifetime: page.ErrInvalidCursor, -2 * time.Hour: page.ErrInvalidCursor,
	} {
		stalled := clocktest.New(t)
		s, err := page.NewSealer([]page.Key{{ID: "k1", Status: page.Active, Text: oldText}}, stalled.Now)
		if err != nil {
			t.Fatal(err)
		}
		cursor := seal(t, s, binding, position{"PK": "x"})
		stalled.Move(moved)
		var got position
		if err := s.Open(binding, cursor, &got); !errors.Is(err, want) {
			t.Errorf("after %v: got %v, want %v", moved, err, want)
		}
	}
}

package harness_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tienda-dev/tienda/tests/bench/harness"
)

// TestOwnCPUIsFinerThanATick reads the time of work that takes a small part of a tick. A clock that counts ticks would not move
// in most rounds.
func TestOwnCPUIsFinerThanATick(t *testing.T) {
	t.Parallel()
	work := bytes.Repeat([]byte("a"), 64<<10)
	for i := range 50 {
		before, beforeErr := harness.OwnCPU()
		if bytes.Contains(work, []byte("b")) {
			t.Fatal("found a b among letters a")
		}
		after, afterErr := harness.OwnCPU()
		if err := errors.Join(beforeErr, afterErr); err != nil || after <= before {
			t.Fatalf("round %d: %v before the work, %v after it, %v", i, before, after, err)
		}
	}
}

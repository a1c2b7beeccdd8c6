package awsclient_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tienda-dev/tienda/shared/awsclient"
)

func TestPauseLeavesTimeForAnotherAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		if !awsclient.Pause(t.Context(), 0) {
			t.Error("without a deadline: false, want true")
		}
		short, cancel := context.WithTimeout(t.Context(), 40*time.Millisecond)
		defer cancel()
		start := time.Now()
		if awsclient.Pause(short, 0) || time.Since(start) != 0 {
			t.Error("40 ms before the deadline: it paused, want false at once")
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		if awsclient.Pause(canceled, 5) {
			t.Error("canceled context: true, want false")
		}
	})
}

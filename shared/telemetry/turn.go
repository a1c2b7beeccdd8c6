package telemetry

import (
	"context"
	"sync/atomic"
	"time"
)

// turn lets one export run at a time.
type turn struct {
	busy   chan struct{} // has room for one
	cancel atomic.Pointer[context.CancelFunc]
}

func newTurn() *turn { return &turn{busy: make(chan struct{}, 1)} }

// take waits for the turn as long as ctx allows, and reports whether it has come. cancel ends this export. The last
// export of a process waits for the running one for at most patience, then ends it: what it did not deliver is in the
// queue again.
func (t *turn) take(ctx context.Context, cancel context.CancelFunc, last bool, patience time.Duration) bool {
	var impatient <-chan time.Time
	if last {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		impatient = timer.C
	}
	for {
		select {
		case t.busy <- struct{}{}:
			t.cancel.Store(&cancel)
			return true
		case <-impatient:
			if running := t.cancel.Load(); running != nil {
				(*running)()
			}
			impatient = nil
		case <-ctx.Done():
			return false
		}
	}
}

// leave ends the turn.
func (t *turn) leave() {
	t.cancel.Store(nil)
	<-t.busy
}

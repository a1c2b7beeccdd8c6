package simulator_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

// leastPoints is the least number of points at which a process can be killed: before and after a read, and after a change.
const leastPoints = 3

// Every fault of the provider at every operation, notifications that never arrive, arrive first or late, and in each case a
// process that is killed at every point: after two sweeps the provider's ledger and ours agree, and the customer was charged
// once. An operation that is refused moves nothing, and its repetition is refused too.
func TestChargedOnce(t *testing.T) {
	t.Parallel()
	for name, o := range operations() {
		t.Run("Refused/"+name, func(t *testing.T) {
			t.Parallel()
			refusedOnce(t, o)
		})
	}
	for _, trial := range trials() {
		t.Run(trial.String(), func(t *testing.T) {
			t.Parallel()
			everyPoint(t, trial, func(t *testing.T) *world {
				t.Helper()
				return newWorld(t, memory{paymentstest.NewMemory()})
			})
		})
	}
}

// everyPoint kills the process before its first call and after each one, in a world of its own each time. After a call is
// before the next one: nothing happens between them.
func everyPoint(t *testing.T, r trial, newWorld func(t *testing.T) *world) {
	t.Helper()
	points := 0
	for newWorld(t).chargedOnce(r, max(1, 2*points)) {
		points++
	}
	if points < leastPoints && !t.Failed() {
		t.Errorf("the process was killed at %d points only", points)
	}
}

// chargedOnce kills the process of the trial at a point, and reports whether it came so far.
func (w *world) chargedOnce(r trial, killAt int) bool {
	w.t.Helper()
	w.notify(r.arrive)
	if r.before != nil {
		r.before(w)
		if !r.notified {
			w.deliver()
		}
	}
	step := r.step(w)
	w.sim.Fail(r.operation, r.fault)
	_, killed, err := w.run(killAt, step)
	if !killed && err != nil {
		w.t.Errorf("without a kill: %v", err)
	}
	w.deliver()
	w.sweep()
	w.sweep()
	w.agree()
	if killed { // the queue and the provider deliver again, the client repeats the request
		w.clock.advance(time.Minute)
		if _, _, err := w.run(0, step); err != nil && !repeated(err) {
			w.t.Errorf("killed at %d and repeated: %v", killAt, err)
		}
		w.deliver()
		w.sweep()
		w.sweep()
		w.agree()
	}
	if p, _ := w.payment(); p.Status != r.want {
		w.t.Errorf("killed at %d: the payment is %s, want %s", killAt, p.Status, r.want)
	}
	if w.t.Failed() {
		w.t.Logf("killed at %d: %+v", killAt, w.sim.Ledger())
		return false
	}
	return killed
}

// repeated reports whether an error says that a request was carried out before. The middleware makes its answer of it.
func repeated(err error) bool {
	_, used := errors.AsType[*idempotency.UsedError](err)
	return used || slices.ContainsFunc([]error{payments.ErrInvalidTransition, payments.ErrAlreadyPaid, payments.ErrInProgress}, func(known error) bool {
		return errors.Is(err, known)
	})
}

package simulator_test

import (
	"fmt"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/local/simulator"
	"github.com/tienda-dev/tienda/shared/money"
)

// step is what one process does.
type step func(*payments.Service) error

// stage is one step of a payment's life: the calls of the provider that it makes, and what the end must be.
type stage struct {
	name       string
	operations []string
	// before is what has happened before the step; nil is nothing.
	before func(w *world)
	step   func(w *world) step
	want   payments.Status
	// notified says that the step is a notification of the provider, whose later requests all succeed.
	notified bool
	// undecided says that a notification before the answer would leave the step nothing to do.
	undecided bool
}

func (w *world) euros(minor int64) money.Money {
	return money.Money{AmountMinor: minor, Currency: "EUR"}
}

func pay(capture payments.Capture) func(*world) step {
	return func(w *world) step {
		method := simulator.MethodVisa
		if w.arrive == first {
			method = simulator.MethodWebhookFirst
		}
		return func(s *payments.Service) error {
			_, err := s.Pay(w.keyed("pay"), payments.Request{
				Customer: customer, OrderID: w.order.ID, Method: method, Capture: capture,
			})
			return err
		}
	}
}

func shipped(w *world, amount int64) step {
	e := w.event("shipment.created", map[string]any{"amount": money.Money{AmountMinor: amount, Currency: w.order.Total.Currency}})
	return func(s *payments.Service) error { return s.Settle(w.t.Context(), e) }
}

func shippedAll(w *world) step { return shipped(w, w.order.Total.AmountMinor) }

func shippedPart(w *world) step { return shipped(w, part) }

// part is less than an order's total.
const part = 400

func cancelled(w *world) step {
	e := w.event("order.cancelled", map[string]any{})
	return func(s *payments.Service) error { return s.Settle(w.t.Context(), e) }
}

// byStaff is a request of staff about the payment.
func byStaff(request func(w *world, s *payments.Service, id string) error) func(*world) step {
	return func(w *world) step {
		p, _ := w.payment()
		return func(s *payments.Service) error { return request(w, s, p.ID) }
	}
}

func takesPart(w *world, s *payments.Service, id string) error {
	amount := w.euros(part)
	_, _, err := s.Take(w.keyed("capture"), id, &amount)
	return err
}

func voids(w *world, s *payments.Service, id string) error {
	_, _, err := s.Void(w.keyed("void"), id)
	return err
}

func refundsPart(w *world, s *payments.Service, id string) error {
	_, err := s.Return(w.keyed("refund"), id, w.euros(part), "broken")
	return err
}

// reconciled is a sweep.
func reconciled(w *world) step {
	w.clock.advance(time.Minute)
	return func(s *payments.Service) error { return s.Reconcile(w.t.Context()) }
}

// notified is the arrival of the notifications that wait.
func notified(w *world) step {
	w.sim.Wait()
	waiting := w.waiting()
	if len(waiting) == 0 {
		w.t.Error("the provider has sent no notification")
	}
	return func(s *payments.Service) error {
		for _, n := range waiting {
			if err := w.receive(s, n); err != nil {
				return err
			}
		}
		return nil
	}
}

// after is a payment.
func after(capture payments.Capture) func(*world) {
	return func(w *world) { w.do(pay(capture)) }
}

// unanswered is a step whose request suffers the fault, after what was before.
func unanswered(before func(*world), next func(*world) step, operation string, fault simulator.Fault) func(*world) {
	return func(w *world) {
		if before != nil {
			before(w)
			w.deliver()
		}
		w.sim.Fail(operation, fault)
		w.do(next)
	}
}

// givenUp is an order that is cancelled while nobody knows whether it is paid.
func givenUp(w *world) {
	unanswered(nil, pay(payments.Manual), "confirm", simulator.LoseAnswer)(w)
	w.store.MoveOrder(w.order.ID, payments.OrderCancelled)
	w.do(cancelled)
}

// do takes a step in a process that lives.
func (w *world) do(next func(*world) step) {
	w.t.Helper()
	if _, _, err := w.run(0, next(w)); err != nil {
		w.t.Fatal(err)
	}
}

func stages() []stage {
	const auto, manual = payments.Automatic, payments.Manual
	const lost = simulator.LoseRequest
	return append([]stage{
		{name: "Pay", operations: []string{"create", "confirm", "retrieve"}, step: pay(auto), want: payments.Captured},
		{name: "CaptureAll", operations: []string{"capture", "retrieve"}, before: after(manual), step: shippedAll, want: payments.Captured},
		{name: "CaptureAPart", operations: []string{"capture"}, before: after(manual), step: shippedPart, want: payments.PartiallyCaptured},
		{name: "VoidTheHold", operations: []string{"cancel"}, before: after(manual), step: cancelled, want: payments.Voided},
		{name: "RefundByCancellation", operations: []string{"refund", "refunds"}, before: after(auto), step: cancelled, want: payments.Refunded},
		{name: "StaffCapture", operations: []string{"capture", "retrieve"}, before: after(manual), step: byStaff(takesPart), want: payments.PartiallyCaptured},
		{name: "StaffVoid", operations: []string{"cancel", "retrieve"}, before: after(manual), step: byStaff(voids), want: payments.Voided},
		{name: "StaffRefund", operations: []string{"refund"}, before: after(auto), step: byStaff(refundsPart), want: payments.PartiallyRefunded},
		{
			name: "ReconcileAuthorization", operations: []string{"confirm", "retrieve"},
			before: unanswered(nil, pay(auto), "confirm", lost), step: reconciled, want: payments.Captured,
		},
		{
			name: "ReconcileGivenUp", operations: []string{"cancel", "retrieve"},
			before: givenUp, step: reconciled, want: payments.Voided, undecided: true,
		},
		{
			name: "ReconcileCapture", operations: []string{"capture", "retrieve"},
			before: unanswered(after(manual), shippedAll, "capture", lost), step: reconciled, want: payments.Captured,
		},
		{
			name: "ReconcileRefund", operations: []string{"refund", "refunds"},
			before: unanswered(after(auto), cancelled, "refund", lost), step: reconciled, want: payments.Refunded,
		},
	}, notifiedStages()...)
}

// notifiedStages are the notifications of each operation, whose own answer is lost.
func notifiedStages() []stage {
	const auto, manual = payments.Automatic, payments.Manual
	const lost = simulator.LoseAnswer
	return []stage{
		{name: "NotifyCharge", operations: []string{"confirm"}, before: unanswered(nil, pay(auto), "confirm", lost), step: notified, want: payments.Captured, notified: true},
		{name: "NotifyHold", operations: []string{"confirm"}, before: unanswered(nil, pay(manual), "confirm", lost), step: notified, want: payments.Authorized, notified: true},
		{name: "NotifyCapture", operations: []string{"capture"}, before: unanswered(after(manual), shippedAll, "capture", lost), step: notified, want: payments.Captured, notified: true},
		{name: "NotifyVoid", operations: []string{"cancel"}, before: unanswered(after(manual), cancelled, "cancel", lost), step: notified, want: payments.Voided, notified: true},
		{name: "NotifyRefund", operations: []string{"refund"}, before: unanswered(after(auto), cancelled, "refund", lost), step: notified, want: payments.Refunded, notified: true},
	}
}

// trial is one way in which a stage may go.
type trial struct {
	stage
	operation string
	fault     simulator.Fault
	arrive    arrival
}

func (r trial) String() string {
	return fmt.Sprintf("%s/%s/%v/%s", r.name, r.operation, r.fault, r.arrive)
}

// trials are every fault at every operation of every stage, and those after which the provider has something to notify once
// more with notifications.
func trials() []trial {
	var all []trial
	for _, s := range stages() {
		if s.notified {
			all = append(all, trial{s, s.operations[0], simulator.NoFault, later})
			continue
		}
		for i, operation := range s.operations {
			for _, fault := range simulator.Faults() {
				all = append(all, trial{s, operation, fault, never})
			}
			if i > 0 {
				continue
			}
			for _, fault := range []simulator.Fault{simulator.NoFault, simulator.LoseAnswer, simulator.FailAfter} {
				all = append(all, trial{s, operation, fault, later})
				if !s.undecided {
					all = append(all, trial{s, operation, fault, first})
				}
			}
		}
	}
	return all
}

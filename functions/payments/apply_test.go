package payments_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
)

const ref = "pi_1"

// silent is a provider that answers nothing.
type silent struct{ payments.Provider }

// shop is a stored payment and the service that changes it.
type shop struct {
	store   *paymentstest.Memory
	service *payments.Service
	payment payments.Payment
}

func newShop() *shop {
	s := &shop{store: paymentstest.NewMemory()}
	s.service = payments.NewService(s.store, silent{}, func() time.Time { return paymentstest.Time(60).Time })
	o := paymentstest.NewOrder()
	s.store.PutOrder(o)
	s.payment = paymentstest.NewPayment(o)
	s.payment.Ref = ref
	return s
}

// start stores the payment.
func (s *shop) start(t *testing.T) *shop {
	t.Helper()
	o, err := s.store.Order(t.Context(), s.payment.OrderID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.Create(t.Context(), payments.Creation{Payment: s.payment, Order: o, Event: paymentstest.NewEvent(t, payments.EventCreated, o.ID)}); err != nil {
		t.Fatal(err)
	}
	return s
}

// report is what the provider says about the payment.
func (s *shop) report(state payments.ReportState, captured, capturable int64) payments.Report {
	return payments.Report{
		PaymentID: s.payment.ID, Ref: ref, State: state, Amount: 1000, Currency: "EUR", Captured: captured, Capturable: capturable, Code: "code",
	}
}

// notify delivers reports, each with an id of its own.
func (s *shop) notify(t *testing.T, reports ...payments.Report) payments.Payment {
	t.Helper()
	for _, r := range reports {
		if err := s.service.Notify(t.Context(), payments.Notification{Provider: "stripe", ID: paymentstest.NewID(), Report: &r}); err != nil {
			t.Fatalf("Notify: %v", err)
		}
	}
	p, err := s.store.Get(t.Context(), s.payment.ID)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// summary is what counts of a payment.
type summary struct {
	Status                                             payments.Status
	Authorized, Captured, Capturable, Refund, Refunded int64
}

func summarize(p payments.Payment) summary {
	return summary{p.Status, p.Authorized.AmountMinor, p.Captured.AmountMinor, p.Capturable, p.Refundable, p.Refunded.AmountMinor}
}

func TestReports(t *testing.T) {
	t.Parallel()
	type r struct {
		state                payments.ReportState
		captured, capturable int64
	}
	for name, tc := range map[string]struct {
		reports []r
		want    summary
		reverse bool
	}{
		"Authorized":      {[]r{{payments.ReportAuthorized, 0, 1000}}, summary{payments.Authorized, 1000, 0, 1000, 0, 0}, false},
		"Captured":        {[]r{{payments.ReportClosed, 1000, 0}}, summary{payments.Captured, 1000, 1000, 0, 1000, 0}, false},
		"Declined":        {[]r{{payments.ReportDeclined, 0, 0}}, summary{payments.Declined, 0, 0, 0, 0, 0}, false},
		"CancelledEarly":  {[]r{{payments.ReportCanceled, 0, 0}}, summary{payments.Declined, 0, 0, 0, 0, 0}, false},
		"HoldEnds":        {[]r{{payments.ReportAuthorized, 0, 1000}, {payments.ReportCanceled, 0, 0}}, summary{payments.Voided, 1000, 0, 0, 0, 0}, false},
		"CapturedInParts": {[]r{{payments.ReportAuthorized, 0, 1000}, {payments.ReportAuthorized, 300, 700}, {payments.ReportClosed, 1000, 0}}, summary{payments.Captured, 1000, 1000, 0, 1000, 0}, false},
		"RestReleased":    {[]r{{payments.ReportAuthorized, 300, 700}, {payments.ReportClosed, 300, 0}}, summary{payments.Captured, 1000, 300, 0, 300, 0}, false},
		"Open":            {[]r{{payments.ReportOpen, 0, 0}, {payments.ReportProcessing, 0, 0}}, summary{payments.Authorizing, 0, 0, 0, 0, 0}, false},
		"SuccessAfterDecline": {
			[]r{{payments.ReportDeclined, 0, 0}, {payments.ReportAuthorized, 0, 1000}}, summary{payments.Authorized, 1000, 0, 1000, 0, 0}, true,
		},
		"VoidedIsFinal": {
			[]r{{payments.ReportAuthorized, 0, 1000}, {payments.ReportCanceled, 0, 0}, {payments.ReportClosed, 1000, 0}},
			summary{payments.Voided, 1000, 0, 0, 0, 0},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop().start(t)
			var reports []payments.Report
			for _, one := range tc.reports {
				reports = append(reports, s.report(one.state, one.captured, one.capturable))
			}
			p := s.notify(t, reports...)
			if diff := cmp.Diff(tc.want, summarize(p)); diff != "" || p.Reverse != tc.reverse {
				t.Errorf("reverse is %t (-want +got):\n%s", p.Reverse, diff)
			}
			if p.Status != payments.Authorizing && p.Pending != nil {
				t.Errorf("%s has %+v pending", p.Status, p.Pending)
			}
		})
	}
}

// The reports of one payment's life in any order, each any number of times, lead to the same payment.
func TestLateReportsChangeNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := newShop().start(t)
		part := rapid.Int64Range(1, 999).Draw(rt, "part")
		life := []payments.Report{
			s.report(payments.ReportOpen, 0, 0), s.report(payments.ReportProcessing, 0, 0), s.report(payments.ReportAuthorized, 0, 1000),
			s.report(payments.ReportAuthorized, part, 1000-part), s.report(payments.ReportClosed, 1000, 0),
		}
		arrivals := rapid.Permutation(append(life, life...)).Draw(rt, "arrivals")
		p := s.notify(t, arrivals...)
		if diff := cmp.Diff(summary{payments.Captured, 1000, 1000, 0, 1000, 0}, summarize(p)); diff != "" {
			rt.Errorf("(-want +got):\n%s", diff)
		}
		o := payments.Order{Total: p.Amount, State: payments.OrderPaid}
		if detail := payments.Unbalanced(o, []payments.Payment{p}, p.UpdatedAt.Time); detail != "" {
			rt.Errorf("unbalanced: %s", detail)
		}
	})
}

// Every change that reports can make is in the state machine.
func TestStatesThatFollow(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		from, to payments.Status
		want     bool
	}{
		{payments.Authorizing, payments.Unknown, true},
		{payments.Unknown, payments.Authorizing, false},
		{payments.Unknown, payments.Captured, true},
		{payments.Captured, payments.Authorized, false},
		{payments.Captured, payments.Voided, false},
		{payments.Authorized, payments.Declined, false},
		{payments.Voided, payments.Captured, false},
		{payments.Refunded, payments.Captured, true},
		{payments.Declined, payments.Declined, true},
	} {
		if got := payments.Legal(tc.from, tc.to); got != tc.want {
			t.Errorf("%s to %s: got %t, want %t", tc.from, tc.to, got, tc.want)
		}
	}
}

func TestOperationsByState(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		p                     payments.Payment
		capture, void, refund bool
	}{
		"Authorizing":       {payments.Payment{Status: payments.Authorizing}, false, false, false},
		"Authorized":        {payments.Payment{Status: payments.Authorized, Capturable: 1}, true, true, false},
		"PartiallyCaptured": {payments.Payment{Status: payments.PartiallyCaptured, Capturable: 1}, true, false, true},
		"Captured":          {payments.Payment{Status: payments.Captured}, false, false, true},
		"Refunded":          {payments.Payment{Status: payments.Refunded}, false, false, false},
		"RefundedInPart":    {payments.Payment{Status: payments.PartiallyRefunded}, false, false, true},
		"Voided":            {payments.Payment{Status: payments.Voided}, false, false, false},
		"Declined":          {payments.Payment{Status: payments.Declined}, false, false, false},
	} {
		got := []bool{tc.p.Allows(payments.OpCapture), tc.p.Allows(payments.OpVoid), tc.p.Allows(payments.OpRefund)}
		if diff := cmp.Diff([]bool{tc.capture, tc.void, tc.refund}, got); diff != "" {
			t.Errorf("%s: capture, void, refund (-want +got):\n%s", name, diff)
		}
	}
}

// Customers do not learn that a card was reported as lost, stolen or fraudulent.
func TestCodesThatCustomersDoNotSee(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"stolen_card": "generic_decline", "lost_card": "generic_decline", "fraudulent": "generic_decline",
		"pickup_card": "generic_decline", "merchant_blacklist": "generic_decline", "insufficient_funds": "insufficient_funds",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			s := newShop().start(t)
			r := s.report(payments.ReportDeclined, 0, 0)
			r.Code = code
			if p := s.notify(t, r); p.DeclineCode != want {
				t.Errorf("the payment has %s, want %s", p.DeclineCode, want)
			}
			events, err := s.store.Events(t.Context(), s.payment.OrderID)
			if err != nil {
				t.Fatal(err)
			}
			var data struct{ Code string }
			for _, e := range events {
				if e.Type == payments.EventDeclined {
					if err := e.Decode(&data); err != nil {
						t.Fatal(err)
					}
				}
			}
			if data.Code != want {
				t.Errorf("the event has %q, want %s", data.Code, want)
			}
		})
	}
}

// The rows of the table are what is legal.
func TestTransitionsAreLegal(t *testing.T) {
	t.Parallel()
	states := []payments.Status{
		payments.Authorizing, payments.Unknown, payments.Declined, payments.Authorized, payments.PartiallyCaptured,
		payments.Captured, payments.Voided, payments.PartiallyRefunded, payments.Refunded,
	}
	for _, from := range states {
		for _, to := range states {
			row := slices.Contains(payments.Transitions(), payments.Transition{From: from, To: to})
			if from != to && row != payments.Legal(from, to) {
				t.Errorf("%s to %s: in the table %t, legal %t", from, to, row, payments.Legal(from, to))
			}
		}
	}
}

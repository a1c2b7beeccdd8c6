package payments_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
)

// happened returns the events of the payment's order, with their amounts: "payment.captured 1000".
func (s *shop) happened(t *testing.T) []string {
	t.Helper()
	events, err := s.store.Events(t.Context(), s.payment.OrderID)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range events[1:] { // the first one is of its creation
		var data struct {
			Amount struct {
				Minor int64 `json:"amount_minor"`
			}
		}
		if err := e.Decode(&data); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(e.Type, " ", data.Amount.Minor))
	}
	slices.Sort(all)
	return all
}

// Each event is published once, and only for what happened.
func TestEventsOfReports(t *testing.T) {
	t.Parallel()
	type r struct {
		state                payments.ReportState
		captured, capturable int64
	}
	for name, tc := range map[string]struct {
		reports []r
		want    []string
	}{
		"Authorized":      {[]r{{payments.ReportAuthorized, 0, 1000}}, []string{"payment.authorized 1000"}},
		"AuthorizedTwice": {[]r{{payments.ReportAuthorized, 0, 1000}, {payments.ReportAuthorized, 0, 1000}}, []string{"payment.authorized 1000"}},
		"CapturedAtOnce":  {[]r{{payments.ReportClosed, 1000, 0}}, []string{"payment.captured 1000"}},
		"CapturedInParts": {
			[]r{{payments.ReportAuthorized, 0, 1000}, {payments.ReportAuthorized, 300, 700}, {payments.ReportClosed, 1000, 0}},
			[]string{"payment.authorized 1000", "payment.captured 300", "payment.captured 700"},
		},
		"RestReleased": {[]r{{payments.ReportAuthorized, 300, 700}, {payments.ReportClosed, 300, 0}}, []string{"payment.captured 300"}},
		"HoldEnds":     {[]r{{payments.ReportAuthorized, 0, 1000}, {payments.ReportCanceled, 0, 0}}, []string{"payment.authorized 1000", "payment.voided 1000"}},
		"Open":         {[]r{{payments.ReportOpen, 0, 0}, {payments.ReportProcessing, 0, 0}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop().start(t)
			for _, one := range tc.reports {
				s.notify(t, s.report(one.state, one.captured, one.capturable))
			}
			if diff := cmp.Diff(tc.want, s.happened(t)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A pending operation ends when the report shows what came of it, and not before.
func TestReportEndsTheOperation(t *testing.T) {
	t.Parallel()
	const number = 7
	for name, tc := range map[string]struct {
		operation    payments.Operation
		taken, asked int64 // in minor units
		state        payments.ReportState
		captured     int64
		pending      bool
		refused      []int64
	}{
		"CaptureNotYet":         {payments.OpCapture, 200, 400, payments.ReportAuthorized, 500, true, nil},
		"CaptureDone":           {payments.OpCapture, 200, 400, payments.ReportAuthorized, 600, false, nil},
		"CaptureDoneWithMore":   {payments.OpCapture, 200, 400, payments.ReportAuthorized, 700, false, nil},
		"CaptureDoneAtTheEnd":   {payments.OpCapture, 200, 400, payments.ReportClosed, 600, false, nil},
		"CaptureTooLate":        {payments.OpCapture, 200, 400, payments.ReportClosed, 500, false, []int64{number}},
		"VoidNotYet":            {payments.OpVoid, 200, 800, payments.ReportAuthorized, 200, true, nil},
		"VoidDone":              {payments.OpVoid, 200, 800, payments.ReportClosed, 200, false, nil},
		"VoidTooLate":           {payments.OpVoid, 200, 800, payments.ReportClosed, 1000, false, []int64{number}},
		"VoidOfTheWholeDone":    {payments.OpVoid, 0, 1000, payments.ReportCanceled, 0, false, nil},
		"CaptureOfAnEndedHold":  {payments.OpCapture, 0, 1000, payments.ReportCanceled, 0, false, []int64{number}},
		"RefundIsAnotherReport": {payments.OpRefund, 200, 100, payments.ReportAuthorized, 200, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			p := &s.payment
			p.Status, p.Authorized, p.Captured, p.Capturable, p.Refundable = payments.Authorized, p.Amount, paymentstest.EUR(tc.taken), 1000-tc.taken, tc.taken
			if tc.taken > 0 {
				p.Status = payments.PartiallyCaptured
			}
			p.Pending = &payments.Attempt{Operation: tc.operation, Amount: paymentstest.EUR(tc.asked), Base: tc.taken, Number: number, Sequence: 2}
			s.start(t)
			rest := 1000 - tc.captured
			if tc.state != payments.ReportAuthorized {
				rest = 0
			}
			got := s.notify(t, s.report(tc.state, tc.captured, rest))
			if pending := got.Pending != nil; pending != tc.pending {
				t.Errorf("pending is %+v, want %t", got.Pending, tc.pending)
			}
			if diff := cmp.Diff(tc.refused, got.Refused); diff != "" {
				t.Errorf("the operations that were not carried out (-want +got):\n%s", diff)
			}
		})
	}
}

// Failures are counted until something happens.
func TestReportsEndFailures(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.payment.Failures = 3
	s.start(t)
	if p := s.notify(t, s.report(payments.ReportOpen, 0, 0)); p.Failures != 3 {
		t.Errorf("after a report without news there are %d failures, want 3", p.Failures)
	}
	if p := s.notify(t, s.report(payments.ReportAuthorized, 0, 1000)); p.Failures != 0 {
		t.Errorf("after an authorisation there are %d failures, want 0", p.Failures)
	}
}

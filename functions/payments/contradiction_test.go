package payments_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
	"github.com/tienda-dev/tienda/shared/logging"
)

// hear delivers a notification and returns the lines at ERROR that it left, by their rules.
func (s *shop) hear(t *testing.T, id string, r payments.Report) ([]string, error) {
	t.Helper()
	core, logs := observer.New(zap.ErrorLevel)
	err := s.service.Notify(logging.With(t.Context(), zap.New(core)), payments.Notification{Provider: "stripe", ID: id, Report: &r})
	var rules []string
	for _, line := range logs.All() {
		fields := line.ContextMap()
		if fields["payment_id"] != s.payment.ID || len(fields) != 2 {
			t.Errorf("the line has %v", fields)
		}
		rule, _ := fields["rule"].(string)
		rules = append(rules, rule)
	}
	return rules, err
}

// A contradiction is logged, and its notification is done with: a repetition could not mend it.
func TestContradictionsAreNotBelieved(t *testing.T) {
	t.Parallel()
	refund := payments.Refund{ID: paymentstest.NewID(), Status: payments.RefundPending, Amount: paymentstest.EUR(300), Ref: "re_1"}
	refunds := func(r *payments.Report, change func(*payments.RefundReport)) {
		one := payments.RefundReport{ID: refund.ID, Ref: refund.Ref, Status: payments.RefundSucceeded, Amount: 300}
		change(&one)
		*r = payments.Report{PaymentID: r.PaymentID, Ref: r.Ref, Currency: r.Currency, Refunds: []payments.RefundReport{one}}
	}
	for name, tc := range map[string]struct {
		change func(*payments.Report)
		rule   string
	}{
		"OtherAmount":    {func(r *payments.Report) { r.Amount = 999 }, "amount"},
		"NegativeAmount": {func(r *payments.Report) { r.Amount = -1000 }, "amount"},
		"OtherCurrency":  {func(r *payments.Report) { r.Currency = "USD" }, "currency"},
		"OtherRef":       {func(r *payments.Report) { r.Ref = "pi_2" }, "reference"},
		"NoRef":          {func(r *payments.Report) { r.Ref = "" }, "reference"},
		"TooMuch":        {func(r *payments.Report) { r.Captured = 1001 }, "captured_and_capturable"},
		"TooMuchLeft":    {func(r *payments.Report) { r.Captured, r.Capturable = 600, 600 }, "captured_and_capturable"},
		"Negative":       {func(r *payments.Report) { r.Captured = -1 }, "captured_and_capturable"},
		"NegativeLeft":   {func(r *payments.Report) { r.Capturable = -5 }, "captured_and_capturable"},
		"GreatestLeft":   {func(r *payments.Report) { r.Captured, r.Capturable = 0, math.MaxInt64 }, "captured_and_capturable"},
		"BothGreatest":   {func(r *payments.Report) { r.Captured, r.Capturable = math.MaxInt64, math.MaxInt64 }, "captured_and_capturable"},
		"SumOverflows":   {func(r *payments.Report) { r.Captured, r.Capturable = 1, math.MaxInt64 }, "captured_and_capturable"},
		"LeastLeft":      {func(r *payments.Report) { r.Captured, r.Capturable = 1000, math.MinInt64 }, "captured_and_capturable"},
		"RefundOfOther": {func(r *payments.Report) {
			refunds(r, func(*payments.RefundReport) {})
			r.Ref = "pi_2"
		}, "reference"},
		"OtherRefund":       {func(r *payments.Report) { refunds(r, func(f *payments.RefundReport) { f.Ref = "re_2" }) }, "refund_reference"},
		"OtherRefundAmount": {func(r *payments.Report) { refunds(r, func(f *payments.RefundReport) { f.Amount = -300 }) }, "refund_amount"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			s.payment.Refunds = []payments.Refund{refund}
			s.start(t)
			before := s.notify(t)
			r := s.report(payments.ReportClosed, 1000, 0)
			tc.change(&r)
			rules, err := s.hear(t, "evt_1", r)
			if err != nil || len(rules) != 1 || rules[0] != tc.rule {
				t.Errorf("the rules %q are broken, %v; want %s", rules, err, tc.rule)
			}
			if rules, err := s.hear(t, "evt_1", r); err != nil || len(rules) != 0 {
				t.Errorf("the repetition: %q, %v", rules, err)
			}
			if p := s.notify(t); p.Status != payments.Authorizing || p.Version != before.Version {
				t.Errorf("the payment is %+v", p)
			}
		})
	}
}

// unwritten is a store that reads and does not write.
type unwritten struct{ payments.Store }

var errStore = errors.New("the store is away")

func (unwritten) Apply(context.Context, payments.Change) error { return errStore }

// The provider repeats a contradiction that could not be recorded.
func TestContradictionIsRepeatedWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	s := newShop().start(t)
	s.service = payments.NewService(unwritten{s.store}, silent{}, func() time.Time { return paymentstest.Time(60).Time })
	r := s.report(payments.ReportClosed, 1001, 0)
	if _, err := s.hear(t, "evt_1", r); !errors.Is(err, errStore) {
		t.Errorf("got %v, want %v", err, errStore)
	}
}

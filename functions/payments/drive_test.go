package payments_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
	"github.com/tienda-dev/tienda/shared/money"
)

// scripted is a provider that gives prepared answers and notes what it was asked, with the keys but without the
// payment's id.
type scripted struct {
	payments.Provider

	found, sent payments.Report
	err         error
	asked       []string
}

func (s *scripted) note(key string, p payments.Payment) {
	s.asked = append(s.asked, strings.TrimPrefix(key, p.ID+":"))
}

func (s *scripted) Create(_ context.Context, key string, p payments.Payment) (string, error) {
	s.note(key, p)
	return ref, nil
}

func (s *scripted) Lookup(context.Context, payments.Payment) (payments.Report, error) {
	s.asked = append(s.asked, "look up")
	return s.found, s.err
}

func (s *scripted) Confirm(_ context.Context, key string, p payments.Payment) (payments.Report, error) {
	s.note(key, p)
	return s.sent, nil
}

func (s *scripted) Capture(_ context.Context, key string, p payments.Payment, _ money.Money, final bool) (payments.Report, error) {
	if final {
		key += " final"
	}
	s.note(key, p)
	return s.sent, nil
}

func (s *scripted) Cancel(_ context.Context, key string, p payments.Payment) (payments.Report, error) {
	s.note(key, p)
	return s.sent, nil
}

// What was sent before is looked up first, and sent again only when the provider says that it has not happened: with the
// same key while a request with it may be on its way.
func TestEarlierOperationIsLookedUp(t *testing.T) {
	t.Parallel()
	type report struct {
		state                payments.ReportState
		captured, capturable int64
	}
	var (
		open       = report{payments.ReportOpen, 0, 0}
		processing = report{payments.ReportProcessing, 0, 0}
		authorized = report{payments.ReportAuthorized, 0, 1000}
		captured   = report{payments.ReportClosed, 1000, 0}
		canceled   = report{payments.ReportCanceled, 0, 0}
	)
	const minute = 60_000 // milliseconds
	now := paymentstest.Time(60).UnixMilli()
	capturing := func(p *payments.Payment) {
		p.Status, p.Authorized, p.Capturable, p.Sequence = payments.Authorized, p.Amount, 1000, 2
		p.Pending = &payments.Attempt{Operation: payments.OpCapture, Amount: p.Amount, Number: 2, Sequence: 2, Tries: 5, FirstAt: now - minute}
	}
	for name, tc := range map[string]struct {
		change      func(*payments.Payment)
		found, sent report
		err         error
		asked       []string
		status      payments.Status
		tries       int64 // of what is pending; 0 is nothing
		events      []string
	}{
		"NotHappened": {nil, open, authorized, nil, []string{"look up", "authorize:1"}, payments.Authorized, 0, []string{"payment.authorized 1000"}},
		"Happened":    {nil, authorized, open, nil, []string{"look up"}, payments.Authorized, 0, []string{"payment.authorized 1000"}},
		"Declined":    {nil, report{payments.ReportDeclined, 0, 0}, open, nil, []string{"look up"}, payments.Declined, 0, []string{"payment.declined 0"}},
		"Undecided":   {nil, processing, open, nil, []string{"look up"}, payments.Unknown, 1, []string{"payment.unknown 0"}},
		"NoAnswer":    {nil, report{}, open, errors.New("no answer"), []string{"look up"}, payments.Unknown, 1, []string{"payment.unknown 0"}},
		"Unannounced": {
			func(p *payments.Payment) { p.Ref = "" }, open, authorized, nil,
			[]string{"create:1", "authorize:1"},
			payments.Authorized, 0,
			[]string{"payment.authorized 1000"},
		},
		"SentAndUndecided": {nil, open, processing, nil, []string{"look up", "authorize:1"}, payments.Unknown, 2, []string{"payment.unknown 0"}},
		"KeyIsYoung": {
			func(p *payments.Payment) { p.Pending.FirstAt = now - 23*60*minute }, open, authorized, nil,
			[]string{"look up", "authorize:1"},
			payments.Authorized, 0,
			[]string{"payment.authorized 1000"},
		},
		"KeyIsOld": {
			func(p *payments.Payment) { p.Pending.FirstAt = now - 23*60*minute - 1 }, open, authorized, nil,
			[]string{"look up", "authorize:2"},
			payments.Authorized, 0,
			[]string{"payment.authorized 1000"},
		},
		"TriedFourTimes": {
			func(p *payments.Payment) { p.Pending.Tries = 4 }, open, authorized, nil,
			[]string{"look up", "authorize:1"},
			payments.Authorized, 0,
			[]string{"payment.authorized 1000"},
		},
		"TriedFiveTimes": {
			func(p *payments.Payment) { p.Pending.Tries = 5 }, open, canceled, nil,
			[]string{"look up", "cancel:1"},
			payments.Declined, 0,
			[]string{"payment.declined 0"},
		},
		"CaptureNotHappened": {capturing, authorized, captured, nil, []string{"look up", "capture:2 final"}, payments.Captured, 0, []string{"payment.captured 1000"}},
		"PartNotCaptured": {
			func(p *payments.Payment) { capturing(p); p.Pending.Amount = paymentstest.EUR(999) }, authorized,
			report{payments.ReportAuthorized, 999, 1},
			nil,
			[]string{"look up", "capture:2"},
			payments.PartiallyCaptured, 0,
			[]string{"payment.captured 999"},
		},
		"CaptureHappened": {capturing, captured, open, nil, []string{"look up"}, payments.Captured, 0, []string{"payment.captured 1000"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			if tc.change != nil {
				tc.change(&s.payment)
			}
			s.start(t)
			provider := &scripted{err: tc.err}
			provider.found = s.report(tc.found.state, tc.found.captured, tc.found.capturable)
			provider.sent = s.report(tc.sent.state, tc.sent.captured, tc.sent.capturable)
			service := payments.NewService(s.store, provider, func() time.Time { return paymentstest.Time(60).Time })
			if err := service.Reconcile(t.Context()); err != nil {
				t.Fatal(err)
			}
			p, err := s.store.Get(t.Context(), s.payment.ID)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(provider.asked, tc.asked) {
				t.Errorf("the provider was asked %q, want %q", provider.asked, tc.asked)
			}
			var tries int64
			if p.Pending != nil {
				tries = p.Pending.Tries
			}
			if p.Status != tc.status || tries != tc.tries {
				t.Errorf("it is %s, with %+v pending", p.Status, p.Pending)
			}
			if diff := cmp.Diff(tc.events, s.happened(t)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

package payments_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
)

// scripted is a provider that gives prepared answers and notes what it was asked.
type scripted struct {
	payments.Provider

	found payments.Report
	err   error
	asked []string
}

func (s *scripted) Lookup(context.Context, payments.Payment) (payments.Report, error) {
	s.asked = append(s.asked, "look up")
	return s.found, s.err
}

func (s *scripted) Confirm(context.Context, string, payments.Payment) (payments.Report, error) {
	s.asked = append(s.asked, "confirm")
	confirmed := s.found
	confirmed.State, confirmed.Capturable = payments.ReportAuthorized, confirmed.Amount
	return confirmed, nil
}

// An authorisation that was sent before is sent again only when the provider says that it has not happened.
func TestEarlierAuthorisationIsLookedUp(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		state      payments.ReportState
		capturable int64
		err        error
		asked      []string
		status     payments.Status
		pending    bool
		events     []string
	}{
		"NotYetSent": {payments.ReportOpen, 0, nil, []string{"look up", "confirm"}, payments.Authorized, false, []string{"payment.authorized 1000"}},
		"Happened":   {payments.ReportAuthorized, 1000, nil, []string{"look up"}, payments.Authorized, false, []string{"payment.authorized 1000"}},
		"Declined":   {payments.ReportDeclined, 0, nil, []string{"look up"}, payments.Declined, false, []string{"payment.declined 0"}},
		"Undecided":  {payments.ReportProcessing, 0, nil, []string{"look up"}, payments.Unknown, true, []string{"payment.unknown 0"}},
		"NoAnswer":   {0, 0, errors.New("no answer"), []string{"look up"}, payments.Unknown, true, []string{"payment.unknown 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop().start(t)
			provider := &scripted{found: s.report(tc.state, 0, tc.capturable), err: tc.err}
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
			if p.Status != tc.status || (p.Pending != nil) != tc.pending {
				t.Errorf("it is %s, with %+v pending", p.Status, p.Pending)
			}
			if diff := cmp.Diff(tc.events, s.happened(t)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

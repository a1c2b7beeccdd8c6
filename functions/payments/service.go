package payments

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
)

const (
	// lease is how long a request has its payment to itself: longer than a function runs.
	lease = 30 * time.Second
	// keyLife is how long a provider certainly remembers a key, and no request is on its way for so long.
	keyLife = 23 * time.Hour
	// maxTries is how often an authorisation is sent before it is given up.
	maxTries = 5
	// holdLife is how long a provider holds authorised money.
	holdLife = 7 * 24 * time.Hour
	// longestUnknown is the longest time between two looks at an operation whose outcome is unknown.
	longestUnknown = 5 * time.Minute
	// attempts is how often a change is made anew while others change the payment too.
	attempts = 5
	// maxRefused is how many refused operations a payment remembers: those that a client may still repeat with their keys.
	maxRefused = 100
	// providerName is the provider in the data of events.
	providerName = "stripe"
)

// Service takes and returns money. It is safe for concurrent use.
type Service struct {
	store    Store
	provider Provider
	now      func() time.Time
}

// NewService returns a Service; now is the clock. It panics when one of them is nil.
func NewService(store Store, provider Provider, now func() time.Time) *Service {
	if store == nil || provider == nil || now == nil {
		panic("payments: NewService needs a store, a provider and a clock")
	}
	return &Service{store: store, provider: provider, now: clock.Wall(now)}
}

// eventData is the data of every event of a payment. Amounts are there where the type says so.
type eventData struct {
	OrderID   string       `json:"order_id"`
	PaymentID string       `json:"payment_id"`
	Provider  string       `json:"provider"`
	Version   int64        `json:"version"`
	Amount    *money.Money `json:"amount,omitempty"`
	Captured  *money.Money `json:"captured,omitempty"`
	Refunded  *money.Money `json:"refunded,omitempty"`
	Code      string       `json:"code,omitempty"`
	RefundID  string       `json:"refund_id,omitempty"`
}

// event makes the event of a fact. p is the payment after the change.
func (p Payment) event(f fact, now time.Time) (outbox.Event, error) {
	data := eventData{OrderID: p.OrderID, PaymentID: p.ID, Provider: providerName, Version: p.Version, RefundID: f.refund}
	amount := money.Money{AmountMinor: f.amount, Currency: p.Amount.Currency}
	switch f.typ {
	case EventCreated, EventAuthorized, EventVoided:
		data.Amount = &amount
	case EventCaptured:
		data.Amount, data.Captured = &amount, &p.Captured
	case EventRefunded, EventRefundFailed:
		data.Amount, data.Refunded = &amount, &p.Refunded
	case EventDeclined:
		data.Code = p.DeclineCode
	}
	return outbox.New(now, f.typ, p.OrderID, data)
}

// commit stores after as the next version of before, with the events of the facts. c has what else belongs to the
// transaction.
func (s *Service) commit(ctx context.Context, before, after Payment, facts []fact, c Change) (Payment, error) {
	now := s.now()
	after.Version, after.UpdatedAt = before.Version+1, api.NewTime(now)
	if after.Pending == nil {
		after.NextAt = after.due(now)
	}
	if err := after.check(before); err != nil {
		return before, err
	}
	c.Before, c.After, c.At = before, after, now
	for _, f := range facts {
		e, err := after.event(f, now)
		if err != nil {
			return before, err
		}
		c.Events = append(c.Events, e)
	}
	if err := s.store.Apply(ctx, c); err != nil {
		return before, err
	}
	return after, nil
}

// check holds the rules that no change may break, whatever the provider says.
func (p Payment) check(before Payment) error {
	authorized, captured, refunded := p.Authorized.AmountMinor, p.Captured.AmountMinor, p.Refunded.AmountMinor
	switch {
	case !Legal(before.Status, p.Status):
		return fmt.Errorf("change a payment: %s cannot become %s: %w", before.Status, p.Status, contradicts(ruleState))
	case captured > authorized, p.Capturable > authorized-captured, p.Capturable < 0, captured < before.Captured.AmountMinor:
		return fmt.Errorf("change a payment: more is captured than authorised: %w", contradicts(ruleCaptured))
	case refunded < 0, p.Refundable < 0, refunded+p.Refundable > captured:
		return fmt.Errorf("change a payment: more is refunded than captured: %w", contradicts(ruleRefunded))
	default:
		return nil
	}
}

// due is when Reconcile must look at a payment that has no pending operation.
func (p Payment) due(now time.Time) api.Time {
	const refundCheck, holdCheck = time.Hour, 24 * time.Hour
	if _, ok := p.wanted(); ok {
		return api.NewTime(now.Add(delay(max(p.Failures, returnsApart*p.failedReturns()))))
	}
	if p.stuck() != nil && p.Failures < maxReports {
		return api.NewTime(now.Add(delay(p.Failures)))
	}
	look := func(usual time.Duration) api.Time {
		if p.Failures > 0 { // the last one failed
			usual = min(usual, delay(p.Failures+1))
		}
		return api.NewTime(now.Add(usual))
	}
	for _, r := range p.Refunds {
		if r.Status == RefundPending {
			return look(refundCheck)
		}
	}
	if p.Capturable > 0 {
		if ends := p.CreatedAt.Add(holdLife); ends.After(now) {
			return ends
		}
		return look(holdCheck)
	}
	return api.Time{}
}

// delay spaces out calls that fail: at once, then longer and longer.
func delay(failures int64) time.Duration {
	const base, longest = 15 * time.Second, 6 * time.Hour
	if failures <= 1 {
		return 0
	}
	const steps = 12
	return min(base<<min(failures-2, steps), longest)
}

// record applies a report to the payment and stores the result, also when others change the payment at the same time.
func (s *Service) record(ctx context.Context, p Payment, in Report) (Payment, error) {
	for range attempts {
		after, facts, err := p.apply(in, s.now())
		if err != nil {
			return p, err
		}
		if reflect.DeepEqual(after, p.Clone()) {
			return p, nil
		}
		stored, err := s.commit(ctx, p, after, facts, Change{})
		if !errors.Is(err, ErrStale) {
			return stored, err
		}
		if p, err = s.store.Get(ctx, p.ID); err != nil {
			return p, err
		}
	}
	return p, ErrStale
}

// answer stores the answer of the request that begun belongs to.
func (s *Service) answer(ctx context.Context, begun idempotency.Record, a idempotency.Answer, err error) error {
	if err != nil || begun.IsZero() {
		return err
	}
	return s.store.Complete(ctx, begun, a)
}

func newID(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
}

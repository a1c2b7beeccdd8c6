package payments

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
)

const (
	// sweepLimit is the most payments that one sweep looks at.
	sweepLimit = 100
	// reversal is the reason of a refund that nobody asked for by a request.
	reversal = "The order was not carried out."
	// maxSteps is how many operations one look at a payment carries out.
	maxSteps = 4
)

// Reconcile asks the provider about every payment whose outcome is unknown or whose time has come, and carries on what
// is due: captures of shipped goods, and money that must go back. A payment that fails does not hold the others up; their
// errors are returned together.
func (s *Service) Reconcile(ctx context.Context) error {
	due, err := s.store.Due(ctx, s.now(), sweepLimit)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range due {
		if ctx.Err() != nil {
			break // the next sweep begins with the rest
		}
		if err := s.reconcile(ctx, id); err != nil {
			failed = append(failed, fmt.Errorf("reconcile payment %s: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) reconcile(ctx context.Context, id string) error {
	err := unlessStale(s.carryOn(ctx, id))
	if err == nil {
		return nil
	}
	return errors.Join(err, s.putOff(ctx, id))
}

// putOff gives a payment that could not be carried on a later time, so that it does not keep its place before the others.
func (s *Service) putOff(ctx context.Context, id string) error {
	p, err := s.store.Get(ctx, id)
	if err != nil || p.NextAt.IsZero() || p.NextAt.After(s.now()) {
		return err
	}
	p.Failures = max(p.Failures, 1) // one failure alone is tried again at once
	if p.Pending != nil {
		_, err = s.postpone(ctx, p, false)
		return err
	}
	after := p.Clone()
	after.Failures++
	_, err = s.commit(ctx, p, after, nil, Change{})
	return unlessStale(err)
}

func (s *Service) carryOn(ctx context.Context, id string) error {
	p, err := s.store.Get(ctx, id)
	if err != nil {
		return err
	}
	if p.NextAt.IsZero() || p.NextAt.After(s.now()) { // the index is a moment late
		return nil
	}
	if _, ok := p.wanted(); !ok && p.Pending == nil {
		if err := p.stuck(); err != nil && p.Failures < maxReports {
			return err
		}
		if p, err = s.look(ctx, p); err != nil || p.stuck() != nil {
			return err
		}
	}
	return s.work(ctx, p)
}

// look records the provider's state of a payment of which nothing is pending: a hold that may have ended, a refund that
// a bank has not decided yet.
func (s *Service) look(ctx context.Context, p Payment) (Payment, error) {
	in, err := s.provider.Lookup(ctx, p)
	if err != nil {
		return p, err
	}
	found, err := s.record(ctx, p, in)
	if err != nil || found.Version != p.Version {
		return found, err
	}
	after := p.Clone()
	if after.stuck() == nil {
		after.Failures = 0
	}
	return s.commit(ctx, p, after, nil, Change{}) // the time of the next look
}

// beginWanted carries out what an event asks for. Reconcile does the rest: what is pending already, and at its time what the
// provider has refused before.
func (s *Service) beginWanted(ctx context.Context, p Payment) error {
	if p.Pending != nil {
		return nil
	}
	if _, ok := p.wanted(); ok && p.NextAt.After(s.now()) {
		return errLater
	}
	return s.work(ctx, p)
}

// errLater keeps an event in its queue: if its money has not moved when its deliveries end, there is an alarm.
var errLater = errors.New("the provider refused it before, and the next attempt is later")

// work carries the pending operation on, and then what is wanted. It returns ErrUncharged or ErrUnreturned if a person must
// see to the payment.
func (s *Service) work(ctx context.Context, p Payment) error {
	var err error
	if p.Pending != nil {
		if p, err = s.drive(ctx, p, false); err != nil {
			return unlessStale(err)
		}
	}
	for range maxSteps {
		op, ok := p.wanted()
		if p.Pending != nil || (ok && p.NextAt.After(s.now())) {
			return nil
		}
		if !ok {
			return p.stuck()
		}
		if p, err = s.begin(ctx, p, s.wantedStep(p, op), Change{}); err != nil {
			return unlessStale(err)
		}
		if p, err = s.drive(ctx, p, true); err != nil {
			return unlessStale(err)
		}
	}
	return nil
}

// unlessStale drops the error of a payment that somebody else changes at the same time: they carry it on, or the next
// sweep does.
func unlessStale(err error) error {
	if errors.Is(err, ErrStale) {
		return nil
	}
	return err
}

func (s *Service) wantedStep(p Payment, op Operation) step {
	switch op {
	case OpRefund:
		return s.newRefund(p, money.Money{AmountMinor: p.Refundable, Currency: p.Amount.Currency}, reversal)
	case OpCapture:
		return step{op: OpCapture, amount: min(p.owed(), p.Capturable)}
	default:
		return step{op: OpVoid, amount: p.Capturable}
	}
}

// The events that Settle acts on.
const (
	eventOrderCancelled = "order.cancelled"
	eventOrderExpired   = "order.expired"
	eventPaymentRefused = "order.payment_refused"
	eventShipped        = "shipment.created"
)

// settleData is what Settle reads of an event.
type settleData struct {
	// PaymentID is the payment that an order refuses.
	PaymentID string `json:"payment_id"`
	// Amount is the price of what was shipped.
	Amount *money.Money `json:"amount"`
}

// Settle does what an event means for money. An order that is cancelled or expired, or that refuses a payment, gets its
// money back: what is held is voided and what was captured is refunded. What is shipped is captured where that is
// manual. The wish is stored first and carried on by Reconcile if the provider does not answer, so that a repeated event
// changes nothing. Other events are ignored.
func (s *Service) Settle(ctx context.Context, e outbox.Event) error {
	var data settleData
	switch e.Type {
	case eventOrderCancelled, eventOrderExpired, eventPaymentRefused, eventShipped:
		if err := e.Decode(&data); err != nil {
			return err
		}
	default:
		return nil
	}
	if e.Type == eventShipped {
		return s.settleShipment(ctx, e, data)
	}
	ids, err := s.store.OfOrder(ctx, e.Subject)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		if e.Type == eventPaymentRefused && data.PaymentID != "" && data.PaymentID != id {
			continue
		}
		if err := s.reverse(ctx, id); err != nil {
			failed = append(failed, fmt.Errorf("reverse payment %s: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

// reverse stores that all money of the payment must go back, and begins with it.
func (s *Service) reverse(ctx context.Context, id string) error {
	for range attempts {
		p, err := s.store.Get(ctx, id)
		if err != nil {
			return err
		}
		if p.Status == Declined {
			return nil
		}
		if !p.Reverse {
			after := p.Clone()
			after.Reverse = true
			if after.Pending != nil {
				after.NextAt = api.NewTime(s.now().Add(lease)) // the request that waits for it may be running
			}
			p, err = s.commit(ctx, p, after, nil, Change{})
			if errors.Is(err, ErrStale) {
				continue
			}
			if err != nil {
				return err
			}
		}
		return s.beginWanted(ctx, p)
	}
	return ErrStale
}

// settleShipment adds the price of a shipment to what is to be captured, once for each event.
func (s *Service) settleShipment(ctx context.Context, e outbox.Event, data settleData) error {
	if data.Amount == nil || data.Amount.AmountMinor < 0 {
		return errors.New("settle a shipment: the event has no amount")
	}
	order, err := s.store.Order(ctx, e.Subject)
	if err != nil || order.PaymentID == "" {
		return err
	}
	for range attempts {
		p, err := s.store.Get(ctx, order.PaymentID)
		if err != nil || p.Capture != Manual {
			return err
		}
		after := p.Clone()
		after.Shipped += data.Amount.AmountMinor
		p, err = s.commit(ctx, p, after, nil, consumed(e))
		switch {
		case errors.Is(err, ErrStale):
			continue
		case errors.Is(err, outbox.ErrConsumed):
		case err != nil:
			return err
		}
		return s.beginWanted(ctx, p)
	}
	return ErrStale
}

// Notify records what the provider reports. A repeated notification, one about a payment that is not ours, and one that
// contradicts the payment change nothing and are no errors: the provider would repeat them in vain. A contradiction is logged.
func (s *Service) Notify(ctx context.Context, n Notification) error {
	if n.Report == nil {
		return nil
	}
	id, ok := api.ULID(n.Report.PaymentID)
	if !ok {
		return nil
	}
	for range attempts {
		p, err := s.store.Get(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		err = s.notify(ctx, p, n)
		switch {
		case errors.Is(err, ErrDuplicate):
			return nil
		case !errors.Is(err, ErrStale):
			return err
		}
	}
	return ErrStale
}

func (s *Service) notify(ctx context.Context, p Payment, n Notification) error {
	after, facts, err := p.apply(*n.Report, s.now())
	if err != nil {
		return s.contradicted(ctx, p, n, err)
	}
	if reflect.DeepEqual(after, p.Clone()) {
		return s.store.Apply(ctx, Change{Before: p, After: p, Notification: &n, At: s.now()})
	}
	_, err = s.commit(ctx, p, after, facts, Change{Notification: &n})
	return s.contradicted(ctx, p, n, err)
}

package payments

import (
	"context"
	"errors"
	"fmt"

	"github.com/tienda-dev/tienda/shared/api"
)

// drive carries the pending operation on, until it has an outcome or the provider does not answer: then it stays
// pending, and that is not an error. fresh says that nothing was sent yet. It returns ErrRefused if the provider refused the
// operation, which is over by that.
func (s *Service) drive(ctx context.Context, p Payment, fresh bool) (Payment, error) {
	if !fresh {
		ask, err := s.ask(ctx, p)
		if err != nil || !ask.send {
			return ask.payment, err
		}
		p = ask.payment
	}
	if p.Pending.Operation == OpAuthorize && p.Ref == "" {
		announced, err := s.announce(ctx, p)
		if err != nil || announced.Pending == nil || announced.Ref == "" {
			return announced, err
		}
		p = announced
	}
	in, err := s.send(ctx, p)
	if err != nil {
		return s.failed(ctx, p, err)
	}
	return s.settled(ctx, p, in)
}

// settled records a report. An operation that is still pending after it is looked at again later.
func (s *Service) settled(ctx context.Context, p Payment, in Report) (Payment, error) {
	p, err := s.record(ctx, p, in)
	if err != nil || p.Pending == nil {
		return p, err
	}
	return s.postpone(ctx, p, false)
}

// next is what ask found.
type next struct {
	payment Payment
	// send says that the operation has not happened and is to be sent again.
	send bool
}

// ask looks up what came of an operation that was sent before, and prepares to send it again if nothing did.
func (s *Service) ask(ctx context.Context, p Payment) (next, error) {
	if p.Ref != "" {
		in, err := s.provider.Lookup(ctx, p)
		if err != nil {
			p, err = s.postpone(ctx, p, false)
			return next{payment: p}, err
		}
		sequence := p.Pending.Sequence
		if p, err = s.record(ctx, p, in); err != nil || p.Pending == nil || p.Pending.Sequence != sequence {
			return next{payment: p}, err
		}
		if in.State == ReportProcessing {
			p, err = s.postpone(ctx, p, false)
			return next{payment: p}, err
		}
	}
	if p.Pending.Operation == OpAuthorize {
		given, err := s.givenUp(ctx, p)
		if err != nil {
			return next{payment: p}, err
		}
		if given {
			p, err = s.abandon(ctx, p)
			return next{payment: p}, err
		}
	}
	p, err := s.again(ctx, p)
	return next{payment: p, send: err == nil && p.Pending != nil}, err
}

// again records that the operation is sent once more. It takes a new key only if no request with the old one can be on
// its way: the same key cannot move money twice, and a new one could.
func (s *Service) again(ctx context.Context, p Payment) (Payment, error) {
	now, after := s.now(), p.Clone()
	if after.Pending.Answered || now.UnixMilli()-after.Pending.FirstAt > keyLife.Milliseconds() {
		after.Sequence++
		after.Pending.Sequence, after.Pending.Answered, after.Pending.FirstAt = after.Sequence, false, now.UnixMilli()
	}
	after.Pending.Tries++
	after.NextAt = api.NewTime(now.Add(lease))
	return s.commit(ctx, p, after, nil, Change{})
}

// givenUp reports whether an authorisation is not to be sent again: the order no longer waits for it, or it has failed
// too often.
func (s *Service) givenUp(ctx context.Context, p Payment) (bool, error) {
	if p.Reverse || p.Pending.Tries >= maxTries {
		return true, nil
	}
	order, err := s.store.Order(ctx, p.OrderID)
	if err != nil {
		return false, err
	}
	late := !s.now().Before(order.ExpiresAt.Time)
	return order.State != OrderOpen || order.PaymentID != p.ID || late, nil
}

// abandon makes sure that the payment will never be authorised. Without a reference no confirmation was ever sent.
func (s *Service) abandon(ctx context.Context, p Payment) (Payment, error) {
	if p.Ref == "" {
		after := p.Clone()
		after.decline("abandoned")
		return s.commit(ctx, p, after, []fact{{typ: EventDeclined}}, Change{})
	}
	p, err := s.again(ctx, p)
	if err != nil {
		return p, err
	}
	in, err := s.provider.Cancel(ctx, p.key("cancel"), p)
	if err != nil { // a refusal says that the state is another by now: the next look-up shows it
		return s.postpone(ctx, p, errors.Is(err, ErrAnswered))
	}
	return s.settled(ctx, p, in)
}

// announce creates the payment at the provider and stores its reference, before anything can move money.
func (s *Service) announce(ctx context.Context, p Payment) (Payment, error) {
	ref, err := s.provider.Create(ctx, p.key("create"), p)
	if err != nil {
		return s.failed(ctx, p, err)
	}
	after := p.Clone()
	after.Ref = ref
	stored, err := s.commit(ctx, p, after, nil, Change{})
	if errors.Is(err, ErrStale) { // somebody else carries it on
		return s.store.Get(ctx, p.ID)
	}
	return stored, err
}

func (s *Service) send(ctx context.Context, p Payment) (Report, error) {
	pending := p.Pending
	key := p.key(string(pending.Operation))
	switch pending.Operation {
	case OpAuthorize:
		return s.provider.Confirm(ctx, key, p)
	case OpCapture:
		final := pending.Amount.AmountMinor >= p.Capturable
		return s.provider.Capture(ctx, key, p, pending.Amount, final)
	case OpVoid:
		return s.provider.Cancel(ctx, key, p)
	case OpRefund:
		refund, ok := p.Refund(pending.RefundID)
		if !ok {
			return Report{}, contradicts(ruleRefundUnknown)
		}
		return s.provider.Refund(ctx, key, p, refund)
	default:
		return Report{}, fmt.Errorf("payments: unknown operation %q", pending.Operation)
	}
}

// failed records that a request did not succeed.
func (s *Service) failed(ctx context.Context, p Payment, err error) (Payment, error) {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return s.refused(ctx, p, refused)
	}
	return s.postpone(ctx, p, errors.Is(err, ErrAnswered))
}

// postpone leaves the operation pending. An authorisation without an outcome is unknown by that.
func (s *Service) postpone(ctx context.Context, p Payment, answered bool) (Payment, error) {
	after := p.Clone()
	var facts []fact
	if after.Status == Authorizing {
		after.Status = Unknown
		facts = []fact{{typ: EventUnknown}}
	}
	after.Pending.Answered = after.Pending.Answered || answered
	after.Failures++
	after.NextAt = api.NewTime(s.now().Add(min(delay(after.Failures), longestUnknown)))
	stored, err := s.commit(ctx, p, after, facts, Change{})
	if errors.Is(err, ErrStale) { // a notification or another attempt was faster
		return s.store.Get(ctx, p.ID)
	}
	return stored, err
}

// refused ends an operation that the provider will not do. The provider may refuse because it has done it already, so
// it is asked first.
func (s *Service) refused(ctx context.Context, p Payment, refused *RefusedError) (Payment, error) {
	if p.Ref != "" {
		in, err := s.provider.Lookup(ctx, p)
		if err != nil || in.State == ReportProcessing {
			return s.postpone(ctx, p, false)
		}
		sequence := p.Pending.Sequence
		if p, err = s.record(ctx, p, in); err != nil || p.Pending == nil || p.Pending.Sequence != sequence {
			return p, err
		}
	}
	after := p.Clone()
	var facts []fact
	switch p.Pending.Operation {
	case OpAuthorize:
		after.decline(refused.Code)
		facts = []fact{{typ: EventDeclined}}
	case OpRefund:
		facts = after.failRefund(s.now())
	case OpCapture, OpVoid:
	}
	after.ends(p.Pending.Operation, false)
	after.Failures++
	stored, err := s.commit(ctx, p, after, facts, Change{})
	if errors.Is(err, ErrStale) {
		return s.store.Get(ctx, p.ID)
	}
	if err != nil || p.Pending.Operation == OpAuthorize {
		return stored, err
	}
	return stored, ErrRefused.WithCause(refused)
}

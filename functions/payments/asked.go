package payments

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

// asked is the operation of one request. The payment remembers whether it was refused, so that every repetition gets the
// same answer, whatever has happened to the payment since.
type asked struct {
	// number is Attempt.Number.
	number int64
	// refund is the id of the refund that the operation makes; empty for others.
	refund string
	// begun is the running record of the request.
	begun idempotency.Record
}

// pending reports whether the operation has no outcome yet.
func (a asked) pending(p Payment) bool { return p.Pending != nil && p.Pending.Number == a.number }

// point is where a repetition resumes.
func (a asked) point() string { return strconv.FormatInt(a.number, 10) + "#" + a.refund }

// askedAt reads a point.
func askedAt(point string) (asked, error) {
	number, refund, ok := strings.Cut(point, "#")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return asked{}, errors.New("resume an operation: the record has no number of one")
	}
	return asked{number: n, refund: refund}, nil
}

// request stores the attempt with the running record, and drives it.
func (s *Service) request(ctx context.Context, id string, decide func(Payment) (step, error)) (Payment, asked, error) {
	id, ok := api.ULID(id)
	if !ok {
		return Payment{}, asked{}, ErrNotFound
	}
	if found, ok := idempotency.PointFrom(ctx); ok {
		return s.resume(ctx, id, found.Point)
	}
	p, err := s.store.Get(ctx, id)
	if err != nil {
		return Payment{}, asked{}, err
	}
	if p.Pending != nil {
		return Payment{}, asked{}, ErrInProgress
	}
	next, err := decide(p)
	if err != nil {
		return Payment{}, asked{}, err
	}
	a := asked{number: p.Sequence + 1} // as begin counts
	if next.refund != nil {
		a.refund = next.refund.ID
	}
	if a.begun, err = idempotency.Begin(ctx, s.now(), lease, a.point()); err != nil {
		return Payment{}, a, err
	}
	if p, err = s.begin(ctx, p, next, Change{Record: a.begun}); err != nil {
		return Payment{}, a, err
	}
	p, err = s.drive(ctx, p, true)
	return s.outcome(ctx, p, a, err)
}

// resume carries on the operation of an earlier attempt, unless it has ended. Another one may be pending: that is left alone.
func (s *Service) resume(ctx context.Context, id, point string) (Payment, asked, error) {
	a, err := askedAt(point)
	if err != nil {
		return Payment{}, a, err
	}
	p, begun, err := s.takeOver(ctx, id, point)
	a.begun = begun
	if err == nil && a.pending(p) {
		p, err = s.drive(ctx, p, false)
	}
	return s.outcome(ctx, p, a, err)
}

// outcome returns ErrRefused for an operation that was refused, by whichever process carried it on, and stores that answer.
func (s *Service) outcome(ctx context.Context, p Payment, a asked, err error) (Payment, asked, error) {
	if err == nil && slices.Contains(p.Refused, a.number) {
		err = ErrRefused
	}
	if !errors.Is(err, ErrRefused) {
		return p, a, err
	}
	answer, refusalErr := idempotency.Refusal(ctx, ErrRefused)
	if failed := s.answer(ctx, a.begun, answer, refusalErr); failed != nil {
		return p, a, failed
	}
	return p, a, err
}

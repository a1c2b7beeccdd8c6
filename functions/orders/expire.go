package orders

import (
	"context"
	"errors"
	"fmt"

	"github.com/tienda-dev/tienda/shared/outbox"
)

// heldPage is how many reservations Expire and Invariants read at once.
const heldPage = 100

// Expire ends every order that nobody has paid in time and makes its stock available again. It returns how many it
// has ended. An order that fails does not keep it from the others; the errors are joined. It stops when ctx ends.
func (s *Service) Expire(ctx context.Context) (int, error) {
	var after []byte
	var errs []error
	expired := 0
	for {
		held, next, err := s.store.Held(ctx, s.now(), heldPage, after)
		if err != nil {
			return expired, errors.Join(append(errs, err)...)
		}
		for _, r := range held {
			if err := ctx.Err(); err != nil {
				return expired, errors.Join(append(errs, err)...)
			}
			done, err := s.expire(ctx, r.OrderID)
			if err != nil {
				errs = append(errs, fmt.Errorf("expire order %s: %w", r.OrderID, err))
			}
			if done {
				expired++
			}
		}
		if next == nil {
			return expired, errors.Join(errs...)
		}
		after = next
	}
}

// expire ends the order if it is overdue, and reports whether it was. The list that named the order may be old.
func (s *Service) expire(ctx context.Context, id string) (bool, error) {
	overdue := false
	err := s.retry(func() error {
		before, err := s.store.Get(ctx, id)
		if err != nil {
			return err
		}
		now := s.now()
		if overdue = before.Overdue(now); !overdue {
			return nil
		}
		after, row, err := before.apply(Expire, now)
		if err != nil {
			return err
		}
		event, err := after.event(row.Event, now, eventData{})
		if err != nil {
			return err
		}
		return s.store.Apply(ctx, Change{Before: before, After: after, Stock: row.Stock, Events: []outbox.Event{event}, At: now})
	})
	return overdue && err == nil, err
}

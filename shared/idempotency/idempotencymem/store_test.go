package idempotencymem_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencymem"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencytest"
)

func TestSuite(t *testing.T) {
	t.Parallel()
	idempotencytest.Run(t, func(*testing.T) idempotencytest.Store { return &counted{} })
}

// counted is a store in memory with an effect, as a resource has one for its tests.
type counted struct {
	idempotencymem.Store

	mu      sync.Mutex
	counter int
	lost    int
}

func (c *counted) LoseAnswers(n int) { c.lost = n }

func (c *counted) Counter(context.Context) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counter, nil
}

func (c *counted) Put(ctx context.Context, r idempotency.Record, effect int) error {
	return c.change(ctx, effect, func() error { return c.Check(r) }, func() error { return c.Store.Put(r) })
}

func (c *counted) Complete(ctx context.Context, begun idempotency.Record, a idempotency.Answer, effect int) error {
	return c.change(ctx, effect, func() error { return c.CheckComplete(begun) }, func() error { return c.Store.Complete(begun, a) })
}

func (c *counted) change(ctx context.Context, effect int, check, write func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := check(); errors.Is(err, idempotency.ErrDone) {
			return nil
		} else if err != nil {
			return err
		}
		if c.counter+effect > idempotencytest.Most {
			return idempotencytest.ErrEffect
		}
		if err := write(); err != nil {
			return err
		}
		c.counter += effect
		if c.lost == 0 {
			return nil
		}
		c.lost-- // and the caller repeats it
	}
}

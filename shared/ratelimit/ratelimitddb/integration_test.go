//go:build integration

package ratelimitddb_test

import (
	"context"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

// onTable returns limiters of the suite on one table.
func onTable(t *testing.T) ratelimittest.New {
	t.Helper()
	client, table := ddbtest.Client(t), ddbtest.HashTable(t)
	return func(t testing.TB, policies []ratelimit.Policy, now func() time.Time) ratelimit.Limiter {
		t.Helper()
		return open(t, client, table, now, policies...)
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	ratelimittest.Run(t, onTable(t))
}

// fleet sends each call to another one of several instances, so that most guesses are wrong.
type fleet struct {
	ratelimit.Limiter
	others []ratelimit.Limiter
	calls  int
}

func (f *fleet) next() ratelimit.Limiter {
	f.calls++
	return f.others[f.calls*f.calls/3%len(f.others)]
}

func (f *fleet) Take(ctx context.Context, s ratelimit.Subject, cost int64) (ratelimit.Decision, error) {
	return f.next().Take(ctx, s, cost)
}

func (f *fleet) Peek(ctx context.Context, s ratelimit.Subject) (ratelimit.Decision, error) {
	return f.next().Peek(ctx, s)
}

func (f *fleet) Refund(ctx context.Context, d ratelimit.Decision) error {
	return f.next().Refund(ctx, d)
}

func (f *fleet) Reset(ctx context.Context, s ratelimit.Subject) error { return f.next().Reset(ctx, s) }

// Memory is the oracle: one instance, and several that take turns, answer as it does.
func TestTracesAreThoseOfMemory(t *testing.T) {
	t.Parallel()
	memory := func(t testing.TB, policies []ratelimit.Policy, now func() time.Time) ratelimit.Limiter {
		t.Helper()
		l, err := ratelimitmem.New(policies, ratelimitmem.Config{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	one := onTable(t)
	several := func(t testing.TB, policies []ratelimit.Policy, now func() time.Time) ratelimit.Limiter {
		t.Helper()
		f := &fleet{Limiter: one(t, policies, now)}
		for range 3 {
			f.others = append(f.others, one(t, policies, now))
		}
		return f
	}
	t.Run("OneInstance", func(t *testing.T) {
		t.Parallel()
		ratelimittest.Trace(t, 500, memory, one)
	})
	t.Run("Fleet", func(t *testing.T) {
		t.Parallel()
		ratelimittest.Trace(t, 500, memory, several)
	})
}

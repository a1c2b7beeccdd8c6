package ratelimitmem_test

import (
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

func newLimiter(t testing.TB, policies []ratelimit.Policy, now func() time.Time) ratelimit.Limiter {
	t.Helper()
	l, err := ratelimitmem.New(policies, ratelimitmem.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	ratelimittest.Run(t, newLimiter)
}

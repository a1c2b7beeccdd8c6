package bench_test

import (
	"testing"

	"github.com/tienda-dev/tienda/tests/bench/comparison"
)

// maxChainAllocations is the most that one event through the whole chain may allocate, from its bytes to the response's:
// today's 89 and a small margin. The goal is 100.
const maxChainAllocations = 94

func TestAllocationsOfTheChain(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts those of the whole process
	c, err := comparison.NewChain(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Call(t.Context(), c.Handler); err != nil {
		t.Fatal(err)
	}
	allocations := testing.AllocsPerRun(100, func() { err = c.Call(t.Context(), c.Handler) })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%g allocations", allocations)
	if allocations > maxChainAllocations {
		t.Errorf("an event through the chain allocates %g times, at most %d are allowed", allocations, maxChainAllocations)
	}
}

// The whole chain beside aws-lambda-go's typed handler, which has none of it.
func BenchmarkChainBesideATypedHandler(b *testing.B) {
	c, err := comparison.NewChain(b.Context(), "../..")
	must(b, err)
	calls := 0
	middle(b, "x-typed", func() error { return c.Call(b.Context(), c.Typed) }, func() error {
		if calls++; calls%1000 == 0 {
			c.Flush(b.Context())
		}
		return c.Call(b.Context(), c.Handler)
	})
	b.ReportMetric(testing.AllocsPerRun(100, func() { _ = c.Call(b.Context(), c.Handler) }), "allocs-chain")
	b.ReportMetric(testing.AllocsPerRun(100, func() { _ = c.Call(b.Context(), c.Typed) }), "allocs-typed")
}

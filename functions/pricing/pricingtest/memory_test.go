package pricingtest_test

import (
	"testing"

	"github.com/tienda-dev/tienda/functions/pricing/pricingtest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	pricingtest.Run(t, func(*testing.T) pricingtest.Store { return pricingtest.NewMemory() })
}

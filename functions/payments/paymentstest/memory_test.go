package paymentstest_test

import (
	"testing"

	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	paymentstest.Run(t, func(*testing.T) paymentstest.Shop { return paymentstest.NewMemory() })
}

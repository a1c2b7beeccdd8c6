package orderstest_test

import (
	"testing"

	"github.com/tienda-dev/tienda/functions/orders/orderstest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	orderstest.Run(t, func(*testing.T) orderstest.Shop { return orderstest.NewMemory() })
}

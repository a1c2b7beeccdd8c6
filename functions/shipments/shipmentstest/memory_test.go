package shipmentstest_test

import (
	"testing"

	"github.com/tienda-dev/tienda/functions/shipments/shipmentstest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	shipmentstest.Run(t, func(*testing.T) shipmentstest.Store { return shipmentstest.NewMemory() })
}

package customerstest_test

import (
	"testing"

	"github.com/tienda-dev/tienda/functions/customers/customerstest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	customerstest.Run(t, func(*testing.T) customerstest.Store { return customerstest.NewMemory() })
}

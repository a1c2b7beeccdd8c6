package catalogtest_test

import (
	"testing"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	catalogtest.Run(t, func(*testing.T) catalog.Store { return catalogtest.NewMemory() })
}

package authtest_test

import (
	"testing"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authtest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	authtest.Run(t, func(*testing.T) auth.Store { return authtest.NewMemory() })
}

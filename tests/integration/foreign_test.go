//go:build integration

package integration_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tests/suite"
	"github.com/tienda-dev/tienda/tools/authroutes/table"
)

// TestForeignRoutesAreAll: the suite asks every route that has an id in its path and needs a caller for what belongs to
// somebody else. A class of rate limits belongs to nobody.
func TestForeignRoutesAreAll(t *testing.T) {
	t.Parallel()
	asked := suite.ForeignRoutes()
	known := map[string]bool{"create-order": true} // its quote is in the body
	for _, route := range table.Routes() {
		if !strings.Contains(route.Path, "{") || route.Auth == api.Public || strings.HasPrefix(route.Path, "/v1/limits/") {
			continue
		}
		known[route.Name] = true
		if !slices.Contains(asked, route.Name) {
			t.Errorf("%s %s has an id: add a request to foreignRoutes in tests/suite/foreign.go", route.Name, route.Path)
		}
	}
	for _, name := range asked {
		if !known[name] {
			t.Errorf("foreignRoutes in tests/suite/foreign.go asks %s, which is not a route with an id", name)
		}
	}
}

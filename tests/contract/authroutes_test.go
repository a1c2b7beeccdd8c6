package contract_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/tools/authroutes/table"
)

func TestAuthorizersTableIsGeneratedFromTheRoutes(t *testing.T) {
	t.Parallel()
	want, err := table.Source(routes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), read(t, table.File)); diff != "" {
		t.Errorf("%s: run `make generate`, and if that does not help, name the new resource in tools/authroutes/table (-want +got):\n%s", table.File, diff)
	}
}

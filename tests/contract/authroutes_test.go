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

func TestTableOfRoutesIsGenerated(t *testing.T) {
	t.Parallel()
	page := read(t, table.PageFile)
	want, err := table.Page(page, routes(), []byte(read(t, table.TemplateFile)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Errorf("%s: run `make generate` (-want +got):\n%s", table.PageFile, diff)
	}
}

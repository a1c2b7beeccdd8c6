package contract_test

import (
	"testing"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tests/contract"
	"github.com/tienda-dev/tienda/tools/dist"
)

func TestHashingNamesWrongReservations(t *testing.T) {
	t.Parallel()
	const m = contract.Module + "/"
	three, four := 3, 4
	tests := map[string]struct {
		imports    []string
		unset, set *int
		want       string
	}{
		"HashesAndReserves":   {imports: []string{m + "functions/a", m + "shared/password"}, set: &three},
		"Neither":             {imports: []string{m + "functions/a"}},
		"HashesOnly":          {imports: []string{m + "shared/password"}, want: "log-in hashes passwords: give it"},
		"HashesThroughWiring": {imports: []string{m + "internal/hashing"}, want: "log-in hashes passwords: give it"},
		"OtherNumber":         {imports: []string{m + "shared/password"}, set: &four, want: "log-in hashes passwords: give it"},
		"ReservesOnly":        {imports: []string{m + "functions/a"}, set: &three, want: "log-in hashes no passwords: remove"},
		"AlwaysReserved":      {imports: []string{m + "shared/password"}, unset: &three, set: &three, want: "log-in reserves concurrency by default"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packages := []contract.Package{
				{Path: m + "functions/a/log-in", Name: "main", Imports: test.imports},
				{Path: m + "functions/a", Name: "a", Imports: []string{m + "shared/password"}},
				{Path: m + "internal/hashing", Name: "hashing", Imports: []string{m + "shared/password"}},
			}
			read := func(reserved *int) *template.Template {
				return &template.Template{Functions: []template.Function{{Name: "log-in", ReservedConcurrency: reserved}}}
			}
			got := contract.Hashing([]dist.Function{{Name: "log-in", Folder: "functions/a/log-in"}}, packages, read(test.unset), read(test.set), 3)
			if test.want == "" {
				contract.Expect(t, got)
			} else {
				contract.Expect(t, got, test.want)
			}
		})
	}
}

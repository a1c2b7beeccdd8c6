package contract_test

import (
	"testing"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tests/contract"
	"github.com/tienda-dev/tienda/tools/dist"
)

func TestHashingNamesWhoReservesNothing(t *testing.T) {
	t.Parallel()
	const m = contract.Module + "/"
	tests := map[string]struct {
		imports  []string
		reserved bool
		want     []string
	}{
		"HashesAndReserves":   {imports: []string{m + "functions/a", m + "shared/password"}, reserved: true},
		"NeitherOfBoth":       {imports: []string{m + "functions/a"}},
		"HashesOnly":          {imports: []string{m + "shared/password"}, want: []string{"log-in hashes passwords and has no"}},
		"HashesThroughWiring": {imports: []string{m + "internal/hashing"}, want: []string{"log-in hashes passwords and has no"}},
		"ReservesOnly":        {imports: []string{m + "functions/a"}, reserved: true, want: []string{"log-in has ReservedConcurrentExecutions and hashes"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn := template.Function{Name: "log-in"}
			if test.reserved {
				fn.ReservedConcurrency = new(3)
			}
			packages := []contract.Package{
				{Path: m + "functions/a/log-in", Name: "main", Imports: test.imports},
				{Path: m + "functions/a", Name: "a", Imports: []string{m + "shared/password"}},
				{Path: m + "internal/hashing", Name: "hashing", Imports: []string{m + "shared/password"}},
			}
			got := contract.Hashing([]dist.Function{{Name: "log-in", Folder: "functions/a/log-in"}}, packages,
				&template.Template{Functions: []template.Function{fn}})
			expect(t, got, test.want...)
		})
	}
}

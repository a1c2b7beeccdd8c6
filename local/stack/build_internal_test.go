package stack

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/seed"
)

// TestFirstFunctionsAreThoseOfTheSamples keeps the cold start short: few functions are built before the API
// answers.
func TestFirstFunctionsAreThoseOfTheSamples(t *testing.T) {
	t.Parallel()
	read, err := ReadTemplate(Options{Root: "../.."})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, name := range firstFunctions(read, seed.Routes()) {
		got[name] = true
	}
	want := map[string]bool{"adjust-inventory": true, "authorizer": true, "create-product": true, "list-staff-products": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("built first (-want +got):\n%s", diff)
	}
}

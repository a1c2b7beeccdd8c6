package stack

import (
	"testing"

	"github.com/tienda-dev/tienda/local/runtime"
)

// The trial of a function is not one of its requests.
func TestATrialSendsNoTelemetry(t *testing.T) {
	t.Parallel()
	functions := []runtime.Function{{Name: "a", Env: map[string]string{"X": "1"}}, {Name: "b"}}
	for i, f := range silent(functions) {
		if f.Name != functions[i].Name || f.Env["OTEL_SDK_DISABLED"] != "true" || f.Env["X"] != functions[i].Env["X"] {
			t.Errorf("got %+v", f)
		}
		if _, changed := functions[i].Env["OTEL_SDK_DISABLED"]; changed {
			t.Errorf("%s: what serves requests is changed", functions[i].Name)
		}
	}
}

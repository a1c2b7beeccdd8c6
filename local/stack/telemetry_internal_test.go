package stack

import (
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/runtime"
)

func TestBusyIntervalIsInMilliseconds(t *testing.T) {
	t.Parallel()
	for interval, want := range map[time.Duration]string{0: "0", 1500 * time.Millisecond: "1500"} {
		functions := []runtime.Function{{Name: "f"}}
		observe(functions, "http://127.0.0.1:1", interval)
		if got := functions[0].Env["TELEMETRY_BUSY_INTERVAL"]; got != want {
			t.Errorf("%v: the variable is %q, want %q", interval, got, want)
		}
	}
}

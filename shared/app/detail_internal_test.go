package app

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/logging"
)

// An event that fails shows its lines below the level, in front of its line.
func TestHeldLinesOfAFailedEvent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end   func() error
		shown bool
	}{
		"OK":    {func() error { return nil }, false},
		"Error": {func() error { return errors.New("cause") }, true},
		"Panic": {func() error { panic("x") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log, err := logging.New(logging.Config{Buffer: 1 << 14}, &out)
			if err != nil {
				t.Fatal(err)
			}
			f := logged(log, func(ctx context.Context, _ string) (string, error) {
				logging.From(ctx).Debug("detail")
				return "", c.end()
			})
			_, _ = f(t.Context(), "")
			detail, line := strings.Index(out.String(), `"detail"`), strings.Index(out.String(), `"invocation"`)
			if line < 0 || (detail >= 0) != c.shown || detail > line {
				t.Errorf("got %s", &out)
			}
		})
	}
}

func TestWrongLogSettingsEndTheStart(t *testing.T) {
	t.Parallel()
	for variable, values := range map[string][]string{"LOG_SAMPLE_RATE": {"2", "-0.5", "NaN", "often"}, "LOG_BUFFER": {"-1", "8388608", "20kB"}} {
		for _, value := range values {
			if _, err := newSetup(api.Route{}, map[string]string{variable: value}); err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("%s=%s: got %v, want an error that names it", variable, value, err)
			}
		}
	}
	if _, err := newSetup(api.Route{}, map[string]string{"LOG_SAMPLE_RATE": "0.05", "LOG_BUFFER": "20480"}); err != nil {
		t.Error(err)
	}
}

package observe_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"

	"github.com/tienda-dev/tienda/internal/observe"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// Every decision but an ordinary admission is on the access line, also while the breaker is closed.
func TestDecisionsAreOnTheAccessLine(t *testing.T) {
	t.Parallel()
	live, shadow := &ratelimit.Policy{Name: "live"}, &ratelimit.Policy{Name: "shadow", Shadow: true}
	for name, c := range map[string]struct {
		decision ratelimit.Decision
		source   string
		denying  []any
	}{
		"Admitted":     {ratelimit.Decision{Allowed: true, Results: []ratelimit.Result{{Policy: live, Allowed: true}}}, "", nil},
		"Denied":       {ratelimit.Decision{Results: []ratelimit.Result{{Policy: live}, {Policy: shadow, Allowed: true}}}, "store", []any{"live"}},
		"ShadowDenied": {ratelimit.Decision{Allowed: true, Results: []ratelimit.Result{{Policy: live, Allowed: true}, {Policy: shadow}}}, "store", []any{"shadow"}},
		"Local":        {ratelimit.Decision{Allowed: true, Source: ratelimit.FromLocal}, "local", []any{}},
		"Open":         {ratelimit.Decision{Allowed: true, Source: ratelimit.FailedOpen}, "failed-open", []any{}},
		"Closed":       {ratelimit.Decision{Source: ratelimit.FailedClosed}, "failed-closed", []any{}},
	} {
		entry := &logging.Entry{}
		observe.Decisions([]ratelimit.Policy{*live})(logging.WithEntry(t.Context(), entry), c.decision, 0)
		want := map[string]any{}
		if c.source != "" {
			want = map[string]any{"rate_limit_source": c.source, "rate_limit_policies": c.denying}
		}
		fields, _ := entry.Snapshot()
		got := zapcore.NewMapObjectEncoder()
		for _, f := range fields {
			f.AddTo(got)
		}
		if diff := cmp.Diff(want, got.Fields); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

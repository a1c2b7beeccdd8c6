package logging_test

import (
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tienda-dev/tienda/shared/logging"
)

// The fields of a request come before a derived logger's, and those before a line's: the last one of a name wins.
func TestFieldsOfARequestAreOnItsLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg   logging.Config
		write func(log *zap.Logger)
		want  string
	}{
		"Line":       {logging.Config{}, func(log *zap.Logger) { log.Info("m", zap.Int("n", 1)) }, `"a":"1","b":"2","n":1`},
		"Derived":    {logging.Config{}, func(log *zap.Logger) { log.With(zap.String("c", "3")).Info("m", zap.Int("n", 1)) }, `"a":"1","b":"2","c":"3","n":1`},
		"OwnName":    {logging.Config{}, func(log *zap.Logger) { log.Info("m", zap.String("a", "line")) }, `"b":"2","a":"line"`},
		"DerivedTwo": {logging.Config{}, func(log *zap.Logger) { log.With(zap.String("a", "derived")).Info("m") }, `"b":"2","a":"derived"`},
		"Held":       {logging.Config{Buffer: 1 << 14}, func(log *zap.Logger) { log.Debug("m", zap.Int("n", 1)); log.Error("e") }, `"a":"1","b":"2","n":1`},
		"Tee": {logging.Config{}, func(log *zap.Logger) {
			second, seen := observer.New(zapcore.DebugLevel)
			logging.Tee(log, second).Info("m", zap.Int("n", 1))
			if got := seen.All()[0].Context; len(got) != 1 {
				t.Errorf("the second core got %v, want the line's own field", got)
			}
		}, `"a":"1","b":"2","n":1`},
		"Split": {logging.Config{}, func(log *zap.Logger) {
			second, _ := observer.New(zapcore.DebugLevel)
			logging.Split(log, second).Warn("m", zap.Int("n", 1))
		}, `"a":"1","b":"2","n":1`},
		"Secret": {logging.Config{}, func(log *zap.Logger) {
			ctx := logging.WithFields(logging.With(t.Context(), log), zap.String("password", canaryPassword))
			logging.From(ctx).Info("m")
		}, `"a":"1","b":"2","password":"` + logging.Redacted + `"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, out := newLogger(t, c.cfg)
			ctx, entry := logging.Begin(t.Context(), log, "id", zap.String("a", "1"))
			defer entry.End()
			c.write(logging.From(logging.WithFields(ctx, zap.String("b", "2"))))
			line, _, _ := strings.Cut(out.String(), "\n")
			if !strings.HasSuffix(line, c.want+"}") {
				t.Errorf("got %s, want it to end with %s", line, c.want)
			}
		})
	}
}

func TestFieldsOfAForeignLogger(t *testing.T) {
	t.Parallel()
	core, seen := observer.New(zapcore.DebugLevel)
	ctx, _ := logging.Begin(t.Context(), zap.New(core), "id", zap.String("a", "1"))
	logging.From(logging.WithFields(ctx, zap.String("b", "2"))).Info("m")
	if got := seen.All()[0].ContextMap(); got["a"] != "1" || got["b"] != "2" {
		t.Errorf("got %v", got)
	}
}

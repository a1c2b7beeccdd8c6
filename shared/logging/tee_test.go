package logging_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tienda-dev/tienda/shared/logging"
)

// hiddenFromJSON has a secret that only a core with reflection on the value can see.
type hiddenFromJSON struct {
	Name   string `json:"name"`
	Secret string `json:"-"`
}

// tee returns a logger that also writes to two observing cores, and a function that returns the text of
// all that they see.
func tee(t *testing.T, cfg logging.Config) (*zap.Logger, func() string) {
	t.Helper()
	log, _ := newLogger(t, cfg)
	first, seenFirst := observer.New(zapcore.DebugLevel)
	second, seenSecond := observer.New(zapcore.ErrorLevel)
	return logging.Tee(log, zapcore.NewTee(first, second)), func() string {
		var text strings.Builder
		for _, entry := range append(seenFirst.All(), seenSecond.All()...) {
			fmt.Fprintf(&text, "%s %s %s %+v\x00", entry.LoggerName, entry.Message, entry.Stack, entry.ContextMap())
		}
		return text.String()
	}
}

// logEverywhere logs the field at the call, on every line of a logger, and lazily.
func logEverywhere(log *zap.Logger, field zap.Field) {
	log.Info("x", field)
	log.With(field).Error("x")
	log.WithLazy(field).Error("x")
}

func TestASecondCoreSeesNoSecrets(t *testing.T) {
	t.Parallel()

	fields := append(secretFields(), zap.Any("hidden", hiddenFromJSON{Name: "ada", Secret: canaryPassword}))
	for i, field := range fields {
		t.Run(fmt.Sprintf("%d_%s", i, field.Key), func(t *testing.T) {
			t.Parallel()
			log, seen := tee(t, logging.Config{})
			logEverywhere(log, field)
			if n := strings.Count(seen(), "\x00"); n != 5 {
				t.Errorf("%d entries, want 3 and 2", n)
			}
			assertNoCanary(t, []byte(seen()))

			log, seen = tee(t, logging.Config{DisableRedaction: true})
			logEverywhere(log, field)
			if !strings.Contains(seen(), "canary") && !strings.Contains(seen(), "4111") && !strings.Contains(seen(), "4.111") &&
				!strings.Contains(seen(), "[") { // bytes
				t.Errorf("the secret does not appear without redaction: %s", seen())
			}
		})
	}

	log, seen := tee(t, logging.Config{})
	log.Named(canaryJWT).Info("got Bearer " + canaryOpaque)
	log.Sugar().Errorw("failed", "cause", errors.New("password="+canaryPassword))
	assertNoCanary(t, []byte(seen()))
	if !strings.Contains(seen(), logging.Redacted+" got Bearer "+logging.Redacted) {
		t.Errorf("seen %s", seen())
	}
}

func TestASecondCoreKeepsItsLevel(t *testing.T) {
	t.Parallel()
	log, out := newLogger(t, logging.Config{Level: "WARN"})
	core, seen := observer.New(zapcore.InfoLevel)
	log = logging.Tee(log, core)
	log.Debug("below both levels")
	log.Info("second")
	log.Warn("both")
	if got := strings.Count(out.String(), "\n"); got != 1 || seen.Len() != 2 {
		t.Errorf("%d lines and %d entries, want 1 and 2", got, seen.Len())
	}
}

func TestTeeRefusesAnotherLogger(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("Tee accepted a logger without redaction")
		}
	}()
	logging.Tee(zap.NewNop(), zapcore.NewNopCore())
}

// TestEveryEncoderMethodRedactsSecretNames fails when zap adds an encoder method that is not redacted.
func TestEveryEncoderMethodRedactsSecretNames(t *testing.T) {
	t.Parallel()
	for m := range reflect.TypeFor[zapcore.ObjectEncoder]().Methods() {
		if !strings.HasPrefix(m.Name, "Add") || m.Name == "AddBool" {
			continue
		}
		log, seen := tee(t, logging.Config{})
		log.Info("x", zap.Inline(zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
			value := reflect.New(m.Type.In(1)).Elem()
			switch {
			case value.Kind() == reflect.String:
				value.SetString("x")
			case value.Kind() == reflect.Slice:
				value.SetBytes([]byte("x"))
			case m.Name == "AddReflected":
				value.Set(reflect.ValueOf(1))
			}
			reflect.ValueOf(enc).MethodByName(m.Name).Call([]reflect.Value{reflect.ValueOf("password"), value})
			return nil
		})))
		if !strings.Contains(seen(), "map[password:"+logging.Redacted+"]") {
			t.Errorf("%s: %s", m.Name, seen())
		}
	}
}

func TestNegativeNumbersStayJSON(t *testing.T) {
	t.Parallel()
	log, out := newLogger(t, logging.Config{})
	log.Info("x", zap.Int64("n", -4111111111111111))
	decode(t, out.Bytes())
}

// A core such as telemetry's reads the trace from a context.
func TestASecondCoreGetsAContextAsItIs(t *testing.T) {
	t.Parallel()
	type key struct{}
	type other struct{}
	ctx := context.WithValue(t.Context(), key{}, "trace")
	log, out := newLogger(t, logging.Config{})
	core, seen := observer.New(zapcore.InfoLevel)
	log = logging.Tee(log, core)
	log.Info("x", zap.Any("context", context.WithValue(ctx, other{}, canaryPassword)), zap.Reflect("reflect", ctx), zap.String("password", canaryPassword))
	for _, field := range seen.All()[0].Context[:2] {
		if got, ok := field.Interface.(context.Context); !ok || got.Value(key{}) != "trace" {
			t.Errorf("got %v, want the context", field)
		}
	}
	assertNoCanary(t, out.Bytes())
}

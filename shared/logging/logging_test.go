package logging_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tienda-dev/tienda/shared/logging"
)

type fixedClock time.Time

func (c fixedClock) Now() time.Time                         { return time.Time(c) }
func (c fixedClock) NewTicker(d time.Duration) *time.Ticker { return time.NewTicker(d) }

// newLogger returns a logger with a fixed clock and the buffer that it writes to.
func newLogger(t testing.TB, cfg logging.Config) (*zap.Logger, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	log, err := logging.New(cfg, &out)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 12, 34, 56, 7_900_000, time.FixedZone("CET", 3600))
	return log.WithOptions(zap.WithClock(fixedClock(at))), &out
}

func decode(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("not one JSON object: %v\n%s", err, line)
	}
	return m
}

func TestLine(t *testing.T) {
	t.Parallel()

	log, out := newLogger(t, logging.Config{
		Service:            "catalog",
		FunctionName:       "get-product",
		FunctionVersion:    "7",
		FunctionMemorySize: 512,
	})
	log.Info("request", zap.Bool(logging.KeyColdStart, true), zap.Duration("took_ms", 1500*time.Microsecond))

	want := map[string]any{
		"level": "INFO", "message": "request", "timestamp": "2026-11-24T11:34:56.007Z",
		"service": "catalog", "function_name": "get-product", "function_version": "7",
		"function_memory_size": 512.0, "cold_start": true, "took_ms": 1.5,
	}
	if diff := cmp.Diff(want, decode(t, out.Bytes())); diff != "" {
		t.Error(diff)
	}
}

func TestServiceName(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		cfg  logging.Config
		want string
	}{
		"Named":             {logging.Config{Service: "shop", FunctionName: "f"}, "shop"},
		"FallsBackToLambda": {logging.Config{FunctionName: "f"}, "f"},
		"Undefined":         {logging.Config{}, "service_undefined"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, out := newLogger(t, tt.cfg)
			log.Info("x")
			if got := decode(t, out.Bytes())["service"]; got != tt.want {
				t.Errorf("service = %v, want %s", got, tt.want)
			}
		})
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		cfg  logging.Config
		want []string // of TRACE, DEBUG, INFO, WARN, ERROR
	}{
		"InfoByDefault":       {logging.Config{}, []string{"INFO", "WARN", "ERROR"}},
		"LowerCase":           {logging.Config{Level: "warn"}, []string{"WARN", "ERROR"}},
		"LambdaWinsUpwards":   {logging.Config{Level: "DEBUG", LambdaLevel: "ERROR"}, []string{"ERROR"}},
		"LambdaWinsDownwards": {logging.Config{Level: "ERROR", LambdaLevel: "TRACE"}, []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR"}},
		"Fatal":               {logging.Config{LambdaLevel: "FATAL"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, out := newLogger(t, tt.cfg)
			for _, level := range []zapcore.Level{logging.TraceLevel, zap.DebugLevel, zap.InfoLevel, zap.WarnLevel, zap.ErrorLevel} {
				log.Log(level, "x")
			}

			var got []string
			for line := range bytes.Lines(out.Bytes()) {
				got = append(got, decode(t, line)["level"].(string))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConfigRefused(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		cfg  logging.Config
		want string
	}{
		"Level":       {logging.Config{Level: "loud"}, "LOG_LEVEL"},
		"LambdaLevel": {logging.Config{LambdaLevel: "loud"}, "AWS_LAMBDA_LOG_LEVEL"},
		"Format":      {logging.Config{Format: "xml"}, "LOG_FORMAT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := logging.New(tt.cfg, io.Discard); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one that names %s", err, tt.want)
			}
		})
	}
	if _, err := logging.New(logging.Config{}, nil); err == nil {
		t.Error("a nil writer was accepted")
	}
}

func TestLocationOnErrorOnly(t *testing.T) {
	t.Parallel()

	log, out := newLogger(t, logging.Config{})
	log = log.With(zap.Int("n", 1))
	log.Warn("warn")
	if _, ok := decode(t, out.Bytes())[logging.KeyLocation]; ok {
		t.Error("WARN has a location")
	}

	for name, write := range map[string]func(){
		"Logger": func() { log.Error("error") },
		"Sugar":  func() { log.Sugar().Errorf("error %d", 1) },
		"Checked": func() {
			log.Check(zap.ErrorLevel, "error").Write()
		},
	} {
		out.Reset()
		write()
		if got, _ := decode(t, out.Bytes())[logging.KeyLocation].(string); !strings.HasPrefix(got, "logging/logging_test.go:") {
			t.Errorf("%s: location = %q, want the caller's", name, got)
		}
	}
}

type quotaError struct{ limit int }

func (e *quotaError) Error() string { return fmt.Sprintf("limit of %d", e.limit) }

type brokenError struct{}

func (*brokenError) Error() string { panic("broken") }

func TestError(t *testing.T) {
	t.Parallel()

	quota := fmt.Errorf("put: %w", &quotaError{3})
	for name, tt := range map[string]struct {
		field zap.Field
		want  any
	}{
		"Zap":       {zap.Error(quota), map[string]any{"type": "*logging_test.quotaError", "message": "put: limit of 3"}},
		"Ours":      {logging.Error(quota), map[string]any{"type": "*logging_test.quotaError", "message": "put: limit of 3"}},
		"OnlyText":  {zap.Error(errors.New("x")), map[string]any{"type": "*errors.errorString", "message": "x"}},
		"WithStack": {zap.Error(logging.WithStack(quota, []byte("a\nb"))), map[string]any{"type": "*logging_test.quotaError", "message": "put: limit of 3", "stack": "a\nb"}},
		"Panics":    {zap.Error(&brokenError{}), map[string]any{"type": "*logging_test.brokenError", "message": "PANIC=broken"}},
		"NilValue":  {zap.Error((*quotaError)(nil)), map[string]any{"type": "*logging_test.quotaError", "message": "<nil>"}},
		"Nil":       {logging.Error(nil), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, write := range map[string]func(*zap.Logger){
				"AtTheCall": func(l *zap.Logger) { l.Info("x", tt.field) },
				"With":      func(l *zap.Logger) { l.With(tt.field).Info("x") },
			} {
				log, out := newLogger(t, logging.Config{})
				write(log)
				if diff := cmp.Diff(tt.want, decode(t, out.Bytes())["error"]); diff != "" {
					t.Errorf("%s: %s", how, diff)
				}
			}
		})
	}
	if logging.WithStack(nil, nil) != nil {
		t.Error("a nil error became one")
	}
}

func TestFieldsOfTheCallerAreNotChanged(t *testing.T) {
	t.Parallel()

	log, _ := newLogger(t, logging.Config{})
	fields := []zap.Field{zap.Error(io.EOF)}
	log.Info("x", fields...)
	log.With(fields...).Info("x")
	if fields[0].Type != zapcore.ErrorType {
		t.Error("the caller's field was replaced")
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()

	log, out := newLogger(t, logging.Config{Format: logging.FormatConsole, Service: "shop"})
	log.Info("forged\r\n2026 \x1b[31mERROR Authorization: Bearer abc.def", zap.String("password", "hunter2"))

	want := `2026-11-24T11:34:56.007Z INFO forged\r\n2026 \u001b[31mERROR Authorization: [REDACTED] {"service":"shop","password":"[REDACTED]"}` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestOneLinePerEntry(t *testing.T) {
	t.Parallel()

	log, out := newLogger(t, logging.Config{})
	log.Named("a\nb").Info("a\r\nb", zap.String("k\r\n", "v\r\nw"), zap.Any("m", map[string]string{"x\n": "y\r"}))
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != 1 || bytes.Contains(out.Bytes(), []byte("\r")) {
		t.Errorf("%d line ends, want 1: %q", n, out.Bytes())
	}
}

func TestContext(t *testing.T) {
	t.Parallel()

	log, out := newLogger(t, logging.Config{})
	logging.From(logging.With(t.Context(), log)).Info("x")
	logging.From(t.Context()).Info("discarded")
	if got := bytes.Count(out.Bytes(), []byte("\n")); got != 1 {
		t.Errorf("%d lines, want 1", got)
	}

	var none *logging.Entry
	none.Add(zap.Int("n", 1))
	none.SetError(io.EOF)
	if fields, err := none.Snapshot(); fields != nil || err != nil {
		t.Errorf("a nil entry kept %v, %v", fields, err)
	}
	entry := &logging.Entry{}
	ctx := logging.WithEntry(t.Context(), entry)
	logging.EntryFrom(ctx).Add(zap.Int("n", 1))
	logging.EntryFrom(ctx).SetError(io.EOF)
	if fields, err := entry.Snapshot(); len(fields) != 1 || !errors.Is(err, io.EOF) {
		t.Errorf("entry kept %v, %v", fields, err)
	}
}

func BenchmarkLogger(b *testing.B) {
	log, err := logging.New(logging.Config{Service: "catalog", FunctionName: "get-product"}, io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	line := func() {
		log.Info("request", zap.String("http_method", "GET"), zap.String("http_route", "/v1/products/{id}"),
			zap.Int("status", 200), zap.Float64("duration_ms", 1.25), zap.String(logging.KeyCorrelationID, "01JDC5Q0M1Z2Q5V8W7X6Y5Z4A3"),
			zap.Bool(logging.KeyColdStart, false), zap.String("user_agent", "curl/8.5.0"))
	}
	b.Run("Filtered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			log.Debug("x", zap.String("k", "v"), zap.Int("n", 1))
		}
	})
	b.Run("AccessLine", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			line()
		}
	})
	b.Run("EveryByteSuspicious", func(b *testing.B) {
		b.ReportAllocs()
		worst := strings.Repeat("eyJ", 10_000)
		for b.Loop() {
			log.Info(worst)
		}
	})
	b.Run("Redacted", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			log.Info("request", zap.String("authorization", "Bearer abc"), zap.String("url", "/x?access_token=abc"))
		}
	})
}

package logging_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tienda-dev/tienda/shared/logging"
)

func TestHeldLines(t *testing.T) {
	t.Parallel()
	buffer := logging.Config{Buffer: 1 << 16}
	for name, c := range map[string]struct {
		cfg  logging.Config
		run  func(log *zap.Logger)
		want []string
	}{
		"AreDroppedWithoutAnError": {buffer, func(log *zap.Logger) { log.Debug("a"); log.Info("b"); log.Warn("c") }, []string{"b", "c"}},
		"ComeBeforeTheError":       {buffer, func(log *zap.Logger) { log.Debug("a"); log.Info("b"); log.Debug("c"); log.Error("d") }, []string{"b", "a", "c", "d"}},
		"AreWrittenAtOnceAfterAnError": {buffer, func(log *zap.Logger) {
			log.Error("a")
			log.Debug("b")
			log.Info("c")
		}, []string{"a", "b", "c"}},
		"OfADerivedLogger": {buffer, func(log *zap.Logger) { log.With(zap.Int("n", 1)).Named("x").Debug("a"); log.Error("b") }, []string{"a", "b"}},
		"AreThoseBelowTheLevel": {logging.Config{Buffer: 1 << 16, Level: "WARN"}, func(log *zap.Logger) {
			log.Info("a")
			log.Debug("b")
			log.Warn("c")
			log.Error("d")
		}, []string{"c", "a", "b", "d"}},
		"OfAHighLevelComeWithTheirError": {logging.Config{Buffer: 1 << 16, Level: "FATAL"}, func(log *zap.Logger) { log.Info("a"); log.Error("b") }, []string{"a", "b"}},
		"AreWrittenAtOnceIfSampled":      {logging.Config{Buffer: 1 << 16, SampleRate: 1}, func(log *zap.Logger) { log.Debug("a"); log.Info("b") }, []string{"a", "b"}},
		"AreNoneWithoutABuffer":          {logging.Config{}, func(log *zap.Logger) { log.Debug("a"); log.Error("b") }, []string{"b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, invoke(t, c.cfg, c.run)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// changing is logged as a pointer and changed afterwards.
type changing struct {
	Name  string         `json:"name"`
	Inner map[string]any `json:"inner"`
}

// A held line is the line that a lower level would have written, with what its fields were then.
func TestAHeldLineIsTheLineOfALowerLevel(t *testing.T) {
	t.Parallel()
	for _, redaction := range []bool{true, false} {
		var texts [2]string
		for i, cfg := range []logging.Config{{Level: "DEBUG"}, {Buffer: 1 << 16}} {
			cfg.DisableRedaction = !redaction
			log, out := newLogger(t, cfg)
			ctx, entry := logging.Begin(t.Context(), log, "id", zap.String("of_request", "r"))
			value := &changing{Name: "before", Inner: map[string]any{"z": 1.5, "small": 1e-7, "large": 1e21, "a": []any{"x", nil, true, map[string]any{"n": 7}}}}
			content := []byte("before")
			step := time.Date(2026, 11, 24, 1, 2, 3, 4_000_000, time.UTC)
			logging.From(ctx).WithOptions(zap.WithClock(fixedClock(step))).With(zap.Int("of_logger", 3)).Debug("m",
				zap.Any("value", value), zap.ByteString("content", content), zap.Error(errors.New("cause")),
				zap.Duration("took_ms", 1500*time.Microsecond), zap.Time("at", step), zap.Strings("list", []string{"a", "b"}),
				zap.Durations("all_ms", []time.Duration{time.Second}), zap.Uint64("big", math.MaxUint64), zap.Stringer("text", step),
				zap.Inline(zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
					enc.AddString("one", "1")
					enc.AddBool("two", true)
					return nil
				})), zap.Namespace("space"), zap.Int("inside", 1))
			value.Name, value.Inner["z"], content[0] = "after", "after", 'X'
			logging.From(ctx).Error("end")
			entry.End()
			texts[i], _, _ = strings.Cut(out.String(), "\n")
		}
		if diff := cmp.Diff(texts[0], texts[1]); diff != "" {
			t.Errorf("redaction %v: the held line differs (-level +held):\n%s", redaction, diff)
		}
		if !strings.Contains(texts[1], `"timestamp":"2026-11-24T01:02:03.004Z"`) {
			t.Errorf("the line lost its time: %s", texts[1])
		}
	}
}

func TestHeldLinesAreRedacted(t *testing.T) {
	t.Parallel()
	for _, field := range secretFields() {
		log, out := newLogger(t, logging.Config{Buffer: 1 << 16})
		ctx, _ := logging.Begin(t.Context(), log, "id")
		logging.From(ctx).Debug("got Bearer "+canaryOpaque, field)
		logging.From(ctx).With(field).Debug("y")
		logging.From(ctx).Error("end")
		if got := strings.Count(out.String(), "\n"); got != 3 {
			t.Errorf("%s: %d lines, want 3", field.Key, got)
		}
		assertNoCanary(t, out.Bytes())
	}
}

func TestTheBufferIsBounded(t *testing.T) {
	t.Parallel()
	const limit, lines = 4096, 500
	got := invoke(t, logging.Config{Buffer: limit}, func(log *zap.Logger) {
		for i := range lines {
			log.Debug(fmt.Sprintf("%d %s", i, strings.Repeat("x", 100)), zap.Any("list", []string{"a", "b"}))
		}
		log.Debug("too large", zap.String("text", strings.Repeat("x", limit)))
		log.Error("end")
	})
	kept := len(got) - 2
	if kept < 3 || kept*300 > limit {
		t.Fatalf("%d lines were kept", kept)
	}
	if got[0] != "older lines did not fit into LOG_BUFFER and were dropped" || got[len(got)-1] != "end" {
		t.Errorf("got %q", got)
	}
	for i, message := range got[1 : kept+1] {
		if want := fmt.Sprintf("%d ", lines-kept+i); !strings.HasPrefix(message, want) {
			t.Errorf("line %d is %.8q, want %q: the newest, in their order", i, message, want)
		}
	}
}

func TestTheLineAboutDroppedLines(t *testing.T) {
	t.Parallel()
	log, out := newLogger(t, logging.Config{Buffer: 1})
	ctx, _ := logging.Begin(t.Context(), log, "id", zap.String("correlation_id", "c"))
	for range 7 {
		logging.From(ctx).With(zap.String("trace_id", "t")).Debug("x")
	}
	logging.From(ctx).Error("end")
	first, _, _ := strings.Cut(out.String(), "\n")
	got := decode(t, []byte(first))
	if got["dropped"] != 7.0 || got["level"] != "WARN" || got["correlation_id"] != "c" || got["trace_id"] != "t" {
		t.Errorf("got %s", first)
	}
}

// Lambda kills a process at its deadline, without a last line.
func TestHeldLinesAreWrittenBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	var out synced
	log, err := logging.New(logging.Config{Buffer: 1 << 16}, &out)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 350*time.Millisecond)
	defer cancel()
	ctx, entry := logging.Begin(ctx, log, "id")
	defer entry.End()
	answered, ended := logging.Begin(ctx, log, "other")
	logging.From(answered).Debug("of an invocation that has ended")
	ended.End()
	logging.From(ctx).Debug("before")
	if out.String() != "" {
		t.Fatalf("written at once: %s", &out)
	}
	for strings.Count(out.String(), "\n") == 0 && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	if ctx.Err() != nil {
		t.Fatal("nothing was written before the deadline")
	}
	logging.From(ctx).Debug("after")
	if diff := cmp.Diff([]string{"before", "after"}, messages(t, out.String())); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestLinesAfterTheEndAreNotHeld(t *testing.T) {
	t.Parallel()
	log, out := newLogger(t, logging.Config{Buffer: 1 << 16})
	ctx, entry := logging.Begin(t.Context(), log, "id")
	entry.End()
	logging.From(ctx).Debug("late")
	logging.From(ctx).Error("end")
	if diff := cmp.Diff([]string{"end"}, messages(t, out.String())); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

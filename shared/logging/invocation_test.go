package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tienda-dev/tienda/shared/logging"
)

// messages returns the messages of the lines.
func messages(t *testing.T, out string) []string {
	t.Helper()
	got := []string{}
	for text := range strings.Lines(out) {
		got = append(got, decode(t, []byte(text))["message"].(string))
	}
	return got
}

// synced is a buffer that a timer may write to.
type synced struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *synced) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *synced) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// invoke runs f as an invocation and returns the messages of its lines.
func invoke(t *testing.T, cfg logging.Config, f func(log *zap.Logger)) []string {
	t.Helper()
	log, out := newLogger(t, cfg)
	ctx, entry := logging.Begin(t.Context(), log, "id")
	f(logging.From(ctx))
	entry.End()
	return messages(t, out.String())
}

func TestASampledInvocationWritesAllItsLines(t *testing.T) {
	t.Parallel()
	const invocations, rate = 4000, 0.25
	log, out := newLogger(t, logging.Config{SampleRate: rate})
	sampled := 0
	for i := range invocations {
		out.Reset()
		ctx, entry := logging.Begin(t.Context(), log, fmt.Sprintf("req-%d", i), zap.Int("i", i))
		logging.From(ctx).Debug("first")
		logging.From(ctx).With(zap.Int("n", 1)).Named("deep").Debug("second")
		logging.From(ctx).Info("third")
		entry.End()
		switch got := strings.Join(messages(t, out.String()), " "); got {
		case "third":
		case "first second third":
			sampled++
		default:
			t.Fatalf("invocation %d wrote %q: want all lines or those from INFO", i, got)
		}
	}
	if share := float64(sampled) / invocations; math.Abs(share-rate) > .03 {
		t.Errorf("a share of %v was sampled, want %v", share, rate)
	}
}

// The authorizer and the function of a request are two processes with different ids of the invocation.
func TestProcessesDecideAlikeAboutATrace(t *testing.T) {
	t.Parallel()
	first, _ := newLogger(t, logging.Config{SampleRate: .5})
	second, _ := newLogger(t, logging.Config{SampleRate: .5})
	seen := map[bool]int{}
	for i := range 200 {
		trace := [16]byte{15: byte(i)}
		decision := func(log *zap.Logger, id string) bool {
			ctx, entry := logging.Begin(t.Context(), log, id)
			defer entry.End()
			entry.SampleBy(trace)
			return logging.From(ctx).Core().Enabled(zapcore.DebugLevel)
		}
		one, two := decision(first, fmt.Sprint("authorizer", i)), decision(second, fmt.Sprint("function", i))
		if one != two {
			t.Errorf("trace %d: the first process decided %v, the second %v", i, one, two)
		}
		seen[one]++
	}
	if seen[true] < 60 || seen[false] < 60 {
		t.Errorf("got %v of 200, want about half", seen)
	}
}

func TestSamplingHasNoMiddleAtItsEnds(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]int{0: 0, 1: 500} {
		log, out := newLogger(t, logging.Config{SampleRate: rate})
		for i := range 500 {
			ctx, _ := logging.Begin(t.Context(), log, strconv.Itoa(i))
			logging.From(ctx).Debug("x")
		}
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Errorf("rate %v: %d lines, want %d", rate, got, want)
		}
		log.Debug("outside an invocation")
		if strings.Contains(out.String(), "outside") {
			t.Errorf("rate %v: a line outside an invocation was sampled", rate)
		}
	}
}

func TestSamplingAndBufferingRefuseWrongValues(t *testing.T) {
	t.Parallel()
	for variable, cfgs := range map[string][]logging.Config{
		"LOG_SAMPLE_RATE": {{SampleRate: -.1}, {SampleRate: 1.1}, {SampleRate: math.NaN()}, {SampleRate: math.Inf(1)}},
		"LOG_BUFFER":      {{Buffer: -1}, {Buffer: 1<<20 + 1}},
		"LOG_LEVEL":       {{Buffer: 1, Level: "LOUD", LambdaLevel: "INFO"}},
	} {
		for _, cfg := range cfgs {
			if _, err := logging.New(cfg, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("%+v: got %v, want an error that names %s", cfg, err, variable)
			}
		}
	}
}

// Every second of the invocations fails. Each has goroutines of its own.
func TestInvocationsInParallelDoNotMix(t *testing.T) {
	t.Parallel()
	var out synced
	log, err := logging.New(logging.Config{Buffer: 1 << 18}, &out)
	if err != nil {
		t.Fatal(err)
	}
	const invocations, goroutines, lines = 16, 4, 20
	var all sync.WaitGroup
	for i := range invocations {
		all.Go(func() {
			ctx, entry := logging.Begin(t.Context(), log, strconv.Itoa(i), zap.Int("invocation", i))
			defer entry.End()
			var own sync.WaitGroup
			for g := range goroutines {
				own.Go(func() {
					for n := range lines {
						logging.From(ctx).Debug("debug", zap.Int("n", n))
						if i%2 == 1 && g == 0 && n == lines/2 {
							logging.From(ctx).Error("failed")
						}
						logging.From(ctx).Info("info")
					}
				})
			}
			own.Wait()
		})
	}
	all.Wait()
	count := map[string]int{}
	for text := range strings.Lines(out.String()) {
		var line struct {
			Message    string `json:"message"`
			Invocation int    `json:"invocation"`
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		count[fmt.Sprintf("%s failed=%v", line.Message, line.Invocation%2 == 1)]++
	}
	const half = invocations / 2 * goroutines * lines
	want := map[string]int{"info failed=false": half, "info failed=true": half, "debug failed=true": half, "failed failed=true": invocations / 2}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// With logs to a collector, stdout keeps WARN and above: lines in detail go to the collector only.
func TestLinesInDetailGoWhereOthersGo(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]logging.Config{"Held": {Buffer: 1 << 16}, "Sampled": {SampleRate: 1}} {
		log, out := newLogger(t, cfg)
		second, seen := observer.New(zapcore.DebugLevel)
		ctx, entry := logging.Begin(t.Context(), logging.Split(log, second), "id")
		logging.From(ctx).Debug("a", zap.Any("map", map[string]any{"k": "v"}))
		logging.From(ctx).Info("b")
		logging.From(ctx).Error("c")
		entry.End()
		if got := messages(t, out.String()); !cmp.Equal(got, []string{"c"}) {
			t.Errorf("%s: stdout has %q", name, got)
		}
		if seen.Len() != 3 || seen.FilterMessage("a").Len() != 1 {
			t.Errorf("%s: the collector got %v", name, seen.All())
		}
	}
}

// What Lambda would discard is neither sampled nor held, and the process says so.
func TestLambdaLevelBoundsTheDetail(t *testing.T) {
	t.Parallel()
	run := func(log *zap.Logger) { log.Debug("a"); log.Info("b"); log.Error("c") }
	for name, c := range map[string]struct {
		cfg  logging.Config
		want []string
	}{
		"Lower":  {logging.Config{SampleRate: 1, LambdaLevel: "DEBUG"}, []string{"a", "b", "c"}},
		"Raises": {logging.Config{Buffer: 1 << 16, Level: "WARN", LambdaLevel: "DEBUG"}, []string{"a", "b", "c"}},
		"Higher": {logging.Config{SampleRate: 1, Level: "DEBUG", LambdaLevel: "INFO"}, []string{
			"LOG_SAMPLE_RATE and LOG_BUFFER have no effect: Lambda discards lines below AWS_LAMBDA_LOG_LEVEL", "b", "c",
		}},
	} {
		if diff := cmp.Diff(c.want, invoke(t, c.cfg, run)); diff != "" {
			t.Errorf("%s: lines (-want +got):\n%s", name, diff)
		}
	}
}

// begun is what Begin does without sampling and buffering.
func begun(ctx context.Context, log *zap.Logger, fields ...zap.Field) context.Context {
	return logging.WithEntry(logging.With(ctx, log.WithLazy(fields...)), &logging.Entry{})
}

func TestBeginAllocatesNothingMoreWhenOff(t *testing.T) { //nolint:paralleltest // it counts allocations
	log, _ := newLogger(t, logging.Config{})
	ctx := t.Context()
	without := testing.AllocsPerRun(1000, func() {
		ctx := begun(ctx, log, zap.String("correlation_id", "id"))
		logging.From(ctx).Debug("x")
	})
	with := testing.AllocsPerRun(1000, func() {
		ctx, entry := logging.Begin(ctx, log, "id", zap.String("correlation_id", "id"))
		entry.SampleBy([16]byte{1})
		logging.From(ctx).Debug("x")
		entry.End()
	})
	if with > without {
		t.Errorf("%v allocations, want %v", with, without)
	}
}

func BenchmarkBegin(b *testing.B) {
	for name, cfg := range map[string]logging.Config{"Off": {}, "Sampling": {SampleRate: .01}, "Buffering": {Buffer: 1 << 14}} {
		b.Run(name, func(b *testing.B) {
			log, out := newLogger(b, cfg)
			b.ReportAllocs()
			for b.Loop() {
				ctx, entry := logging.Begin(b.Context(), log, "id", zap.String("correlation_id", "id"))
				entry.SampleBy([16]byte{1})
				logging.From(ctx).Debug("x", zap.Int("n", 1))
				logging.From(ctx).Info("request")
				entry.End()
				out.Reset()
			}
		})
	}
	b.Run("Baseline", func(b *testing.B) {
		log, out := newLogger(b, logging.Config{})
		b.ReportAllocs()
		for b.Loop() {
			ctx := begun(b.Context(), log, zap.String("correlation_id", "id"))
			logging.From(ctx).Debug("x", zap.Int("n", 1))
			logging.From(ctx).Info("request")
			out.Reset()
		}
	})
}

// A caller may use the slice of its fields again.
func TestFieldsOfALoggerAreItsOwn(t *testing.T) {
	t.Parallel()
	log, out := newLogger(t, logging.Config{})
	shared := make([]zap.Field, 0, 4)
	one := logging.WithFields(logging.With(t.Context(), log), append(shared, zap.String("who", "one"))...)
	two, _ := logging.Begin(t.Context(), log, "id", append(shared, zap.String("who", "two"))...)
	_ = append(shared, zap.String("who", "nobody"))
	logging.From(one).Info("x")
	logging.From(two).Info("x")
	if got := out.String(); !strings.Contains(got, `"one"`) || !strings.Contains(got, `"two"`) {
		t.Errorf("got %s", got)
	}
}

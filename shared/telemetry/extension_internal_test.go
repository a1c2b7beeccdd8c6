package telemetry

import (
	"context"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"
)

// countingSink counts requests.
type countingSink struct{ requests int }

func (s *countingSink) send(context.Context, []byte) error {
	s.requests++
	return nil
}

// A busy environment exports once per interval; an error, a full queue and a pause of the events make it export at once.
func TestBusyEnvironmentExportsNowAndThen(t *testing.T) {
	t.Parallel()
	type event struct {
		gap    time.Duration // since the event before
		failed bool
		spans  int
		export bool
	}
	for name, tc := range map[string]struct {
		interval int
		events   []event
	}{
		"Busy": {1000, []event{
			{0, false, 1, true}, {99 * time.Millisecond, false, 1, false}, {0, false, 1, false}, {90 * time.Millisecond, false, 1, false},
		}},
		"IntervalIsOver": {100, []event{{0, false, 1, true}, {50 * time.Millisecond, false, 1, false}, {50 * time.Millisecond, false, 1, true}, {0, false, 1, false}}},
		"Pause":          {1000, []event{{0, false, 1, true}, {0, false, 1, false}, {100 * time.Millisecond, false, 1, true}, {0, false, 1, false}}},
		"Error":          {1000, []event{{0, false, 1, true}, {0, true, 1, true}, {0, false, 1, false}}},
		"FullQueue":      {1000, []event{{0, false, 1, true}, {0, false, maxItems - 1, false}, {0, false, 1, true}, {0, false, 1, false}}},
		"Off":            {0, []event{{0, false, 1, true}, {0, false, 1, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			counter := &countingSink{}
			telemetry := &Telemetry{
				cfg: Config{BusyIntervalMS: tc.interval}, logger: zap.NewNop(), now: func() time.Time { return now },
				spans: newSpans(), sinks: map[string]sink{signalTraces: counter}, turn: newTurn(),
				pauses: map[string]*pause{signalTraces: {}, signalMetrics: {}, signalLogs: {}},
			}
			x := &extension{t: telemetry, ended: make(chan ended, 16)}
			provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(telemetry.spans))
			waiting := 0
			for i, e := range tc.events {
				now = now.Add(e.gap)
				before := counter.requests
				for range e.spans {
					_, span := provider.Tracer("test").Start(t.Context(), "request")
					span.End()
				}
				x.ended <- ended{"id", e.failed}
				x.serve(t.Context(), invokeEvent{Type: "INVOKE", RequestID: "id", DeadlineMS: now.Add(time.Minute).UnixMilli()})
				waiting += e.spans
				if e.export {
					waiting = 0
				}
				if exported := counter.requests > before; exported != e.export || telemetry.spans.len() != waiting {
					t.Errorf("event %d: exported %t and %d spans wait, want %t and %d", i, exported, telemetry.spans.len(), e.export, waiting)
				}
			}
		})
	}
}

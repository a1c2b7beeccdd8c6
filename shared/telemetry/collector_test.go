package telemetry_test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/tienda-dev/tienda/shared/metrics"
)

// A collector that takes an export and answers byte by byte holds the environment for the configured time only, and
// gets nothing twice: it has said 200.
func TestASlowAnswerIsNotSentAgain(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	var traces atomic.Int64
	c.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/traces" || traces.Add(1) > 1 {
			return false
		}
		w.WriteHeader(http.StatusOK)
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte{0x12})
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
		return true
	}
	f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_TIMEOUT": "300"}, ok)
	f.get(t, http.MethodGet, "/v1/things/1", nil)
	f.telemetry.Flush(t.Context())
	f.get(t, http.MethodGet, "/v1/things/2", nil)
	f.flushUntil(t, func() bool { return len(c.spans()) > 0 })
	if spans := c.spans(); len(spans) != 1 || attributes(spans[0].GetAttributes())["url.path"] != "/v1/things/2" {
		t.Errorf("got %v, want the second span only", spans)
	}
	if c.last(metrics.TelemetryDropped) != nil {
		t.Error("what was accepted is counted as dropped")
	}
}

// Retry-After is obeyed: no second attempt at once, and none before its time.
func TestACollectorSaysWhenToComeAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			var refused, second atomic.Int64
			c.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/v1/traces" {
					return false
				}
				if refused.CompareAndSwap(0, time.Now().UnixNano()) {
					w.Header().Set("Retry-After", "2")
					w.WriteHeader(status)
					return true
				}
				second.CompareAndSwap(0, time.Now().UnixNano())
				return false
			}
			f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, ok)
			f.get(t, http.MethodGet, "/v1/things/1", nil)
			f.flushUntil(t, func() bool { return len(c.spans()) == 1 })
			if waited := time.Duration(second.Load() - refused.Load()); waited < 1900*time.Millisecond {
				t.Errorf("the second attempt came after %v, want 2 s", waited)
			}
		})
	}
}

// What a collector rejects in part is counted and not sent again.
func TestARejectedPartIsCounted(t *testing.T) {
	t.Parallel()
	spans := &coltracepb.ExportTraceServiceResponse{PartialSuccess: &coltracepb.ExportTracePartialSuccess{RejectedSpans: 2, ErrorMessage: "too old"}}
	logs := &collogspb.ExportLogsServiceResponse{PartialSuccess: &collogspb.ExportLogsPartialSuccess{RejectedLogRecords: 3}}
	for _, protocol := range []string{"http/protobuf", "http/json"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			c.json = protocol == "http/json"
			var traces, records atomic.Int64
			c.before = func(w http.ResponseWriter, r *http.Request) bool {
				var answer proto.Message
				switch r.URL.Path {
				case "/v1/traces":
					traces.Add(1)
					answer = spans
				case "/v1/logs":
					answer = logs
					if records.Add(1) > 1 { // the line that says so
						return false
					}
				default:
					return false
				}
				encode, contentType := proto.Marshal, "application/x-protobuf"
				if c.json {
					encode, contentType = protojson.Marshal, "application/json"
				}
				text, err := encode(answer)
				if err != nil {
					t.Error(err)
				}
				w.Header().Set("Content-Type", contentType)
				_, _ = w.Write(text)
				return true
			}
			f := newFunction(t, map[string]string{
				"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_LOGS_EXPORTER": "otlp",
			}, ok)
			f.get(t, http.MethodGet, "/v1/things/1", nil)
			f.telemetry.Flush(t.Context())
			f.telemetry.Flush(t.Context()) // the counts of the first
			var got []string
			for _, p := range c.last(metrics.TelemetryDropped).GetSum().GetDataPoints() {
				a := attributes(p.GetAttributes())
				got = append(got, fmt.Sprint(a["telemetry.signal"], " ", a["telemetry.reason"], " ", p.GetAsInt()))
			}
			slices.Sort(got)
			if want := []string{"logs rejected 3", "traces rejected 2"}; !slices.Equal(got, want) || traces.Load() != 1 {
				t.Errorf("got %v in %d exports of spans, want %v in 1", got, traces.Load(), want)
			}
		})
	}
}

// Each signal can have a collector of its own, and one that is down does not delay the others.
func TestSignalsHaveEndpointsOfTheirOwn(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	f := newFunction(t, map[string]string{
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":  c.URL + "/v1/traces",
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:1/refuses",
		"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT":    c.URL + "/v1/logs", "OTEL_LOGS_EXPORTER": "otlp",
	}, ok)
	for i := range 3 {
		f.get(t, http.MethodGet, "/v1/things/1", nil)
		f.telemetry.Flush(t.Context())
		if len(c.spans()) != i+1 || len(c.logs) < i+1 {
			t.Errorf("after request %d: %d spans and %d exports of logs", i+1, len(c.spans()), len(c.logs))
		}
	}
	if len(c.metrics) != 0 {
		t.Error("metrics went to another signal's collector")
	}
}

// OTLP's JSON is what its protobuf is: ids in hex, names in lower camel case, 64-bit numbers as strings.
func TestJSONIsDecodedByTheOfficialMessages(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	c.json = true
	f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_LOGS_EXPORTER": "otlp"}, ok)
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	f.get(t, http.MethodGet, "/v1/things/1", http.Header{"Traceparent": {"00-" + id + "-00f067aa0ba902b7-01"}})
	f.telemetry.Flush(t.Context())
	if spans := c.spans(); len(spans) != 1 || hex.EncodeToString(spans[0].GetTraceId()) != id || len(spans[0].GetSpanId()) != 8 {
		t.Errorf("got %v", spans)
	}
	if got := c.counted(metrics.HTTPServerRequestDuration); got != 1 || len(c.logs) != 1 {
		t.Errorf("counted %d requests and %d exports of logs, want 1 of each", got, len(c.logs))
	}
}

// A client chooses tracestate and baggage; a secret in them stays here.
func TestPropagatedTextIsRedacted(t *testing.T) {
	t.Parallel()
	const email = "alice.canary@example.com"
	c := newCollector(t)
	f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, ok)
	f.get(t, http.MethodGet, "/v1/things/1", http.Header{
		"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, "Tracestate": {"vendor=" + email}, "Baggage": {"user=" + email},
	})
	f.get(t, http.MethodGet, "/v1/things/2", http.Header{
		"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, "Tracestate": {"vendor=value"},
	})
	f.telemetry.Flush(t.Context())
	if text := c.text(); strings.Contains(text, "canary") || !strings.Contains(text, "vendor=value") {
		t.Errorf("got %s", text)
	}
}

package telemetry_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// What is too long is cut after it was redacted: half of a card number would leave otherwise.
func TestCutTextIsRedacted(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, ok)
	f.get(t, http.MethodGet, "/v1/things/1", http.Header{
		"User-Agent":  {strings.Repeat("x", 1011) + " 4111111111111111"},
		"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
		"Tracestate":  {"a=" + strings.Repeat("s", 256) + ",b=" + strings.Repeat("s", 256)},
	})
	f.get(t, http.MethodGet, "/v1/things/"+strings.Repeat("p", 2000), nil)
	f.telemetry.Flush(t.Context())
	span := c.spans()[0]
	if path := attributes(c.spans()[1].GetAttributes())["url.path"]; len(path) != 1024 {
		t.Errorf("got %d bytes of the path, want 1024", len(path))
	}
	agent := attributes(span.GetAttributes())["user_agent.original"]
	if strings.Contains(agent, "4111") || len(agent) != 1022 {
		t.Errorf("got %d bytes of the user agent, the last are %q", len(agent), agent[max(0, len(agent)-20):])
	}
	if span.GetTraceState() != "" {
		t.Errorf("got %d bytes of tracestate", len(span.GetTraceState()))
	}
}

// Without an endpoint nothing may be logged, and with one no text of a client's. The process is another one because
// OpenTelemetry reports baggage once for each process.
func TestBadBaggageIsNotLogged(t *testing.T) {
	t.Parallel()
	if os.Getenv("TELEMETRY_CHILD") != "" {
		f := newFunction(t, nil, ok)
		f.get(t, http.MethodGet, "/v1/things/1", http.Header{"Baggage": {`mail="canary@example.com password=hunter2"`}})
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBadBaggageIsNotLogged$")
	child.Env = append(os.Environ(), "TELEMETRY_CHILD=1")
	var stderr bytes.Buffer
	child.Stderr = &stderr
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(stderr.String(), "canary") || strings.Contains(stderr.String(), "hunter2") {
		t.Errorf("stderr: %s", stderr.String())
	}
}

// A client that says that it does not sample must not hide a failure.
func TestClientCannotSwitchOffSpans(t *testing.T) {
	t.Parallel()
	for sampler, want := range map[string]int{"": 1, "traceidratio": 1, "parentbased_always_on": 0} {
		c := newCollector(t)
		f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_TRACES_SAMPLER": sampler}, ok)
		f.get(t, http.MethodGet, "/v1/things/1", http.Header{"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}})
		f.telemetry.Flush(t.Context())
		if got := len(c.spans()); got != want {
			t.Errorf("sampler %q: got %d spans, want %d", sampler, got, want)
		}
	}
}

// observability/collector.yaml takes at most 5 MiB a request and refuses a larger one for good. A queue that filled while the
// collector was away must arrive in parts.
func TestFullQueueLeavesInParts(t *testing.T) {
	t.Parallel()
	const limit = 5 << 20
	c := newCollector(t)
	var refused, largest atomic.Int64
	c.before = func(w http.ResponseWriter, r *http.Request) bool {
		largest.Store(max(largest.Load(), r.ContentLength))
		if r.ContentLength > limit {
			refused.Add(1)
			http.Error(w, "http: request body too large", http.StatusBadRequest)
			return true
		}
		return false
	}
	f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "LOG_LEVEL": "error"}, ok)
	header := http.Header{
		"User-Agent":  {strings.Repeat("u", 1024)},
		"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
		"Tracestate":  {"a=" + strings.Repeat("s", 256) + ",b=" + strings.Repeat("s", 240)},
	}
	path := "/v1/things/" + strings.Repeat("p", 1024)
	for range 2048 { // what the queue takes
		f.get(t, http.MethodGet, path, header)
	}
	arrived := map[string]bool{} // a collector that read a part in vain gets it again
	// The timeout of an export may end one before the last part, on a busy machine many times.
	for watchdog := time.Now().Add(time.Minute); len(arrived) < 2048 && time.Now().Before(watchdog); time.Sleep(300 * time.Millisecond) {
		f.telemetry.Flush(t.Context())
		for _, span := range c.spans() {
			arrived[string(span.GetSpanId())] = true
		}
	}
	if got := len(arrived); got != 2048 {
		t.Errorf("%d of 2048 spans arrived; %d requests were too large, the largest has %d bytes", got, refused.Load(), largest.Load())
	}
}

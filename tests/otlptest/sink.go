// Package otlptest is a collector for tests: it receives OTLP over HTTP, behaves as a test wants, and returns
// what it took.
package otlptest

import (
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/tienda-dev/tienda/local/otlp"
)

// Sink is a collector. What it answers with a failure it does not keep.
type Sink struct {
	address string
	over    chan struct{} // closed at the end of the test

	mu       sync.Mutex
	server   *http.Server
	behave   Behaviour
	requests int
	changed  chan struct{} // closed and replaced when an export was taken
	traces   []*tracepb.ResourceSpans
	metrics  []*metricspb.ResourceMetrics
	logs     []*logspb.ResourceLogs
}

// Behaviour decides about one request, of which n came before. It returns the status of the answer; hang never
// answers. It may wait until over is closed.
type Behaviour func(n int, over <-chan struct{}) (status int, hang bool)

// Answer answers everything with a status: 200, 400, 503.
func Answer(status int) Behaviour {
	return func(int, <-chan struct{}) (int, bool) { return status, false }
}

// Delay answers 200 after a time.
func Delay(d time.Duration) Behaviour {
	return func(_ int, over <-chan struct{}) (int, bool) {
		select {
		case <-time.After(d):
		case <-over:
		}
		return http.StatusOK, false
	}
}

// Hang never answers.
func Hang() Behaviour {
	return func(int, <-chan struct{}) (int, bool) { return 0, true }
}

// Every answers each n-th request with a status, the first one too, and the others with 200.
func Every(n, status int) Behaviour {
	return func(before int, _ <-chan struct{}) (int, bool) {
		if before%n == 0 {
			return status, false
		}
		return http.StatusOK, false
	}
}

// Once answers the next request with a status, and the others with 200.
func Once(status int) Behaviour {
	var once sync.Once
	return func(int, <-chan struct{}) (int, bool) {
		answer := http.StatusOK
		once.Do(func() { answer = status })
		return answer, false
	}
}

// Start starts a Sink that answers 200 until the end of the test.
func Start(t testing.TB) *Sink {
	t.Helper()
	return StartAt(t, "127.0.0.1:0")
}

// StartAt is Start at an address and a port, or at a free port for 0.
func StartAt(t testing.TB, address string) *Sink {
	t.Helper()
	s := &Sink{address: address, behave: Answer(http.StatusOK), over: make(chan struct{}), changed: make(chan struct{})}
	s.listen(t)
	t.Cleanup(func() {
		close(s.over)
		s.Refuse()
	})
	return s
}

// URL is what OTEL_EXPORTER_OTLP_ENDPOINT has.
func (s *Sink) URL() string { return "http://" + s.address }

// Behave changes what it does with the requests that come.
func (s *Sink) Behave(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behave = b
}

// Refuse closes its port and its connections.
func (s *Sink) Refuse() {
	s.mu.Lock()
	server := s.server
	s.mu.Unlock()
	_ = server.Close()
}

// Restart answers again, at the same address, after Refuse.
func (s *Sink) Restart(t testing.TB) {
	t.Helper()
	s.Refuse()
	s.listen(t)
}

func (s *Sink) listen(t testing.TB) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	take := otlp.Handler(s.take)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		behave, n := s.behave, s.requests
		s.requests++
		s.mu.Unlock()
		status, hang := behave(n, s.over)
		switch {
		case hang:
			select {
			case <-r.Context().Done():
			case <-s.over:
			}
			panic(http.ErrAbortHandler)
		case status != http.StatusOK:
			w.WriteHeader(status)
		default:
			take.ServeHTTP(w, r)
		}
	})}
	s.mu.Lock()
	s.address, s.server = listener.Addr().String(), server
	s.mu.Unlock()
	go func() { _ = server.Serve(listener) }() // Refuse ends it
}

func (s *Sink) take(e otlp.Export) otlp.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.traces = append(s.traces, e.Traces.GetResourceSpans()...)
	s.metrics = append(s.metrics, e.Metrics.GetResourceMetrics()...)
	s.logs = append(s.logs, e.Logs.GetResourceLogs()...)
	close(s.changed)
	s.changed = make(chan struct{})
	return otlp.Result{}
}

// Requests is how many requests came, whatever the answer.
func (s *Sink) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Await waits until done returns true, and asks it again after each export. It fails the test after a minute.
func (s *Sink) Await(t testing.TB, done func() bool) {
	t.Helper()
	watchdog := time.After(time.Minute)
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if done() {
			return
		}
		select {
		case <-changed:
		case <-watchdog:
			t.Fatalf("the collector does not have what the test waits for: %d requests, %d spans, %d log records", s.Requests(), len(s.Spans()), len(s.Logs()))
		}
	}
}

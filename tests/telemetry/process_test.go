package telemetry_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/tests/fleet"
	"github.com/tienda-dev/tienda/tests/otlptest"
)

// refusingOnce passes exports on to the sink, and answers every third one 503 the first time.
func refusingOnce(t *testing.T, sink *otlptest.Sink) string {
	t.Helper()
	target, err := url.Parse(sink.URL())
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	known := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		refuse := err != nil || !known[string(body)] && len(known)%3 == 0
		known[string(body)] = true
		mu.Unlock()
		if refuse {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Environments are frozen after each invocation and killed at the end without a signal; every third export is refused
// once.
func TestNothingIsLostByFreezeAndKill(t *testing.T) {
	t.Parallel()
	const instances, requests = 5, 8
	sink := otlptest.Start(t)
	l := newLambda(t, instances, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": refusingOnce(t, sink)}, 10*time.Second)
	var group sync.WaitGroup
	for i := range instances {
		group.Go(func() {
			pid := 0
			for range requests {
				if pid != 0 {
					_ = syscall.Kill(pid, syscall.SIGCONT)
				}
				a, err := l.call(t, i, "ok")
				if err != nil || a.status != http.StatusOK {
					t.Errorf("got %d, %v", a.status, err)
					return
				}
				pid, _ = strconv.Atoi(a.body)
				_ = syscall.Kill(pid, syscall.SIGSTOP)
			}
			_ = syscall.Kill(pid, syscall.SIGKILL)
		})
	}
	group.Wait()

	for name, want := range map[string]float64{
		"faas.invocations": instances * requests, "shop.order.placed": instances * requests, "faas.coldstarts": instances,
	} {
		if got := total(sink, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if got := len(sink.Spans()); got != instances*requests {
		t.Errorf("got %d spans, want %d", got, instances*requests)
	}
	sink.Check(t)
}

// A kill after the response, before the environment asks for the next event, loses that invocation at most.
func TestAnEarlyKillLosesItsInvocationAtMost(t *testing.T) {
	t.Parallel()
	const instances, requests = 8, 5
	sink := otlptest.Start(t)
	result, err := fleet.Run(t.Context(), fleet.Config{
		Binary: binary, Env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + sink.URL(), "TELEMETRY_BUSY_INTERVAL=0"}, Instances: instances, Requests: requests, Alive: 4,
		Early: true, Event: func(int, int) []byte { return event("ok") },
	})
	if err != nil || result.Responses != instances*requests {
		t.Fatalf("got %+v, %v", result, err)
	}
	const most, least = instances * requests, instances * (requests - 1)
	for _, name := range []string{"faas.invocations", "shop.order.placed"} {
		if got := total(sink, name); got < least || got > most {
			t.Errorf("%s is %v, want %d to %d", name, got, least, most)
		}
	}
	if got := len(sink.Spans()); got < least || got > most {
		t.Errorf("got %d spans, want %d to %d", got, least, most)
	}
	sink.Check(t)
}

// The line of a request, which is written after the response, is in the export of its invocation.
func TestTheLogRecordOfAnInvocationArrivesWithIt(t *testing.T) {
	t.Parallel()
	const requests = 20
	sink := otlptest.Start(t)
	l := newLambda(t, 1, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.URL(), "OTEL_LOGS_EXPORTER": "otlp", "GOMAXPROCS": "1"}, 10*time.Second)
	for i := range requests {
		if a, err := l.call(t, 0, "ok"); err != nil || a.status != http.StatusOK {
			t.Fatalf("got %d, %v", a.status, err)
		}
		lines := 0
		for _, record := range sink.Logs() {
			if record.GetBody().GetStringValue() == "request" {
				lines++
			}
		}
		if lines != i+1 {
			t.Fatalf("%d lines have arrived after %d requests", lines, i+1)
		}
	}
	sink.Check(t)
}

// The extension of the exports is the process's only one, and gets it SIGTERM.
func TestWhatABusyEnvironmentKeepsBackArrivesAtSIGTERM(t *testing.T) {
	t.Parallel()
	const requests = 5
	sink := otlptest.Start(t)
	l := newLambda(t, 1, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.URL(), "TELEMETRY_BUSY_INTERVAL": "60000"}, 10*time.Second)
	for range requests {
		if a, err := l.call(t, 0, "ok"); err != nil || a.status != http.StatusOK {
			t.Fatalf("got %d, %v", a.status, err)
		}
	}
	if got := total(sink, "faas.invocations"); got >= requests {
		t.Fatalf("%v invocations were exported before the end: nothing was kept back", got)
	}
	l.Close()
	if got := total(sink, "faas.invocations"); got != requests {
		t.Errorf("faas.invocations is %v, want %d", got, requests)
	}
	if got := len(sink.Spans()); got != requests {
		t.Errorf("got %d spans, want %d", got, requests)
	}
	sink.Check(t)
}

// What went wrong has arrived when the invocation is over: the span with its error type, and its counts.
func TestAFailureArrivesBeforeTheKill(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		path, errorType string
		status          int // 0 without an answer
		counts          map[string]float64
	}{
		// The handler ignores its context, and Lambda kills the process.
		"Timeout": {"sleep", "timeout", 0, map[string]float64{"faas.timeouts": 1, "faas.invoke_duration": 1, "http.server.request.duration": 1}},
		// The handler respects its context and answers in time.
		"Deadline": {"wait", "timeout", http.StatusGatewayTimeout, map[string]float64{"faas.invocations": 1, "faas.invoke_duration": 1, "http.server.request.duration": 1}},
		"Panic":    {"panic", "panic", http.StatusInternalServerError, map[string]float64{"faas.invocations": 1, "faas.invoke_duration": 1, "http.server.request.duration": 1}},
		"Error":    {"fail", "500", http.StatusInternalServerError, map[string]float64{"faas.invocations": 1, "faas.invoke_duration": 1, "http.server.request.duration": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := otlptest.Start(t)
			l := newLambda(t, 1, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.URL()}, 2*time.Second)
			a, err := l.call(t, 0, test.path)
			if a.status != test.status || (err == nil) != (test.status != 0) {
				t.Fatalf("got %d, %v", a.status, err)
			}
			if !failed(sink, test.errorType) {
				t.Errorf("no span has error.type %s: %v", test.errorType, sink.Spans())
			}
			for _, counter := range []string{"faas.invocations", "faas.errors", "faas.timeouts", "faas.invoke_duration", "http.server.request.duration"} {
				if got := total(sink, counter); got != test.counts[counter] {
					t.Errorf("%s is %v, want %v", counter, got, test.counts[counter])
				}
			}
			for series := range sink.Merged()["http.server.request.duration"] {
				if want := "error.type=" + test.errorType + ","; len(series) < len(want) || series[:len(want)] != want {
					t.Errorf("the request is counted as %s", series)
				}
			}
		})
	}
}

// The response arrives while the collector still holds the export.
func TestTheResponseDoesNotWaitForTheExport(t *testing.T) {
	t.Parallel()
	sink := otlptest.Start(t)
	held, release := make(chan struct{}, 64), make(chan struct{})
	sink.Behave(func(_ int, over <-chan struct{}) (int, bool) {
		held <- struct{}{}
		select {
		case <-release:
		case <-over:
		}
		return http.StatusOK, false
	})
	// An export before the response would hold it for two seconds, and end without an answer.
	l := newLambda(t, 1, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.URL(), "OTEL_EXPORTER_OTLP_TIMEOUT": "2000"}, 10*time.Second)
	a, err := l.ask(t, 0, "ok")
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("got %d, %v", a.status, err)
	}
	select {
	case <-l.of(a.id):
		t.Fatal("the invocation was over with the response: the export went before it")
	default:
	}
	<-held
	close(release)
	<-l.of(a.id)
	if got := len(sink.Spans()); got != 1 {
		t.Errorf("got %d spans, want 1", got)
	}
	if got := total(sink, "faas.invocations"); got != 1 {
		t.Errorf("faas.invocations is %v, want 1", got)
	}
}

// No state of the collector is an error of the caller, and what it takes after a failure is complete.
func TestACollectorFailsNoRequest(t *testing.T) {
	t.Parallel()
	const requests = 5
	for name, test := range map[string]struct {
		behave otlptest.Behaviour
		spans  int // that arrive after the collector has recovered
	}{
		"Fast":        {otlptest.Answer(http.StatusOK), requests + 1},
		"Slow":        {otlptest.Delay(100 * time.Millisecond), requests + 1},
		"Hanging":     {otlptest.Hang(), requests + 1},
		"Unavailable": {otlptest.Answer(http.StatusServiceUnavailable), requests + 1},
		"Refusing":    {nil, requests + 1},
		"Rejecting":   {otlptest.Answer(http.StatusBadRequest), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := otlptest.Start(t)
			l := newLambda(t, 1, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.URL(), "OTEL_EXPORTER_OTLP_TIMEOUT": "500"}, 10*time.Second)
			if test.behave == nil {
				sink.Refuse()
			} else {
				sink.Behave(test.behave)
			}
			get := func() {
				a, err := l.call(t, 0, "ok")
				if err != nil || a.status != http.StatusOK {
					t.Fatalf("got %d, %v", a.status, err)
				}
			}
			for range requests {
				get()
			}
			sink.Restart(t)
			sink.Behave(otlptest.Answer(http.StatusOK))
			want := requests
			for range 100 { // the pause after failures has an end
				get()
				want++
				if len(sink.Spans()) > 0 && total(sink, "faas.invocations") == float64(want) {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			if got := total(sink, "faas.invocations"); got != float64(want) {
				t.Errorf("faas.invocations is %v, want %d", got, want)
			}
			lost := requests + 1 - test.spans
			if got := len(sink.Spans()); got != want-lost {
				t.Errorf("got %d spans, want %d", got, want-lost)
			}
			sink.Check(t)
		})
	}
}

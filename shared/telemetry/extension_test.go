package telemetry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/tracing"
)

// One environment serves many events: each is exported before the extension asks for the next, an error too.
func TestEachInvocationIsExportedBeforeTheNextEvent(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	var calls atomic.Int64
	e := newEnvironment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, func(context.Context) error {
		if calls.Add(1)%3 == 0 {
			return errors.New("on purpose")
		}
		return nil
	})
	e.await(t)
	for i := range 9 {
		err := e.invoke(t, strconv.Itoa(i))
		if (err != nil) != (i%3 == 2) {
			t.Fatalf("invocation %d: got %v", i, err)
		}
		if got := c.counted(metrics.FaaSInvocations) + c.counted(metrics.FaaSErrors); got != int64(i+1) {
			t.Fatalf("after %d invocations %d were counted", i+1, got)
		}
	}
	if got := c.counted(metrics.FaaSErrors); got != 3 {
		t.Errorf("faas.errors is %d, want 3", got)
	}
	if e.parallelNext.Load() {
		t.Error("the extension asked for two events at a time")
	}
}

// What a busy environment keeps back is exported at SIGTERM.
func TestShutdownExportsWhatWaits(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	e := newEnvironment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "TELEMETRY_BUSY_INTERVAL": "3600000"}, nil)
	e.await(t)
	if !e.host.extended {
		t.Error("the function does not say that it has an extension: it would register another one for SIGTERM")
	}
	const calls = 20
	for i := range calls {
		_ = e.invoke(t, strconv.Itoa(i))
	}
	if got := c.counted(metrics.FaaSInvocations); got == calls { // the last one may follow a pause of this machine
		t.Logf("nothing waits: all %d invocations were exported", got)
	}
	for _, stop := range e.shutdown {
		stop()
	}
	if got := c.counted(metrics.FaaSInvocations); got != calls {
		t.Errorf("counted %d invocations, want %d", got, calls)
	}
}

// The runtime can refuse an event without calling the handler. The extension must be ready again at the deadline,
// or Lambda ends the environment.
func TestAnEventWithoutAHandlerDoesNotHoldTheEnvironment(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	e := newEnvironment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, nil)
	e.await(t)
	e.announce("never runs", time.Now().Add(100*time.Millisecond))
	e.await(t)
	if err := e.invoke(t, "next"); err != nil || c.counted(metrics.FaaSInvocations) != 1 {
		t.Errorf("got %v and %d invocations, want 1", err, c.counted(metrics.FaaSInvocations))
	}
}

func TestTheExtensionSurvivesAnErrorOfItsAPI(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	e := newEnvironment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, nil)
	e.await(t)
	e.refuse.Store(2)
	_ = e.invoke(t, "1")
	_ = e.invoke(t, "2")
	if got := c.counted(metrics.FaaSInvocations); got != 2 {
		t.Errorf("counted %d invocations, want 2", got)
	}
}

// Without its extension a function exports in its invocation, and loses nothing.
func TestWithoutAnExtensionExportsAreInline(t *testing.T) {
	t.Parallel()
	t.Run("NextFails", func(t *testing.T) {
		t.Parallel()
		c := newCollector(t)
		e := newEnvironment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, nil)
		e.await(t)
		e.refuse.Store(1 << 30)
		deadline := time.Now().Add(20 * time.Second)
		e.announce("1", deadline)
		for i := range 100 { // until the extension has given up
			_ = e.call(t, strconv.Itoa(i+1), deadline)
			if c.counted(metrics.FaaSInvocations) == int64(i+1) && i > 5 {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("counted %d invocations, want 100", c.counted(metrics.FaaSInvocations))
	})
	for name, answer := range map[string]http.HandlerFunc{
		"RegistrationRefused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"RegistrationHangs": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // so that the server notices when the client has gone
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			api := httptest.NewServer(answer)
			t.Cleanup(api.Close)
			e := &environment{host: newHost(map[string]string{
				"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "AWS_LAMBDA_RUNTIME_API": strings.TrimPrefix(api.URL, "http://"),
			})}
			start := time.Now()
			e.start(t, nil)
			if e.host.extended {
				t.Error("the function says that it has an extension: Lambda would send it no SIGTERM")
			}
			if took := time.Since(start); took > 5*time.Second { // INIT has 10
				t.Errorf("INIT took %v", took)
			}
			if err := e.call(t, "1", time.Now().Add(20*time.Second)); err != nil || c.counted(metrics.FaaSInvocations) != 1 {
				t.Errorf("got %v and %d invocations, want 1", err, c.counted(metrics.FaaSInvocations))
			}
		})
	}
}

// Handlers that end at the very moment of the guard are a success or a timeout, and never both.
func TestAnInvocationIsCountedOnce(t *testing.T) {
	t.Parallel()
	const invocations = 300
	c := newCollector(t)
	e := newEnvironment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "AWS_LAMBDA_MAX_CONCURRENCY": "8"}, func(ctx context.Context) error {
		deadline, _ := ctx.Deadline()
		time.Sleep(time.Until(deadline.Add(-150 * time.Millisecond))) // the guard's moment
		return nil
	})
	var group sync.WaitGroup
	for i := range invocations {
		group.Go(func() {
			_ = e.call(t, strconv.Itoa(i), time.Now().Add(160*time.Millisecond+time.Duration(i)*100*time.Microsecond))
		})
	}
	group.Wait()
	c.await(t, func() bool { return c.counted(metrics.FaaSInvokeDuration) >= invocations })
	succeeded, timedOut := c.counted(metrics.FaaSInvocations), c.counted(metrics.FaaSTimeouts)
	if succeeded+timedOut != invocations || timedOut == 0 {
		t.Errorf("%d successes and %d timeouts, want %d together", succeeded, timedOut, invocations)
	}
	if got := c.counted(metrics.FaaSInvokeDuration); got != invocations {
		t.Errorf("measured %d times, want %d", got, invocations)
	}
}

// Where invocations run in parallel, the timeout of one ends its own spans only.
func TestATimeoutEndsItsOwnSpans(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	release := make(chan struct{})
	e := newEnvironment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "AWS_LAMBDA_MAX_CONCURRENCY": "8"}, func(ctx context.Context) error {
		name := "late"
		if deadline, _ := ctx.Deadline(); time.Until(deadline) > 10*time.Second {
			name = "in time"
		}
		ctx, outer := otel.GetTracerProvider().Tracer("test").Start(ctx, name)
		defer outer.End()
		_, inner := tracing.StartSpan(ctx, name)
		defer inner.End()
		<-release
		return nil
	})
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() { _ = e.call(t, "long"+strconv.Itoa(i), time.Now().Add(time.Minute)) })
	}
	group.Go(func() { _ = e.call(t, "short", time.Now().Add(200*time.Millisecond)) })
	c.await(t, func() bool { return len(c.spans()) >= 2 })
	close(release)
	group.Wait()
	c.await(t, func() bool { return len(c.spans()) >= 10 && c.counted(metrics.FaaSInvokeDuration) >= 5 })
	if e.registered.Load() != 0 {
		t.Error("an extension registered, which Managed Instances do not call")
	}
	spans := map[string]bool{} // by id: an export that the guard's limit has ended is sent again
	for _, s := range c.spans() {
		spans[string(s.GetSpanId())] = true
		late := s.GetName() == "late"
		if got := attributes(s.GetAttributes())["error.type"]; (got == metrics.ErrorTimeout) != late {
			t.Errorf("%s: error.type is %q", s.GetName(), got)
		}
	}
	if len(spans) != 10 || c.counted(metrics.FaaSTimeouts) != 1 || c.counted(metrics.FaaSInvocations) != 4 {
		t.Errorf("got %d spans, %d timeouts and %d invocations, want 10, 1 and 4", len(spans), c.counted(metrics.FaaSTimeouts), c.counted(metrics.FaaSInvocations))
	}
}

// Near its deadline, an export after the response ends in time: Lambda kills what is not ready at the deadline.
func TestAnExportEndsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	c.before = func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	}
	e := newEnvironment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_TIMEOUT": "2000"}, nil)
	e.await(t)
	start := time.Now()
	deadline := start.Add(400 * time.Millisecond)
	e.announce("1", deadline)
	_ = e.call(t, "1", deadline)
	e.await(t)
	if took := time.Since(start); took > 1500*time.Millisecond { // the configured two seconds, less what a busy machine takes
		t.Errorf("the extension was ready after %v, the deadline was after 400 ms", took)
	}
}

// SIGTERM comes while an export hangs: the last one takes what it had not delivered.
func TestAShutdownEndsAnExportThatHangs(t *testing.T) { //nolint:paralleltest // a shutdown has 250 ms of the machine
	c := newCollector(t)
	var hangs atomic.Int64
	hanging := make(chan struct{}, 16)
	c.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if hangs.Add(1) > 2 { // traces and metrics
			return false
		}
		hanging <- struct{}{}
		<-r.Context().Done()
		return true
	}
	e := newEnvironment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_TIMEOUT": "2000"}, func(ctx context.Context) error {
		_, span := otel.GetTracerProvider().Tracer("test").Start(ctx, "work")
		span.End()
		return nil
	})
	e.await(t)
	deadline := time.Now().Add(20 * time.Second)
	e.announce("1", deadline)
	_ = e.call(t, "1", deadline)
	<-hanging
	<-hanging
	e.shutdown[0]()
	if len(c.spans()) != 1 || c.counted(metrics.FaaSInvocations) != 1 {
		t.Errorf("got %d spans and %d invocations, want 1 of each", len(c.spans()), c.counted(metrics.FaaSInvocations))
	}
}

// Nothing of telemetry runs on when its environment has ended.
func TestNoGoroutineIsLeft(t *testing.T) { //nolint:paralleltest // it looks at the goroutines of the whole process
	for name, more := range map[string]string{"Extension": "1", "ManagedInstances": "8"} {
		before := goleak.IgnoreCurrent()
		c := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		e := newEnvironment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "AWS_LAMBDA_MAX_CONCURRENCY": more}, nil)
		if more == "1" {
			e.await(t)
			_ = e.invoke(t, "1")
		} else {
			_ = e.call(t, "1", time.Now().Add(time.Minute))
		}
		e.shutdown[0]()
		e.end()
		c.Close()
		if err := goleak.Find(before); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

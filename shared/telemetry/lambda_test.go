package telemetry_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tienda-dev/tienda/shared/telemetry"
)

// environment is a Lambda environment: its Extensions API, and the handler as telemetry wraps it.
type environment struct {
	*host

	api     *httptest.Server
	handler lambda.Handler
	events  chan string
	// ready receives a value whenever the extension asks for its next event.
	ready chan struct{}
	// refuse is how many of the next requests for an event are answered 500.
	refuse, waiting, registered atomic.Int64
	parallelNext                atomic.Bool
	over                        chan struct{} // closed at the end
	once                        sync.Once
}

// body is the function of an environment; nil does nothing. Without the variable TELEMETRY_BUSY_INTERVAL it exports after every
// invocation.
type body func(context.Context) error

func newEnvironment(t *testing.T, environ map[string]string, f body) *environment {
	t.Helper()
	e := &environment{events: make(chan string, 16), ready: make(chan struct{}, 64), over: make(chan struct{})}
	e.api = httptest.NewServer(e)
	t.Cleanup(e.end)
	if environ["TELEMETRY_BUSY_INTERVAL"] == "" {
		environ["TELEMETRY_BUSY_INTERVAL"] = "0"
	}
	environ["AWS_LAMBDA_RUNTIME_API"] = strings.TrimPrefix(e.api.URL, "http://")
	e.host = newHost(environ)
	e.start(t, f)
	return e
}

func (e *environment) start(t *testing.T, f body) {
	t.Helper()
	if _, err := telemetry.Start(t.Context(), e.host); err != nil {
		t.Fatal(err)
	}
	e.host.init(t)
	e.handler = e.wrap(lambda.NewHandler(func(ctx context.Context) error {
		if f == nil {
			return nil
		}
		return f(ctx)
	}))
}

// end ends the environment.
func (e *environment) end() {
	e.once.Do(func() {
		e.refuse.Store(1 << 30)
		close(e.over)
		e.api.Close()
	})
}

// ServeHTTP is the Extensions API.
func (e *environment) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if strings.HasSuffix(r.URL.Path, "/register") {
		e.registered.Add(1)
		w.Header().Set("Lambda-Extension-Identifier", "id")
		return
	}
	if e.refuse.Add(-1) >= 0 {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if e.waiting.Add(1) > 1 {
		e.parallelNext.Store(true)
	}
	defer e.waiting.Add(-1)
	e.ready <- struct{}{}
	select {
	case event := <-e.events:
		_, _ = w.Write([]byte(event))
	case <-r.Context().Done():
	case <-e.over:
	}
}

// announce gives the extension the event of an invocation.
func (e *environment) announce(id string, deadline time.Time) {
	e.events <- fmt.Sprintf(`{"eventType":"INVOKE","requestId":%q,"deadlineMs":%d}`, id, deadline.UnixMilli())
}

// call runs the handler for an invocation.
func (e *environment) call(t *testing.T, id string, deadline time.Time) error {
	t.Helper()
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	_, err := e.handler.Invoke(lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: id}), []byte(`{}`))
	return err
}

// invoke is a whole invocation: it returns when the environment is ready for the next.
func (e *environment) invoke(t *testing.T, id string) error {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	e.announce(id, deadline)
	err := e.call(t, id, deadline)
	e.await(t)
	return err
}

// await waits until the extension asks for its next event.
func (e *environment) await(t *testing.T) {
	t.Helper()
	select {
	case <-e.ready:
	case <-time.After(10 * time.Second):
		t.Fatal("the extension does not ask for its next event")
	}
}

// await waits until periodic exports have brought what the test waits for.
func (c *collector) await(t *testing.T, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the collector does not have what was recorded")
}

// counted returns the value of a counter, or how many values a histogram has, in the last export.
func (c *collector) counted(name string) int64 {
	n := int64(0)
	m := c.last(name)
	for _, p := range m.GetSum().GetDataPoints() {
		n += p.GetAsInt()
	}
	for _, p := range m.GetHistogram().GetDataPoints() {
		n += int64(p.GetCount())
	}
	return n
}

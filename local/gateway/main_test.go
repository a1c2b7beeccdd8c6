package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// call is an invocation that a fake saw.
type call struct {
	Function string
	Event    map[string]any
	Raw      string
}

// fake is an Invoker that answers from a table of functions and remembers its calls.
type fake struct {
	functions map[string]func(ctx context.Context, event map[string]any) (runtime.Result, error)
	mu        sync.Mutex
	calls     []call
}

func (f *fake) Invoke(ctx context.Context, function string, payload []byte) (runtime.Result, error) {
	var event map[string]any
	if err := json.Unmarshal(payload, &event); err != nil {
		return runtime.Result{}, err
	}
	f.mu.Lock()
	f.calls = append(f.calls, call{function, event, string(payload)})
	f.mu.Unlock()
	if answer := f.functions[function]; answer != nil {
		return answer(ctx, event)
	}
	return says(`{"statusCode":200,"body":"ok"}`)(ctx, event)
}

// count returns how often a function was invoked.
func (f *fake) count(function string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c.Function == function {
			n++
		}
	}
	return n
}

// last returns the last invocation.
func (f *fake) last(t *testing.T) call {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.calls) == 0 {
		t.Fatal("nothing was invoked")
	}
	return f.calls[len(f.calls)-1]
}

// answering is a function of a fake.
type answering = func(context.Context, map[string]any) (runtime.Result, error)

// says returns a function that always gives one payload.
func says(payload string) answering {
	return func(context.Context, map[string]any) (runtime.Result, error) {
		return runtime.Result{Payload: []byte(payload)}, nil
	}
}

// fails returns a function that the platform fails.
func fails(err error) answering {
	return func(context.Context, map[string]any) (runtime.Result, error) { return runtime.Result{}, err }
}

// api is a gateway behind a real server.
type api struct {
	*httptest.Server
	*fake
	mu     sync.Mutex
	access []gateway.Access
}

// serve starts a gateway of cfg over a fake with the functions.
func serve(t *testing.T, cfg gateway.Config, functions map[string]answering) *api {
	t.Helper()
	a := &api{fake: &fake{functions: functions}}
	cfg.Invoker = a.fake
	cfg.AccessLog = func(entry gateway.Access) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.access = append(a.access, entry)
	}
	g, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	a.Server = httptest.NewServer(g)
	t.Cleanup(func() {
		a.Client().CloseIdleConnections()
		a.Close()
	})
	return a
}

// logged waits for n entries of the access log and returns the last.
func (a *api) logged(t *testing.T, n int) gateway.Access {
	t.Helper()
	for range 500 {
		a.mu.Lock()
		if len(a.access) >= n {
			defer a.mu.Unlock()
			return a.access[n-1]
		}
		a.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("the access log has fewer than %d entries", n)
	return gateway.Access{}
}

// reply is an answer as the client sees it.
type reply struct {
	Status int
	Header http.Header
	Body   string
}

// do sends a request; headers are "Name: value" lines.
func (a *api) do(t *testing.T, method, target, body string, headers ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, a.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Add(name, value)
	}
	response, err := a.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(content)}
}

// want checks an answer's status and body.
func (r reply) want(t *testing.T, status int, body string) {
	t.Helper()
	if r.Status != status || r.Body != body {
		t.Errorf("got %d %s, want %d %s", r.Status, r.Body, status, body)
	}
}

// routes returns routes to the function "f".
func routes(keys ...string) []gateway.Route {
	var list []gateway.Route
	for _, key := range keys {
		list = append(list, gateway.Route{RouteKey: key, Function: "f"})
	}
	return list
}

//go:build integration

package integration_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tests/suite"
)

// linesWith returns the log's lines that contain every text.
func linesWith(b *suite.Buffer, texts ...string) []string {
	var found []string
	for line := range strings.Lines(string(b.Bytes())) {
		has := true
		for _, text := range texts {
			has = has && strings.Contains(line, text)
		}
		if has {
			found = append(found, line)
		}
	}
	return found
}

func TestFunctionsStartOnDemandAndStayWarm(t *testing.T) {
	t.Parallel()
	var log suite.Buffer
	s := start(t, func(o *stack.Options) { o.Out = &log })
	c := suite.New(target(t, s))
	live := suite.Request{Method: http.MethodGet, Path: "/health/live"}
	for range 5 {
		c.Do(t, live)
	}
	await(t, func() bool { return len(linesWith(&log, " 200 GET /health/live ")) == 5 })
	if cold := linesWith(&log, "GET /health/live", "cold start"); len(cold) != 1 || !strings.Contains(linesWith(&log, "GET /health/live")[0], "cold start") {
		t.Errorf("%d of 5 requests were cold starts, want the first:\n%s", len(cold), strings.Join(linesWith(&log, "GET /health"), ""))
	}
	if others := linesWith(&log, "cold start"); len(others) != 1 {
		t.Errorf("functions were started without a request:\n%s", strings.Join(others, ""))
	}
}

// The authorizer writes one line for every invocation.
func TestPublicReadsInvokeNoAuthorizer(t *testing.T) {
	t.Parallel()
	var log suite.Buffer
	s := start(t, func(o *stack.Options) { o.Out = &log })
	c := suite.New(target(t, s))
	const authorizer = "authorizer | "
	for _, path := range []string{
		"/v1/products?limit=1", "/v1/products/search?q=blend", "/v1/products/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/v1/categories",
	} {
		for _, token := range []string{"", "garbage", c.As(t, "catalog")} {
			if a := c.Do(t, suite.Request{Method: http.MethodGet, Path: path, Token: token}); a.Status != http.StatusOK && a.Status != http.StatusNotFound {
				t.Errorf("%s: got %d %s", path, a.Status, a.Body)
			}
		}
	}
	await(t, func() bool { return len(linesWith(&log, "GET /v1/categories", " MB")) == 3 })
	if invoked := linesWith(&log, authorizer); len(invoked) > 0 {
		t.Errorf("public reads invoked the authorizer:\n%s", strings.Join(invoked, ""))
	}

	c.StaffList(t, "active") // shows that an invocation would have been seen
	await(t, func() bool { return len(linesWith(&log, authorizer)) > 0 })
}

func TestConcurrentRequestsHaveEnvironmentsOfTheirOwn(t *testing.T) {
	t.Parallel()
	var log suite.Buffer
	s := start(t, func(o *stack.Options) { o.Out = &log })
	c := suite.New(target(t, s))
	const n = 6
	outcomes := together(n, func(int) string {
		return outcome(c.Send(t, suite.Request{Method: http.MethodGet, Path: "/v1/categories"}))
	})
	if diff := cmp.Diff(map[string]int{"200": n}, count(outcomes)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	await(t, func() bool { return len(linesWith(&log, "GET /v1/categories", " MB")) == n })
	if cold := len(linesWith(&log, "GET /v1/categories", "cold start")); cold < 2 {
		t.Errorf("%d requests at once had %d environments", n, cold)
	}
}

func TestKilledFunctionIsReplaced(t *testing.T) { //nolint:paralleltest // it looks at all processes
	s := start(t)
	c := suite.New(target(t, s))
	live := suite.Request{Method: http.MethodGet, Path: "/health/live"}
	others := descendants(os.Getpid())
	c.Do(t, live)
	started := descendants(os.Getpid())
	maps.DeleteFunc(started, func(id int, _ string) bool { _, other := others[id]; return other })
	if len(started) != 1 && len(others) > 0 {
		t.Fatalf("one request to one public function started %v", started)
	}
	for id := range started {
		p, err := os.FindProcess(id)
		if err := errors.Join(err, p.Kill()); err != nil {
			t.Fatal(err)
		}
	}
	if err := gone(started); err != nil {
		t.Fatal(err)
	}
	// The request that finds the process dead before the runtime does may fail, as on AWS.
	await(t, func() bool {
		a, err := c.Send(t, live)
		return err == nil && a.Status == http.StatusOK
	})
	for range 3 {
		if a := c.Do(t, live); a.Status != http.StatusOK {
			t.Errorf("after the kill: got %d %s", a.Status, a.Body)
		}
	}
}

func TestStopLeavesNothing(t *testing.T) { //nolint:paralleltest // it looks at all goroutines
	shared.Pump().Pause() // its schedules would start functions meanwhile
	t.Cleanup(shared.Pump().Resume)
	ignored := quiet(t)
	before := descendants(os.Getpid())
	s := start(t)
	client := suite.NewClient()
	c := suite.New(suite.Target{URL: s.URL, Client: client, Token: tokens(s)})
	c.Create(t, suite.NewProduct())
	started := descendants(os.Getpid())
	maps.DeleteFunc(started, func(id int, _ string) bool { _, other := before[id]; return other })
	if len(started) < 2 && len(before) > 0 { // the function's process and the authorizer's
		t.Errorf("saw only %v start", started)
	}

	s.Stop()
	s.Stop() // again
	client.CloseIdleConnections()
	if err := gone(started); err != nil {
		t.Error(err)
	}
	if err := closed(s.URL); err != nil {
		t.Error(err)
	}
	if err := goleak.Find(ignored); err != nil {
		t.Error(err)
	}
}

// quiet waits until no goroutine begins any more, and lets goleak ignore those that run.
func quiet(t *testing.T) goleak.Option {
	t.Helper()
	var ignored goleak.Option
	await(t, func() bool {
		ignored = goleak.IgnoreCurrent()
		time.Sleep(300 * time.Millisecond)
		return goleak.Find(ignored) == nil
	})
	return ignored
}

// TestBinariesRefuseEventsOfOtherRoutes sends events past the gateway, to a binary that is wired to
// the wrong route: it must not serve under a policy that is not its route's.
func TestBinariesRefuseEventsOfOtherRoutes(t *testing.T) {
	t.Parallel()
	var log suite.Buffer
	functions := make([]runtime.Function, 0, 2)
	for _, f := range shared.Template.Functions {
		if f.Name != "get-liveness" && f.Name != "adjust-inventory" {
			continue
		}
		env := maps.Clone(f.Environment)
		env["AWS_ENDPOINT_URL_DYNAMODB"] = shared.Endpoint
		functions = append(functions, runtime.Function{
			Name: f.Name, Binary: filepath.Join(root, ".cache", "run", f.Name, "bootstrap"), Env: env, Timeout: f.Timeout,
		})
	}
	lambda, err := runtime.New(runtime.Config{Functions: functions, Log: func(l runtime.Line) { _, _ = fmt.Fprintln(&log, l.Function, l.Text) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lambda.Close)

	c := suite.New(target(t, shared))
	p := c.Create(t, suite.NewProduct())
	staff := json.RawMessage(`{"auth":"ok","sub":"user-1","roles":"fulfilment"}`)
	body := suite.Movement(5)
	adjust := func(routeKey string) []byte {
		path := "/v1/products/" + p.ID + "/inventory/adjustments"
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", p.ID)
		event, err := gateway.Event(r, []byte(body), gateway.EventContext{
			RouteKey: routeKey, RawPath: path, PathParameters: map[string]string{"id": p.ID}, Authorizer: staff,
		})
		if err != nil {
			t.Fatal(err)
		}
		return event
	}
	const own = "POST /v1/products/{id}/inventory/adjustments"
	for _, tc := range []struct {
		name, function string
		event          []byte
		want           int
	}{
		{"AnotherRoute", "adjust-inventory", adjust("GET /v1/products/{id}/inventory"), http.StatusInternalServerError},
		{"AnotherMethod", "adjust-inventory", adjust("PUT /v1/products/{id}/inventory/adjustments"), http.StatusInternalServerError},
		{"AnyMethod", "adjust-inventory", adjust("ANY /v1/products/{id}/inventory/adjustments"), http.StatusInternalServerError},
		{"Default", "adjust-inventory", adjust("$default"), http.StatusInternalServerError},
		{"OtherFunction", "get-liveness", adjust(own), http.StatusInternalServerError},
		{"NotAnEvent", "get-liveness", []byte(`{}`), 0},
		{"NotAnObject", "get-liveness", []byte(`[1]`), 0},
		{"Null", "get-liveness", []byte(`null`), 0},
		{"OwnRouteIsServed", "adjust-inventory", adjust(own), http.StatusCreated}, // last: the others have written nothing
	} {
		t.Run(tc.name, func(t *testing.T) { // in order
			if tc.want == http.StatusCreated {
				if got := c.Stock(t, p); got.Available != 0 {
					t.Errorf("a refused event has moved %d pieces", got.Available)
				}
			}
			result, err := lambda.Invoke(t.Context(), tc.function, tc.event)
			if err != nil || result.FunctionError {
				t.Fatalf("the function failed: %v %s", err, result.Payload)
			}
			var got struct {
				StatusCode int               `json:"statusCode"`
				Headers    map[string]string `json:"headers"`
				Body       string            `json:"body"`
			}
			if err := json.Unmarshal(result.Payload, &got); err != nil {
				t.Fatal(err)
			}
			if tc.want != 0 && got.StatusCode != tc.want || got.StatusCode < http.StatusOK {
				t.Errorf("got %s, want status %d", result.Payload, tc.want)
			}
			if got.StatusCode >= http.StatusBadRequest && strings.Contains(got.Body, "routeKey") {
				t.Errorf("the response shows how the API is wired: %s", got.Body)
			}
		})
	}
	if len(linesWith(&log, "adjust-inventory", "ERROR")) == 0 {
		t.Errorf("nothing of it is logged as an error:\n%s", log.Bytes())
	}
}

// await waits for what another goroutine is about to do.
func await(t *testing.T, done func() bool) {
	t.Helper()
	for range 100 {
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("waited in vain")
}

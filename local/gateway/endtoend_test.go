package gateway_test

import (
	"encoding/json"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
)

// process serves a gateway over real processes of testdata/echo.
func process(t *testing.T) *api {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o", binary, "./testdata/echo")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	one := 1
	r, err := runtime.New(runtime.Config{Functions: []runtime.Function{
		{Name: "echo", Binary: binary, Timeout: 2 * time.Second},
		{Name: "authorizer", Binary: binary, Timeout: 5 * time.Second},
		{Name: "single", Binary: binary, Timeout: 2 * time.Second, ReservedConcurrency: &one},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)

	a := &api{}
	g, err := gateway.New(gateway.Config{
		Invoker: r,
		Routes: []gateway.Route{
			{RouteKey: "ANY /echo/{proxy+}", Function: "echo"},
			{RouteKey: "GET /closed", Function: "echo", Authorizer: "A"},
			{RouteKey: "GET /single", Function: "single"},
		},
		Authorizers: map[string]gateway.Authorizer{"A": {
			Function: "authorizer", IdentitySources: []string{"$request.header.Authorization"},
		}},
		AccessLog: func(entry gateway.Access) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.access = append(a.access, entry)
		},
	})
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

func TestRealFunctionsBehindTheGateway(t *testing.T) {
	t.Parallel()
	a := process(t)

	t.Run("ColdThenWarm", func(t *testing.T) {
		got := a.do(t, "POST", "/echo/a/b?q=1", "hello", "Content-Type: text/plain")
		got.check(t, 201)
		var event map[string]any
		if err := json.Unmarshal([]byte(got.Body), &event); err != nil {
			t.Fatal(err)
		}
		if event["body"] != "hello" || event["routeKey"] != "ANY /echo/{proxy+}" {
			t.Errorf("event %v", event)
		}
		if diff := cmp.Diff([]string{"a=1; Path=/", "b=2"}, got.Header.Values("Set-Cookie")); diff != "" {
			t.Errorf("cookies (-want +got):\n%s", diff)
		}
		a.do(t, "GET", "/echo/x", "").check(t, 201)
		if first, second := a.logged(t, 1), a.logged(t, 2); !first.Cold || second.Cold || first.InitDuration == 0 {
			t.Errorf("entries %+v, %+v", first, second)
		}
	})
	t.Run("Authorizer", func(t *testing.T) {
		got := a.do(t, "GET", "/closed", "", "Authorization: good")
		if got.check(t, 201); !strings.Contains(got.Body, `"authorizer":{"lambda":{"sub":"ada"}}`) {
			t.Errorf("event %s", got.Body)
		}
		a.do(t, "GET", "/closed", "", "Authorization: bad").want(t, 403, forbidden)
		a.do(t, "GET", "/closed", "").want(t, 401, unauthorized)
	})
	t.Run("PanicAndExit", func(t *testing.T) {
		a.do(t, "GET", "/echo/x?do=panic", "").want(t, 500, internalError)
		a.do(t, "GET", "/echo/x?do=exit", "").want(t, 500, internalError)
		a.do(t, "GET", "/echo/x", "").check(t, 201)
	})
	t.Run("ErrorAfterTheAnswerBegan", func(t *testing.T) {
		got := a.do(t, "GET", "/echo/x?do=fail", "")
		var document struct {
			Status int    `json:"status"`
			Code   string `json:"code"`
		}
		err := json.Unmarshal([]byte(got.Body), &document)
		if got.check(t, 500); err != nil || document.Status != 500 || document.Code != "internal" {
			t.Errorf("body %s: want one problem document", got.Body)
		}
	})
	t.Run("EventTooLargeForLambda", func(t *testing.T) {
		body := strings.Repeat("x", 5<<20) // base64 makes seven of five
		a.do(t, "POST", "/echo/x", body, "Content-Type: image/png").check(t, 413)
	})
	t.Run("TimeoutAndReservedConcurrency", func(t *testing.T) {
		// Both at once: one gets the only environment, the other is refused without a wait.
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() { a.do(t, "GET", "/single?do=sleep", "").want(t, 503, `{"message":"Service Unavailable"}`) })
		}
		group.Wait()
		if got := a.errors("GET /single"); len(got) != 2 ||
			!strings.Contains(got[0], "reserved concurrency is 1") || !strings.Contains(got[1], "timed out after 2s") {
			t.Errorf("got %q", got)
		}
	})
}

// errors waits for two entries of the route in the access log and returns their errors in order.
func (a *api) errors(routeKey string) []string {
	for range 500 {
		var found []string
		a.mu.Lock()
		for _, entry := range a.access {
			if entry.RouteKey == routeKey {
				found = append(found, entry.Error)
			}
		}
		a.mu.Unlock()
		if len(found) == 2 {
			return found
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

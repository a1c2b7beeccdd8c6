package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
)

func TestResponsesOfTheGateway(t *testing.T) {
	t.Parallel()
	failed := runtime.Result{FunctionError: true, Payload: []byte(`{"errorMessage":"secret"}`)}
	functions := map[string]answering{
		"error":        func(context.Context, map[string]any) (runtime.Result, error) { return failed, nil },
		"exit":         fails(&runtime.Error{Kind: runtime.Exit}),
		"init":         fails(&runtime.Error{Kind: runtime.Init}),
		"timeout":      fails(&runtime.Error{Kind: runtime.Timeout}),
		"throttled":    fails(&runtime.Error{Kind: runtime.Throttled}),
		"closed":       fails(&runtime.Error{Kind: runtime.Closed}),
		"too-large":    fails(&runtime.Error{Kind: runtime.RequestTooLarge}),
		"answer-large": fails(&runtime.Error{Kind: runtime.ResponseTooLarge}),
		"other":        fails(errors.New("secret")),
		"bad-response": says(`{"statusCode":200,"body":{}}`),
	}
	var list []gateway.Route
	for name := range functions {
		list = append(list, gateway.Route{RouteKey: "GET /" + name, Function: name})
	}
	a := serve(t, gateway.Config{Routes: list}, functions)

	const (
		internal    = `{"message":"Internal Server Error"}`
		unavailable = `{"message":"Service Unavailable"}`
	)
	tests := map[string]struct {
		path   string
		status int
		body   string
	}{
		"NoRoute":                {"/nowhere", 404, `{"message":"Not Found"}`},
		"FunctionError":          {"/error", 500, internal},
		"FunctionExit":           {"/exit", 500, internal},
		"InitFailure":            {"/init", 500, internal},
		"FunctionTimeout":        {"/timeout", 503, unavailable},
		"FunctionThrottled":      {"/throttled", 503, unavailable},
		"Stopping":               {"/closed", 503, unavailable},
		"EventTooLargeForLambda": {"/too-large", 413, `{"message":"Request Entity Too Large"}`},
		"AnswerTooLarge":         {"/answer-large", 500, internal},
		"UnknownFailure":         {"/other", 500, internal},
		"BadResponse":            {"/bad-response", 500, internal},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := a.do(t, "GET", test.path, "")
			got.want(t, test.status, test.body)
			if got.Header.Get("Content-Type") != "application/json" || got.Header.Get("Apigw-Requestid") == "" {
				t.Errorf("header %v", got.Header)
			}
		})
	}
}

func TestRequestIDIsUniqueAndInTheAnswer(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("$default")}, nil)
	seen := map[string]bool{}
	for range 50 {
		got := a.do(t, "GET", "/", "", "Apigw-Requestid: mine")
		id := got.Header.Get("Apigw-Requestid")
		if seen[id] {
			t.Fatalf("request id %q came twice", id)
		}
		seen[id] = true
		if inEvent := a.last(t).Event["requestContext"].(map[string]any)["requestId"]; inEvent != id {
			t.Errorf("event has %q, answer %q", inEvent, id)
		}
	}
}

func TestTimeEpochIsInMilliseconds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 15, 4, 5, 123e6, time.FixedZone("", 3600))
	a := serve(t, gateway.Config{Routes: routes("$default"), Now: func() time.Time { return now }}, nil)
	a.do(t, "GET", "/", "")
	context := a.last(t).Event["requestContext"].(map[string]any)
	if context["timeEpoch"] != float64(now.UnixMilli()) || context["time"] != "24/Nov/2026:14:04:05 +0000" {
		t.Errorf("time %v, timeEpoch %v", context["time"], context["timeEpoch"])
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("$default")}, nil)
	a.do(t, "POST", "/", strings.Repeat("x", gateway.MaxBodyBytes)).check(t, http.StatusOK)
	for name, reader := range map[string]io.Reader{
		"WithLength": strings.NewReader(strings.Repeat("x", gateway.MaxBodyBytes+1)),
		"Chunked":    io.MultiReader(strings.NewReader(strings.Repeat("x", gateway.MaxBodyBytes+1))),
	} {
		request, err := http.NewRequestWithContext(t.Context(), "POST", a.URL, reader)
		if err != nil {
			t.Fatal(err)
		}
		response, err := a.Client().Do(request)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge ||
			string(body) != `{"message":"Request Entity Too Large"}` {
			t.Errorf("%s: got %d %s", name, response.StatusCode, body)
		}
	}
	if n := a.count("f"); n != 1 {
		t.Errorf("invoked %d times", n)
	}
}

func TestHeaderLimit(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("$default")}, nil)
	host := strings.TrimPrefix(a.URL, "http://")
	send := func(filling int) int {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: %s\r\nX: %s\r\nConnection: close\r\n\r\n",
			strings.Repeat("p", 100), host, strings.Repeat("x", filling)); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	rest := gateway.MaxHeaderBytes - len("GET / HTTP/1.1") - 100 - len(host) - len("close")
	if status := send(rest); status != http.StatusOK {
		t.Errorf("10,240 bytes: status %d", status)
	}
	if status := send(rest + 1); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("10,241 bytes: status %d", status)
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Unix(1_700_000_000, 0)
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	wait := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	list := routes("GET /a", "GET /b", "GET /own")
	list[2].Throttle = &gateway.Throttle{Rate: 1, Burst: 1}
	a := serve(t, gateway.Config{
		Routes: list, Now: clock, Throttle: &gateway.Throttle{Rate: 2, Burst: 3},
	}, nil)
	statuses := func(paths ...string) []int {
		var got []int
		for _, path := range paths {
			got = append(got, a.do(t, "GET", path, "").Status)
		}
		return got
	}

	if diff := cmp.Diff([]int{200, 200, 200, 429, 429}, statuses("/a", "/b", "/a", "/b", "/a")); diff != "" {
		t.Errorf("burst (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{200, 429}, statuses("/own", "/own")); diff != "" {
		t.Errorf("a route's own limit (-want +got):\n%s", diff)
	}
	wait(500 * time.Millisecond)
	if diff := cmp.Diff([]int{200, 429}, statuses("/a", "/a")); diff != "" {
		t.Errorf("half a second later (-want +got):\n%s", diff)
	}
	wait(time.Hour)
	if diff := cmp.Diff([]int{200, 200, 200, 429}, statuses("/a", "/a", "/a", "/a")); diff != "" {
		t.Errorf("an hour later (-want +got):\n%s", diff)
	}
	a.do(t, "GET", "/a", "").want(t, http.StatusTooManyRequests, `{"message":"Too Many Requests"}`)
	if n := a.count("f"); n != 8 {
		t.Errorf("invoked %d times", n)
	}
}

func TestSourceIPIsTheConnections(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("$default")}, nil)
	a.do(t, "GET", "/", "", "X-Forwarded-For: 198.51.100.1, 203.0.113.9")
	http := a.last(t).Event["requestContext"].(map[string]any)["http"].(map[string]any)
	if http["sourceIp"] != "127.0.0.1" {
		t.Errorf("sourceIp is %v", http["sourceIp"])
	}
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("GET /v1/products/{id}")}, map[string]answering{
		"f": func(context.Context, map[string]any) (runtime.Result, error) {
			return runtime.Result{
				Payload: []byte(`{"statusCode":200,"body":"four"}`), Cold: true,
				InitDuration: time.Second, MaxMemoryMB: 21, RequestID: "r1",
			}, nil
		},
	})
	a.do(t, "GET", "/v1/products/a%20b", "")
	entry := a.logged(t, 1)
	want := gateway.Access{
		Method: "GET", Path: "/v1/products/a%20b", RouteKey: "GET /v1/products/{id}", Status: 200,
		Cold: true, InitDuration: time.Second, MaxMemoryMB: 21, Requests: []string{"r1"},
	}
	if diff := cmp.Diff(want, entry, cmpopts.IgnoreFields(gateway.Access{}, "Duration")); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
	a.do(t, "GET", "/nowhere", "")
	if entry := a.logged(t, 2); entry.Status != 404 || entry.RouteKey != "" || entry.Error != "" {
		t.Errorf("entry %+v", entry)
	}
}

func TestAccessLogHasTheReasonOfAFailure(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("$default")}, map[string]answering{
		"f": fails(&runtime.Error{Kind: runtime.Init, Function: "f", Message: "exited during INIT"}),
	})
	a.do(t, "GET", "/", "")
	if entry := a.logged(t, 1); entry.Error != "f: exited during INIT" {
		t.Errorf("entry %+v", entry)
	}
}

func TestAccessLogHasTheErrorCodeAndAKnownMethod(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("$default")}, map[string]answering{
		"f": says(`{"statusCode":404,"headers":{"content-type":"application/problem+json; charset=utf-8"},"body":"{\"code\":\"product_not_found\"}"}`),
	})
	a.do(t, "BREW", "/", "")
	if entry := a.logged(t, 1); entry.ErrorCode != "product_not_found" || entry.Method != "_OTHER" {
		t.Errorf("entry %+v", entry)
	}
	if method := a.last(t).Event["requestContext"].(map[string]any)["http"].(map[string]any)["method"]; method != "BREW" {
		t.Errorf("the function got the method %v", method)
	}
}

func TestAccessLogHasTheInvocationOfTheAuthorizer(t *testing.T) {
	t.Parallel()
	list := routes("GET /a")
	list[0].Authorizer = "strict"
	invoked := func(payload, id string) answering {
		return func(context.Context, map[string]any) (runtime.Result, error) {
			return runtime.Result{Payload: []byte(payload), RequestID: id, Cold: id == "check", InitDuration: time.Second}, nil
		}
	}
	a := serve(t, gateway.Config{Routes: list, Authorizers: map[string]gateway.Authorizer{"strict": {Function: "check"}}}, map[string]answering{
		"check": invoked(`{"isAuthorized":true}`, "check"), "f": invoked(`{"statusCode":200}`, "own"),
	})
	a.do(t, "GET", "/a", "")
	if entry := a.logged(t, 1); !cmp.Equal(entry.Requests, []string{"check", "own"}) || !entry.Cold {
		t.Errorf("entry %+v, want both invocations and the cold start", entry)
	}
}

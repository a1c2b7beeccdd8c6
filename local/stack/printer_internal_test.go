package stack

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
)

// printed returns what a printer writes of the steps, without the time of each request.
func printed(logs Logs, steps func(p *printer)) []string {
	var out strings.Builder
	p := newPrinter(&out, logs, false)
	steps(p)
	var lines []string
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		if _, err := time.Parse(time.TimeOnly, line[:min(8, len(line))]); err == nil {
			line = line[9:]
		}
		lines = append(lines, line)
	}
	return lines
}

func line(id, text string) runtime.Line {
	return runtime.Line{Function: "f", RequestID: id, Text: text}
}

func answered(status int, ids ...string) gateway.Access {
	return gateway.Access{Method: "GET", Path: "/x", RouteKey: "GET /x", Status: status, Duration: time.Millisecond, Requests: ids}
}

func TestLinesStandUnderTheirOwnRequest(t *testing.T) {
	t.Parallel()
	got := printed(LogsPeople, func(p *printer) {
		p.function(line("a", "first of a"))
		p.function(line("b", "first of b"))
		p.access(answered(200, "a"))
		p.function(line("b", "second of b"))
		p.function(line("a", "written after the answer"))
		p.complete("b") // before its answer
		p.access(answered(404, "auth", "b"))
		p.complete("a")
		p.function(line("auth", "of the authorizer"))
		p.complete("auth")
		p.function(runtime.Line{Function: "f", Text: "between two requests"})
		if len(p.lines)+len(p.over)+len(p.waits) > 0 {
			t.Errorf("the printer keeps %v %v %v", p.lines, p.over, p.waits)
		}
	})
	want := []string{
		"200 GET /x 1.0 ms", "  f | first of a", "  f | written after the answer",
		"404 GET /x 1.0 ms", "  f | of the authorizer", "  f | first of b", "  f | second of b",
		"  f | between two requests",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAccessLine(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]gateway.Access{
		"404 GET /v1/products/{id} 4.1 ms 23 MB (cold start 31.0 ms) product_not_found": {
			Method: "GET", RouteKey: "GET /v1/products/{id}", Status: 404, Duration: 4100 * time.Microsecond, MaxMemoryMB: 23,
			Cold: true, InitDuration: 31 * time.Millisecond, ErrorCode: "product_not_found",
		},
		"404 _OTHER /x%1B (no route) 0.0 ms":               {Method: "_OTHER", Path: "/x%1B", Status: 404},
		"404 GET /x ($default) 0.0 ms":                     {Method: "GET", Path: "/x", RouteKey: "$default", Status: 404},
		`500 GET /x 0.0 ms: the function failed: \x1b[31m`: {Method: "GET", RouteKey: "GET /x", Status: 500, Error: "the function failed: \x1b[31m"},
	} {
		if got := accessLine(false, time.Time{}, a); got != "00:00:00 "+want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := accessLine(true, time.Time{}, answered(503)); !strings.Contains(got, "\x1b[31m503\x1b[0m") {
		t.Errorf("got %q, want a red status", got)
	}
}

func TestLinesForPeople(t *testing.T) {
	t.Parallel()
	const constants = `"timestamp":"2026-11-28T13:36:29.646Z","location":"a.go:58","service":"tienda","function_name":"f",` +
		`"function_version":"$LATEST","function_memory_size":128,"correlation_id":"B","cold_start":true,"function_request_id":"3",` +
		`"function_arn":"arn:aws:lambda:us-east-1:123456789012:function:f","xray_trace_id":"1-6"`
	const request = `"message":"request","http_method":"GET","http_route":"/x","http_status":500,"response_bytes":106,"duration_ms":0.1,"error_code":"internal"`
	for name, test := range map[string]struct{ text, want string }{
		"OwnText":      {"hello", "hello"},
		"OwnJSON":      {`{"a":1}`, `{"a":1}`},
		"OwnMessage":   {`{"level":"INFO",` + constants + `,"message":"priced","rule":"b1"}`, "INFO priced rule=b1"},
		"Warning":      {`{"level":"WARN",` + constants + `,"message":"security event","reason":"reused","n":3}`, "WARN security event reason=reused n=3"},
		"Request":      {`{"level":"INFO",` + constants + `,` + request + `}`, ""},
		"Invocation":   {`{"level":"INFO",` + constants + `,"message":"invocation"}`, ""},
		"Metrics":      {`{"_aws":{"Timestamp":1},"level":"INFO","message":"m"}`, ""},
		"Failure":      {`{"level":"ERROR",` + constants + `,` + request + `,"error":{"type":"*e","message":"no table"}}`, "ERROR no table"},
		"FailureStack": {`{"level":"ERROR","message":"panic","error":{"type":"*e","message":"nil","stack":"a.go:1\nb.go:2"}}`, "ERROR panic nil\n    a.go:1\n    b.go:2"},
		"Controls":     {`{"level":"INFO","message":"a\u001b[31mb\nc"}`, `INFO a\x1b[31mb\nc`},
		"Truncated":    {`{"level":"INFO","mess`, `{"level":"INFO","mess`},
	} {
		if got := forPeople(false, test.text); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestLogsAsJSONAreTheFunctionsOwn(t *testing.T) {
	t.Parallel()
	const text = `{"level":"INFO","message":"request","http_route":"/x"}`
	got := printed(LogsJSON, func(p *printer) {
		p.function(line("a", text))
		p.complete("a")
		p.access(answered(200, "a"))
	})
	if diff := cmp.Diff([]string{text}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEventsHaveLinesOfTheirOwn(t *testing.T) {
	t.Parallel()
	result := func(id string) runtime.Result {
		return runtime.Result{RequestID: id, Duration: time.Millisecond, MaxMemoryMB: 14}
	}
	got := printed(LogsPeople, func(p *printer) {
		p.function(line("a", "of the batch"))
		p.event(event{function: "dispatch", name: "Stream", result: result("a")})
		p.complete("a")
		p.complete("b")
		p.event(event{function: "expire", name: "Minute", scheduled: true, result: result("b")})
		p.function(line("c", "of the schedule"))
		p.complete("c")
		p.event(event{function: "expire", name: "Minute", scheduled: true, result: result("c")})
		failed := result("d")
		failed.FunctionError, failed.Payload = true, []byte(`{"errorMessage":"no"}`)
		p.complete("d")
		p.event(event{function: "expire", name: "Minute", scheduled: true, result: failed})
		p.complete("e")
		p.event(event{function: "work", name: "Queue", result: runtime.Result{RequestID: "e"}, err: runtime.Timeout})
		p.event(event{function: "work", name: "Queue", err: runtime.Closed})
		if len(p.lines)+len(p.over)+len(p.waits) > 0 {
			t.Errorf("the printer keeps %v %v %v", p.lines, p.over, p.waits)
		}
	})
	want := []string{
		"event dispatch Stream 1.0 ms 14 MB", "  f | of the batch",
		"event expire Minute 1.0 ms 14 MB", "  f | of the schedule",
		`event expire Minute 1.0 ms 14 MB: {"errorMessage":"no"}`,
		"event work Queue 0.0 ms: timeout",
		"event work Queue 0.0 ms: closed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

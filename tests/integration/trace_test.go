//go:build integration

package integration_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/tests/otlptest"
	"github.com/tienda-dev/tienda/tests/suite"
)

// The spans of a request for the staff's products.
const (
	spanAuthorizer = "authorizer"
	spanFunction   = "GET /v1/staff/products"
	spanSession    = "DynamoDB.BatchGetItem"
	spanQuery      = "DynamoDB.Query"
)

// TestRequestIsOneTrace follows a request through the authorizer and the function to their tables, with a trace of the
// client's and without one.
func TestRequestIsOneTrace(t *testing.T) {
	t.Parallel()
	const (
		clientTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
		clientSpan  = "00f067aa0ba902b7"
	)
	for name, header := range map[string]map[string]string{
		"Client":   {"Traceparent": "00-" + clientTrace + "-" + clientSpan + "-01"},
		"NoClient": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := otlptest.Start(t)
			var log suite.Buffer
			s := start(t, func(o *stack.Options) {
				o.Telemetry.Endpoint, o.Out, o.Logs = sink.URL(), &log, stack.LogsJSON
			})
			c := suite.New(target(t, s))
			answer := c.Do(t, suite.Request{
				Method: http.MethodGet, Path: "/v1/staff/products?limit=1", Token: tokenOf(t, "trace-"+name, policy.RoleCatalog), Header: header,
			})
			if answer.Status != http.StatusOK {
				t.Fatalf("got %d %s", answer.Status, answer.Body)
			}

			names := []string{spanAuthorizer, spanFunction, spanQuery, spanSession}
			sink.Await(t, func() bool {
				for _, name := range names {
					if len(spansNamed(sink, name)) == 0 {
						return false
					}
				}
				return true
			})
			authorizer, function := one(t, sink, spanAuthorizer), one(t, sink, spanFunction)
			trace, parents := clientTrace, map[string]string{spanAuthorizer: clientSpan, spanFunction: clientSpan}
			if header == nil {
				trace, parents = traceOf(authorizer), map[string]string{spanAuthorizer: "", spanFunction: idOf(authorizer)}
			}
			parents[spanSession], parents[spanQuery] = idOf(authorizer), idOf(function)
			for _, name := range names {
				span := one(t, sink, name)
				if traceOf(span) != trace || hex.EncodeToString(span.GetParentSpanId()) != parents[name] {
					t.Errorf("%s: trace %s below %x, want %s below %s", name, traceOf(span), span.GetParentSpanId(), trace, parents[name])
				}
			}
			linked := slices.ContainsFunc(function.GetLinks(), func(l *tracepb.Span_Link) bool {
				return hex.EncodeToString(l.GetSpanId()) == idOf(authorizer)
			})
			if linked != (header != nil) {
				t.Errorf("the function's link to the authorizer's span: %t", linked)
			}
			for name, table := range map[string]string{spanSession: s.Tables["AuthTable"], spanQuery: s.Tables["CommerceTable"]} {
				a := one(t, sink, name).Attributes
				if a["db.system.name"] != "aws.dynamodb" || a["db.collection.name"] != table || a["db.operation.name"] != strings.TrimPrefix(name, "DynamoDB.") {
					t.Errorf("%s: %v, want the table %s", name, a, table)
				}
			}
			for function, span := range map[string]otlptest.Span{"authorizer": authorizer, "list-staff-products": function} {
				logged(t, &log, function, traceOf(span), idOf(span))
			}
		})
	}
}

func traceOf(s otlptest.Span) string { return hex.EncodeToString(s.GetTraceId()) }

func idOf(s otlptest.Span) string { return hex.EncodeToString(s.GetSpanId()) }

// spansNamed returns the spans with a name. The reads of INIT make none, because they belong to no request.
func spansNamed(sink *otlptest.Sink, name string) []otlptest.Span {
	return slices.DeleteFunc(sink.Spans(), func(s otlptest.Span) bool { return s.GetName() != name })
}

// one returns the only span with a name.
func one(t *testing.T, sink *otlptest.Sink, name string) otlptest.Span {
	t.Helper()
	found := spansNamed(sink, name)
	if len(found) != 1 {
		t.Fatalf("%d spans %s, want 1", len(found), name)
	}
	return found[0]
}

// logged waits for a function's line of the request, and checks its ids.
func logged(t *testing.T, log *suite.Buffer, function, trace, span string) {
	t.Helper()
	for range 200 {
		for text := range strings.Lines(string(log.Bytes())) {
			var line map[string]any
			if json.Unmarshal([]byte(text), &line) != nil || line[logging.KeyFunctionName] != function || line[logging.KeyFunctionRequestID] == nil {
				continue
			}
			if line[logging.KeyTraceID] != trace || line[logging.KeySpanID] != span {
				t.Errorf("want trace %s and span %s in %s", trace, span, text)
			}
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%s has written no line of the request:\n%s", function, log.Bytes())
}

package tracing_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tienda-dev/tienda/shared/tracing"
)

func TestTheClientsStateAndBaggageReachTheHandler(t *testing.T) {
	t.Parallel()
	tracer, err := tracing.New(sdktrace.NewTracerProvider(), tracing.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var state, member string
	h := tracer.HTTP("/x")(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, span := tracing.StartSpan(r.Context(), "child")
		state = span.SpanContext().TraceState().Get("vendor")
		span.End()
		member = baggage.FromContext(r.Context()).Member("b").Value()
	}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil)
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	r.Header.Set("Tracestate", "vendor=s")
	r.Header.Add("Baggage", "a=1")
	r.Header.Add("Baggage", "b=2")
	h.ServeHTTP(httptest.NewRecorder(), r)
	if state != "s" || member != "2" {
		t.Errorf("state %q, baggage %q", state, member)
	}
}

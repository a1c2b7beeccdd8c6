package observed_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"example.com/notes/observed"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

var route = api.Route{Name: "get-note", Method: http.MethodGet, Path: "/v1/notes/{id}", Auth: api.Public, Rate: api.Unlimited}

// A handler runs in the span of its request, which continues the client's trace.
func TestRequestHasASpan(t *testing.T) {
	var got trace.SpanContext
	build := observed.Build(func(context.Context, *app.Setup) (api.Handler, error) {
		return func(_ http.ResponseWriter, r *http.Request) error {
			got = trace.SpanContextFromContext(r.Context())
			return nil
		}, nil
	})
	h, err := app.Handler(t.Context(), route, build, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/notes/1", http.NoBody)
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	h.ServeHTTP(httptest.NewRecorder(), r)
	if got.TraceID().String() != "4bf92f3577b34da6a3ce929d0e0e4736" || got.SpanID().String() == "00f067aa0ba902b7" {
		t.Errorf("the handler's span is %v", got)
	}
}

func TestWrongConfigurationEndsTheStart(t *testing.T) {
	build := observed.Build(nil)
	_, err := app.Handler(t.Context(), route, build, map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
	if err == nil || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_PROTOCOL") {
		t.Errorf("got %v", err)
	}
}

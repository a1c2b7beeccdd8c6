package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/tienda-dev/tienda/shared/telemetry"
)

// lines runs one request with exporters that write to stdout, and returns what they wrote.
func lines(t *testing.T, environ map[string]string) []string {
	t.Helper()
	var out bytes.Buffer
	h := newHost(environ)
	tele, err := telemetry.Start(t.Context(), h, telemetry.WithStdout(&out))
	if err != nil {
		t.Fatal(err)
	}
	handler := h.chain.Tracing(h.chain.Metrics(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
	tele.Flush(t.Context())
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

func TestStdoutHasOTLPsJSON(t *testing.T) {
	t.Parallel()
	var request coltracepb.ExportTraceServiceRequest
	for _, line := range lines(t, map[string]string{"OTEL_TRACES_EXPORTER": "otlp/stdout", "OTEL_METRICS_EXPORTER": "otlp/stdout"}) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
		if !strings.Contains(line, "resourceSpans") {
			continue
		}
		// OTLP's JSON has ids in hex, protojson's in base64: only the rest is compared.
		if err := (protojson.UnmarshalOptions{DiscardUnknown: false}).Unmarshal([]byte(line), &request); err != nil {
			t.Error(err)
		}
	}
	if len(request.GetResourceSpans()) != 1 || request.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0].GetName() != "GET" {
		t.Errorf("got %v", &request)
	}
}

func TestStdoutHasEMF(t *testing.T) {
	t.Parallel()
	found := false
	for _, line := range lines(t, map[string]string{"OTEL_METRICS_EXPORTER": "emf", "OTEL_SERVICE_NAME": "shop"}) {
		var object struct {
			AWS struct {
				Timestamp         int64
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []map[string]string
				}
			} `json:"_aws"`
			Duration struct{ Count, Sum float64 } `json:"http.server.request.duration"`
			Status   string                       `json:"http.response.status_code"`
		}
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		directive := object.AWS.CloudWatchMetrics[0]
		if directive.Namespace != "shop" || object.AWS.Timestamp == 0 || len(directive.Metrics) == 0 || len(directive.Metrics) > 100 {
			t.Errorf("got %s", line)
		}
		found = found || object.Duration.Count == 1 && object.Status == "200"
	}
	if !found {
		t.Error("no line has the duration of the request")
	}
}

// Without an endpoint, or switched off, there is nothing that could fail or cost: no goroutine, hook or metric.
func TestSwitchedOffNothingRuns(t *testing.T) { //nolint:paralleltest // it looks at the goroutines of the whole process
	for name, environ := range map[string]map[string]string{
		"NoEndpoint": {},
		"None":       {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
		// Whoever switches telemetry off may do so because one of these is wrong.
		"Disabled": {
			"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "collector", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
			"OTEL_EXPORTER_OTLP_HEADERS": "x", "OTEL_TRACES_SAMPLER": "x", "OTEL_RESOURCE_ATTRIBUTES": "x", "OTEL_LOGS_EXPORTER": "otlp",
		},
	} {
		before := goleak.IgnoreCurrent()
		environ["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:1"
		h := newHost(environ)
		logger := h.chain.Logger
		if _, err := telemetry.Start(t.Context(), h); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if h.wrap != nil || len(h.shutdown) != 0 || h.chain.Metrics != nil || h.chain.Logger != logger {
			t.Errorf("%s: telemetry runs: wrap %v, %d shutdown functions", name, h.wrap != nil, len(h.shutdown))
		}
		if h.chain.Tracing == nil {
			t.Errorf("%s: requests have no trace ids", name)
		}
		if err := goleak.Find(before); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Without an extension the export is inline; an error and a panic are counted before the process may end.
func TestErrorsAndPanicsAreExportedInline(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	h := newHost(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL})
	if _, err := telemetry.Start(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	invoke := func(f func(context.Context) error) (panicked any) {
		defer func() { panicked = recover() }()
		_, _ = h.wrap(lambda.NewHandler(f)).Invoke(t.Context(), []byte(`{}`))
		return nil
	}
	invoke(func(context.Context) error { return errors.New("no") })
	if got := invoke(func(context.Context) error { panic("on purpose") }); got == nil {
		t.Error("the panic was swallowed")
	}
	if got := c.last("faas.errors").GetSum().GetDataPoints(); len(got) != 1 || got[0].GetAsInt() != 2 {
		t.Errorf("faas.errors: %v, want 2", got)
	}
}

package telemetry_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/telemetry"
	"github.com/tienda-dev/tienda/shared/tracing"
)

const schema = "https://opentelemetry.io/schemas/1.43.0"

func ok(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusOK)
	return nil
}

func TestASpanHasTheAttributesOfTheConventions(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	f := newFunction(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_SERVICE_NAME": "shop",
		"OTEL_RESOURCE_ATTRIBUTES": "service.version=1.2.3,deployment.environment.name=staging",
	}, ok)
	f.get(t, http.MethodGet, "/v1/things/1", http.Header{
		"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, "User-Agent": {"test/1"},
	})
	f.telemetry.Flush(t.Context())

	spans := c.spans()
	if len(spans) != 1 {
		t.Fatalf("got %d spans, want 1", len(spans))
	}
	s := spans[0]
	if s.GetName() != "GET /v1/things/{id}" || s.GetKind() != tracepb.Span_SPAN_KIND_SERVER || len(s.GetTraceId()) != 16 || len(s.GetSpanId()) != 8 ||
		fmt.Sprintf("%x %x", s.GetTraceId(), s.GetParentSpanId()) != "4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7" || s.GetEndTimeUnixNano() < s.GetStartTimeUnixNano() {
		t.Errorf("got %v", s)
	}
	got := attributes(s.GetAttributes())
	for key, want := range map[string]string{
		"http.request.method": "GET", "http.route": "/v1/things/{id}", "url.path": "/v1/things/1", "url.scheme": "http",
		"user_agent.original": "test/1", "faas.trigger": "http",
	} {
		if got[key] != want {
			t.Errorf("%s: got %q, want %q", key, got[key], want)
		}
	}
	if got["faas.coldstart"] == "" || got["http.response.status_code"] == "" {
		t.Errorf("got %v", got)
	}
	for _, r := range c.traces[0].GetResourceSpans() {
		resource := attributes(r.GetResource().GetAttributes())
		if resource["service.name"] != "shop" || resource["service.version"] != "1.2.3" || resource["deployment.environment.name"] != "staging" || resource["service.instance.id"] == "" {
			t.Errorf("resource: %v", resource)
		}
		if r.GetSchemaUrl() != schema || r.GetScopeSpans()[0].GetSchemaUrl() != schema {
			t.Errorf("schema URLs %q and %q, want one: %s", r.GetSchemaUrl(), r.GetScopeSpans()[0].GetSchemaUrl(), schema)
		}
	}
}

func TestMetricsHaveUnitsBucketsAndBoundedSeries(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, ok)
	for i := range 300 {
		f.get(t, http.MethodGet, "/v1/things/"+strconv.Itoa(i), nil)
		f.get(t, "BREW"+strconv.Itoa(i), "/v1/things/1", nil)
	}
	f.telemetry.Flush(t.Context())

	m := c.last(metrics.HTTPServerRequestDuration)
	if m.GetUnit() != "s" || m.GetHistogram().GetAggregationTemporality() != metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
		t.Fatalf("got %v", m)
	}
	points := m.GetHistogram().GetDataPoints()
	if len(points) != 2 {
		t.Fatalf("got %d series of 600 paths and methods, want 2", len(points))
	}
	var methods []string
	for _, p := range points {
		a := attributes(p.GetAttributes())
		methods = append(methods, a["http.request.method"])
		if a["http.route"] != "/v1/things/{id}" || p.GetCount() != 300 {
			t.Errorf("got %v and %d, want the template and 300", a, p.GetCount())
		}
		if want := []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}; !slices.Equal(p.GetExplicitBounds(), want) || len(p.GetBucketCounts()) != len(want)+1 {
			t.Errorf("bounds %v", p.GetExplicitBounds())
		}
		if len(p.GetExemplars()) == 0 || len(p.GetExemplars()[0].GetTraceId()) != 16 || len(p.GetExemplars()[0].GetSpanId()) != 8 {
			t.Errorf("exemplars: %v", p.GetExemplars())
		}
	}
	slices.Sort(methods)
	if !slices.Equal(methods, []string{"GET", metrics.Other}) {
		t.Errorf("methods %v", methods)
	}
}

// Every failure of a collector, with what must be true of the request and of the spans afterwards.
func TestACollectorFailsNoRequest(t *testing.T) {
	t.Parallel()
	var once atomic.Bool
	for name, test := range map[string]struct {
		before  func(w http.ResponseWriter, r *http.Request) bool
		limit   time.Duration
		arrives bool
	}{
		"Slow": {func(http.ResponseWriter, *http.Request) bool {
			time.Sleep(100 * time.Millisecond)
			return false
		}, 2 * time.Second, true},
		"Hangs": {func(_ http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done()
			return true
		}, 2 * time.Second, false},
		"UnavailableOnce": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/v1/traces" && !once.Swap(true) {
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			}
			return false
		}, 2 * time.Second, true},
		"Unavailable": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}, 2 * time.Second, false},
		"Rejects": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}, 2 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			c.before = test.before
			f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_TIMEOUT": "500"}, ok)
			if w := f.get(t, http.MethodGet, "/v1/things/1", nil); w.Code != http.StatusOK {
				t.Errorf("got %d", w.Code)
			}
			start := time.Now()
			f.telemetry.Flush(t.Context())
			if took := time.Since(start); took > test.limit {
				t.Errorf("the export took %v", took)
			}
			if got := len(c.spans()) == 1; got != test.arrives {
				t.Errorf("got %d spans", len(c.spans()))
			}
		})
	}
}

func TestSpansAndCountsSurviveARestartOfTheCollector(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	var down atomic.Bool
	down.Store(true)
	c.before = func(w http.ResponseWriter, _ *http.Request) bool {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down.Load()
	}
	f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}, ok)
	f.get(t, http.MethodGet, "/v1/things/1", nil)
	f.telemetry.Flush(t.Context())
	down.Store(false)
	f.get(t, http.MethodGet, "/v1/things/2", nil)
	f.flushUntil(t, func() bool { return len(c.spans()) > 0 && c.last(metrics.TelemetryFlushFailures) != nil })
	if got := len(c.spans()); got != 2 {
		t.Errorf("got %d spans, want 2", got)
	}
	if got := c.last(metrics.HTTPServerRequestDuration).GetHistogram().GetDataPoints()[0].GetCount(); got != 2 {
		t.Errorf("counted %d requests, want 2", got)
	}
	if m := c.last(metrics.TelemetryFlushFailures); len(m.GetSum().GetDataPoints()) == 0 {
		t.Error("the failure was not counted")
	}
}

func TestSecretsLeaveInNoSignal(t *testing.T) {
	t.Parallel()
	const (
		email  = "alice.canary@example.com"
		card   = "4111111111111111"
		bearer = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"
		secret = "canary-hunter2"
	)
	c := newCollector(t)
	f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_LOGS_EXPORTER": "otlp"},
		func(_ http.ResponseWriter, r *http.Request) error {
			ctx, span := tracing.StartSpan(r.Context(), "work", attribute.String("password", secret), tracing.KeyOrderID.String("card "+card))
			tracing.SetAttributes(ctx, tracing.KeyCacheKey.String(email), attribute.String("http.request.header.authorization", bearer))
			tracing.RecordError(ctx, errors.New("password="+secret+" for "+email+" "+bearer))
			span.End()
			metrics.From(ctx).Payment(ctx, metrics.Success, card)
			metrics.From(ctx).Cache(ctx, email, metrics.CacheHit)
			return errors.New("password=" + secret + " " + bearer + " " + card)
		})
	f.get(t, http.MethodGet, "/v1/things/"+email, http.Header{"Authorization": {bearer}, "User-Agent": {"x " + card}, "Cookie": {"token=" + secret}})
	f.telemetry.Flush(t.Context())

	text := c.text()
	for _, canary := range []string{email, card, "c2lnbmF0dXJl", secret} {
		if i := strings.Index(text, canary); i >= 0 {
			t.Errorf("%q left: …%s…", canary, text[max(0, i-200):min(len(text), i+50)])
		}
	}
	for _, signal := range []string{"resourceSpans", "resourceMetrics", "resourceLogs"} {
		if !strings.Contains(text, signal) {
			t.Errorf("no %s arrived", signal)
		}
	}
}

func TestLogRecordsCarryTheIdsOfTheSpan(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_LOGS_EXPORTER": "otlp"}, ok)
	f.get(t, http.MethodGet, "/v1/things/1", nil)
	f.telemetry.Flush(t.Context())
	if len(c.logs) != 1 || len(c.spans()) != 1 {
		t.Fatalf("got %d exports of logs and %d spans", len(c.logs), len(c.spans()))
	}
	record := c.logs[0].GetResourceLogs()[0].GetScopeLogs()[0].GetLogRecords()[0]
	span := c.spans()[0]
	if string(record.GetTraceId()) != string(span.GetTraceId()) || string(record.GetSpanId()) != string(span.GetSpanId()) {
		t.Errorf("got %x %x, want %x %x", record.GetTraceId(), record.GetSpanId(), span.GetTraceId(), span.GetSpanId())
	}
	if got := record.GetBody().GetStringValue(); got != "request" {
		t.Errorf("got %q", got)
	}
}

func TestRequestsInParallelDoNotMix(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	f := newFunction(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_LOGS_EXPORTER": "otlp"}, func(w http.ResponseWriter, r *http.Request) error {
		ctx, span := tracing.StartSpan(r.Context(), "work")
		defer span.End()
		logging.From(ctx).Info(r.URL.Path)
		tracing.SetAttributes(ctx, tracing.KeyOrderID.String(r.PathValue("id")+r.URL.Path))
		return ok(w, r)
	})
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 20 {
				id := fmt.Sprintf("%032x", 1+worker*100+i)
				f.get(t, http.MethodGet, fmt.Sprintf("/v1/things/%d", worker), http.Header{"Traceparent": {"00-" + id + "-00f067aa0ba902b7-01"}})
				if i%7 == 0 {
					f.telemetry.Flush(t.Context())
				}
			}
		})
	}
	group.Wait()
	f.flushUntil(t, func() bool { // an export that took too long is there twice
		ids := map[string]bool{}
		for _, s := range c.spans() {
			ids[string(s.GetSpanId())] = true
		}
		return len(ids) == 320 && len(c.lines("/v1/things/")) >= 160
	})

	traces, lines := map[string]bool{}, map[string]bool{}
	for _, s := range c.spans() {
		traces[ofWorker(t, s.GetTraceId(), attributes(s.GetAttributes())["url.path"]+attributes(s.GetAttributes())["order.id"])] = true
	}
	for _, l := range c.lines("/v1/things/") {
		lines[ofWorker(t, l.GetTraceId(), l.GetBody().GetStringValue())] = true
	}
	if len(traces) != 160 || len(lines) != 160 {
		t.Errorf("got %d traces and lines of %d, want 160", len(traces), len(lines))
	}
}

// ofWorker checks that a path is the one that the trace's worker asked for, and returns the trace's id.
func ofWorker(t *testing.T, trace []byte, path string) string {
	t.Helper()
	id := hex.EncodeToString(trace)
	number, err := strconv.ParseInt(id, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("/v1/things/%d", (number-1)/100); path != want {
		t.Errorf("trace %s has %q, want %q", id, path, want)
	}
	return id
}

func TestStartNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, environ := range map[string]map[string]string{
		"OTEL_EXPORTER_OTLP_PROTOCOL":    {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
		"OTEL_EXPORTER_OTLP_ENDPOINT":    {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
		"OTEL_TRACES_SAMPLER":            {"OTEL_TRACES_SAMPLER": "sometimes"},
		"OTEL_TRACES_SAMPLER_ARG":        {"OTEL_TRACES_SAMPLER_ARG": "2"},
		"OTEL_METRICS_EXPORTER":          {"OTEL_METRICS_EXPORTER": "jaeger"},
		"OTEL_EXPORTER_OTLP_COMPRESSION": {"OTEL_EXPORTER_OTLP_COMPRESSION": "zip"},
		"OTEL_RESOURCE_ATTRIBUTES":       {"OTEL_RESOURCE_ATTRIBUTES": "nothing"},
		"TRACING_XRAY":                   {"TRACING_XRAY": "maybe"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := telemetry.Start(t.Context(), newHost(environ))
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
		})
	}
}

package prom_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/telemetry"
	"github.com/tienda-dev/tienda/shared/telemetry/prom"
)

func TestAScrapeHasTheCatalogueAndNoProblems(t *testing.T) {
	t.Parallel()
	endpoint, err := prom.New()
	if err != nil {
		t.Fatal(err)
	}
	route := api.Route{Name: "get-thing", Method: http.MethodGet, Path: "/v1/things/{id}", Auth: api.Public, Rate: api.Unlimited}
	h, err := app.Handler(t.Context(), route, func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		_, err := telemetry.Start(ctx, s, telemetry.WithReader(endpoint.Reader))
		return func(_ http.ResponseWriter, r *http.Request) error {
			m := metrics.From(r.Context())
			m.OrderPlaced(r.Context(), "EUR", 12.5)
			m.Database(r.Context(), metrics.Operation{Name: "Query", Table: "t", Rows: 3, Attempts: 2, Throttles: 1, Capacity: .5})
			m.Cache(r.Context(), "c", metrics.CacheHit)
			m.Health(r.Context(), "table", true, 1)
			return nil
		}, err
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/things/1", http.NoBody))

	problems, err := testutil.GatherAndLint(endpoint.Registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
	for format, accept := range map[string]string{"text/plain": "", "application/openmetrics-text": "application/openmetrics-text;version=1.0.0"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		if err := endpoint.Scrape(w, r); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(w.Header().Get("Content-Type"), format) || w.Header().Get("X-Metrics-Scope") != "instance" {
			t.Errorf("got %v", w.Header())
		}
		for _, want := range []string{
			`http_server_request_duration_seconds_bucket{`, `http_route="/v1/things/{id}"`, `shop_order_placed_total{`, `shop_currency="EUR"`,
			`db_client_operation_duration_seconds_count{`, `cache_requests_total{`, `health_check_status`, `aws_dynamodb_consumed_capacity`,
		} {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: no %s", format, want)
			}
		}
	}
}

// broken is a collector that cannot collect.
type broken struct{}

func (broken) Describe(ch chan<- *prometheus.Desc) { ch <- prometheus.NewDesc("broken", "x", nil, nil) }

func (broken) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(prometheus.NewDesc("broken", "x", nil, nil), errors.New("private cause"))
}

func TestAScrapeThatFailsWritesNothing(t *testing.T) {
	t.Parallel()
	endpoint, err := prom.New()
	if err != nil {
		t.Fatal(err)
	}
	endpoint.Registry.MustRegister(broken{})
	w := httptest.NewRecorder()
	err = endpoint.Scrape(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	if err == nil || w.Body.Len() > 0 || len(w.Header()) > 0 {
		t.Errorf("got %v, %v and %q; want an error and nothing written", err, w.Header(), w.Body)
	}
}

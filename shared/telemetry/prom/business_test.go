package prom_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/telemetry"
	"github.com/tienda-dev/tienda/shared/telemetry/prom"
	"github.com/tienda-dev/tienda/tests/exposition"
)

// TestOrdersPaymentsAndShipmentsAreScraped records what the shop has no route for yet, and reads it in both formats.
func TestOrdersPaymentsAndShipmentsAreScraped(t *testing.T) {
	t.Parallel()
	endpoint, err := prom.New()
	if err != nil {
		t.Fatal(err)
	}
	route := api.Route{Name: "place-order", Method: http.MethodPost, Path: "/v1/orders", Auth: api.Public, Rate: api.Unlimited}
	h, err := app.Handler(t.Context(), route, func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		_, err := telemetry.Start(ctx, s, telemetry.WithReader(endpoint.Reader))
		return func(_ http.ResponseWriter, r *http.Request) error {
			sell(r.Context())
			return nil
		}, err
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, route.Path, http.NoBody))

	want := map[string]float64{
		"shop_order_placed_total EUR": 2, "shop_order_placed_total USD": 1, "shop_order_placed_total _OTHER": 1,
		"shop_order_value EUR": 2, "shop_order_value EUR sum": 62.5, "shop_order_value USD": 1, "shop_order_value USD sum": 8,
		"shop_order_value _OTHER": 1, "shop_order_value _OTHER sum": 3,
		"shop_order_cancelled_total EUR": 1, "shop_order_failed_total USD": 1,
		"shop_checkout_duration_seconds success": 1, "shop_checkout_duration_seconds success sum": 2,
		"shop_payment_attempts_total simulated success": 1, "shop_payment_attempts_total simulated failure": 2,
		"shop_shipment_changes_total created": 1, "shop_shipment_changes_total sent": 1, "shop_shipment_changes_total _OTHER": 1,
		"shop_inventory_reserved_total": 4,
	}
	for _, format := range []string{exposition.Text, exposition.OpenMetrics} {
		if diff := cmp.Diff(want, business(t, endpoint, format)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
}

// sell records orders, payments and shipments, some with values that are not in their attributes' sets.
func sell(ctx context.Context) {
	m := metrics.From(ctx)
	m.OrderPlaced(ctx, "EUR", 12.5)
	m.OrderPlaced(ctx, "EUR", 50)
	m.OrderPlaced(ctx, "USD", 8)
	m.OrderPlaced(ctx, "what a client sent", 3)
	m.OrderCancelled(ctx, "EUR")
	m.OrderFailed(ctx, "USD")
	m.Checkout(ctx, 2*time.Second, metrics.Success)
	m.Payment(ctx, metrics.Success, "simulated")
	m.Payment(ctx, metrics.Failure, "simulated")
	m.Payment(ctx, metrics.Failure, "simulated")
	m.Shipment(ctx, metrics.Created)
	m.Shipment(ctx, metrics.Sent)
	m.Shipment(ctx, "what a carrier sent")
	m.StockReserved(ctx, 4)
}

// business returns the series of the shop by "name value value", and the sums of histograms besides their counts.
func business(t *testing.T, endpoint *prom.Endpoint, format string) map[string]float64 {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	r.Header.Set("Accept", format)
	w := httptest.NewRecorder()
	if err := endpoint.Scrape(w, r); err != nil {
		t.Fatal(err)
	}
	series := map[string]float64{}
	families, err := exposition.Parse(format, w.Body.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "shop_") {
			continue
		}
		for _, m := range family.GetMetric() {
			words := []string{family.GetName()}
			for _, l := range m.GetLabel() {
				words = append(words, l.GetValue())
			}
			key := strings.Join(words, " ")
			series[key] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			if m.Histogram != nil {
				series[key+" sum"] = m.GetHistogram().GetSampleSum()
			}
		}
	}
	return series
}

package catalog_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// TestProductsAndStockAreCounted sends requests that change something, and some that change nothing.
func TestProductsAndStockAreCounted(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ctx, recorded := metricstest.New(t)
	do := func(method, target, body string, header ...string) apitest.Answer {
		t.Helper()
		options := []apitest.Option{apitest.As("staff", "catalog", "fulfilment"), apitest.Measured(metrics.From(ctx))}
		for i := 0; i < len(header); i += 2 {
			options = append(options, apitest.Header(header[i], header[i+1]))
		}
		return s.api.Do(method, target, body, options...)
	}
	const product = `{"sku":"TEA-1","name":"Green tea","category":"tea","status":"active","price":{"amount_minor":100,"currency":"EUR"}}`
	p := apitest.Decode[catalog.Product](do(http.MethodPost, "/v1/products", product).Want(http.StatusCreated))
	do(http.MethodPost, "/v1/products", product).Want(http.StatusConflict)

	path := "/v1/products/" + p.ID
	for range 2 {
		do(http.MethodGet, path, "").Want(http.StatusOK)
	}
	do(http.MethodGet, "/v1/products/01J00000000000000000000001", "").Want(http.StatusNotFound)
	do(http.MethodGet, "/v1/products/search?q=green", "").Want(http.StatusOK)
	do(http.MethodGet, "/v1/products/search?q=coffee", "").Want(http.StatusOK)
	do(http.MethodGet, "/v1/products/search?q=", "").Want(http.StatusBadRequest)

	adjust := func(key, delta string) apitest.Answer {
		return do(http.MethodPost, path+"/inventory/adjustments", `{"delta":`+delta+`,"reason":"count"}`, "Idempotency-Key", key)
	}
	const first = "key-00000000000000001"
	adjust(first, "7").Want(http.StatusCreated)
	adjust(first, "7").Want(http.StatusCreated) // the same request again
	adjust("key-00000000000000002", "-3").Want(http.StatusCreated)
	adjust("key-00000000000000003", "-5").Want(http.StatusConflict) // only 4 are left

	merge := []string{"Content-Type", "application/merge-patch+json", "If-Match", `"1"`}
	do(http.MethodPatch, path, `{"name":"Greener tea"}`, merge...).Want(http.StatusOK)
	do(http.MethodPatch, path, `{"name":"Stale tea"}`, merge...).Want(http.StatusPreconditionFailed)
	for range 2 { // the second time changes nothing
		do(http.MethodDelete, path, "").Want(http.StatusNoContent)
	}

	want := map[string]float64{
		metrics.ShopProductChanges + " created":  1,
		metrics.ShopProductChanges + " updated":  1,
		metrics.ShopProductChanges + " archived": 1,
		metrics.ShopProductViews:                 2,
		metrics.ShopSearchDuration + " found":    1,
		metrics.ShopSearchDuration + " empty":    1,
		metrics.ShopInventoryAdjusted + " in":    7,
		metrics.ShopInventoryAdjusted + " out":   3,
		metrics.ShopInventoryOutOfStock:          1,
	}
	got := recorded.Series(t, metrics.ShopProductChanges, metrics.ShopProductViews, metrics.ShopSearchDuration,
		metrics.ShopInventoryAdjusted, metrics.ShopInventoryOutOfStock)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

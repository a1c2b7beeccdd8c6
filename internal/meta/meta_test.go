package meta_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/internal/meta"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// TestRequestsAreLimitedAndCounted sends until one is denied.
func TestRequestsAreLimitedAndCounted(t *testing.T) {
	t.Parallel()
	ctx, recorded := metricstest.New(t)
	route := api.Route{Name: "get-thing", Method: http.MethodGet, Path: "/v1/thing", Auth: api.Public, Rate: policy.RateMeta}
	h, err := meta.Handler(t.Context(), route, func(context.Context, *app.Setup) (api.Handler, error) {
		return func(http.ResponseWriter, *http.Request) error { return nil }, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	answered := map[int]float64{}
	for answered[http.StatusTooManyRequests] == 0 && answered[http.StatusOK] < 1000 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, route.Path, http.NoBody))
		answered[w.Code]++
	}
	counted := map[string]float64{}
	for series, n := range recorded.Series(t, metrics.RateLimitDecisions) {
		counted[series[strings.LastIndexByte(series, ' ')+1:]] += n
	}
	if answered[http.StatusTooManyRequests] != 1 || counted[metrics.RateAllow] != answered[http.StatusOK] || counted[metrics.RateDeny] != 1 {
		t.Errorf("answered %v, counted %v", answered, counted)
	}
}

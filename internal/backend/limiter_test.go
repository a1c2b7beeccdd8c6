package backend_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

// An outage of the limits' key is one of the limits: routes whose class is open start and answer, the others do not start.
func TestRoutesWithoutTheKeyOfTheLimits(t *testing.T) {
	t.Parallel()
	build := func(context.Context, *app.Setup) (api.Handler, error) {
		return func(w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(http.StatusNoContent); return nil }, nil
	}
	environ := map[string]string{
		"RATELIMIT_TABLE": "RateLimitTable", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
		"LIMITER_KEY_SECRET": "file:" + t.TempDir() + "/missing.json",
	}
	route := api.Route{Name: "get-thing", Method: http.MethodGet, Path: "/v1/things", Auth: api.Public}

	t.Run("Open", func(t *testing.T) {
		t.Parallel()
		route := route
		route.Rate = policy.RatePublicRead
		h, err := backend.Handler(t.Context(), route, build, environ)
		if err != nil {
			t.Fatal(err)
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/v1/things", nil))
		if rec.Code != http.StatusNoContent {
			t.Errorf("got %d %s", rec.Code, rec.Body)
		}
	})
	t.Run("Closed", func(t *testing.T) {
		t.Parallel()
		route := route
		route.Rate = policy.RateRegister
		if _, err := backend.Handler(t.Context(), route, build, environ); err == nil || !strings.Contains(err.Error(), "LIMITER_KEY_SECRET") {
			t.Errorf("got %v, want an error that names the variable", err)
		}
	})
}

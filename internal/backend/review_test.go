package backend_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// Of a class that is open, an outage of the limits must not be one of the API (ratelimit.Open): their key is a part of
// the limits.
func TestReviewOpenRouteStartsWithoutTheKeyOfTheLimits(t *testing.T) {
	t.Parallel()
	route := api.Route{Name: "get-product", Method: http.MethodGet, Path: "/v1/products/{id}", Auth: api.Public, Rate: policy.RatePublicRead}
	build := func(context.Context, *app.Setup) (api.Handler, error) {
		return func(w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(http.StatusNoContent); return nil }, nil
	}
	environ := map[string]string{
		"RATELIMIT_TABLE": "RateLimitTable", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
		"LIMITER_KEY_SECRET": "file:" + t.TempDir() + "/missing.json",
	}
	if _, err := backend.Handler(t.Context(), route, build, environ); err != nil {
		t.Errorf("a public read does not start: %v", err)
	}
}

// INIT pays for the connections of the first request (DESIGN.md, performance rule 1): the limiter and the handler's read
// run in parallel, so there are two.
func TestReviewInitOpensTheConnectionsOfTheFirstRead(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond) // so that calls in parallel meet
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte("{}"))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	route := api.Route{Name: "get-product", Method: http.MethodGet, Path: "/v1/products/{id}", Auth: api.Public, Rate: policy.RatePublicRead}
	build := func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		db, err := tables.Open(ctx, s, tables.Commerce)
		if err != nil {
			return nil, err
		}
		if err := db.Commerce.Warm(ctx); err != nil { // the warm-up of tables.Open, which only Main runs
			return nil, err
		}
		return func(_ http.ResponseWriter, r *http.Request) error {
			var item struct{}
			_, err := db.Commerce.Get(r.Context(), ddb.Key{PK: "P#1", SK: "P"}, &item, false)
			return err
		}, nil
	}
	h, err := backend.Handler(t.Context(), route, build, map[string]string{
		"COMMERCE_TABLE": "CommerceTable", "RATELIMIT_TABLE": "RateLimitTable", "LIMITER_KEY_SECRET": `{"key":"` + strings.Repeat("k", 64) + `"}`,
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL_DYNAMODB": server.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	atInit := opened.Load()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/v1/products/1", nil))
	if after := opened.Load(); rec.Code != http.StatusOK || after != atInit {
		t.Errorf("%d: INIT has opened %d connections, the first request %d more", rec.Code, atInit, after-atInit)
	}
}

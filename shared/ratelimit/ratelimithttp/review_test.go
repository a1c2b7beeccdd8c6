package ratelimithttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
)

// What a shared cache stores must not say what the client that filled the cache has left.
func TestReviewAnswerForSharedCachesHasNoStateOfOneClient(t *testing.T) {
	t.Parallel()
	s := newStore(t, time.Now, burst2)
	mw := limit(t, ratelimithttp.Config{Legacy: true, Rules: []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: s}}})
	for name, status := range map[string]int{"200": http.StatusOK, "304": http.StatusNotModified} {
		res := send(t, mw(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=30, stale-while-revalidate=60")
			w.WriteHeader(status)
		})), http.MethodGet)
		for _, header := range []string{"RateLimit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
			if value := res.Header.Get(header); value != "" {
				t.Errorf("%s: Cache-Control: public with %s: %s", name, header, value)
			}
		}
	}
}

// A client that goes on after its burst must not read that it has more units left than the limit.
func TestReviewLegacyRemainingIsAtMostTheLimit(t *testing.T) {
	t.Parallel()
	s := newStore(t, time.Now, ratelimit.Policy{Name: "public-read", Limit: 20, Burst: 40, Window: time.Second})
	mw := limit(t, ratelimithttp.Config{Legacy: true, Rules: []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: s}}})
	rec := httptest.NewRecorder()
	mw(http.NotFoundHandler()).ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/x", nil))
	if l, r := rec.Header().Get("X-RateLimit-Limit"), rec.Header().Get("X-RateLimit-Remaining"); l == "20" && r == "39" {
		t.Errorf("X-RateLimit-Limit: %s, X-RateLimit-Remaining: %s", l, r)
	}
}

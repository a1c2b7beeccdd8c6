package ratelimithttp_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
)

// memory returns a limiter that waits for nothing.
func memory(t *testing.T) ratelimit.Limiter {
	t.Helper()
	l, err := ratelimitmem.New([]ratelimit.Policy{one}, ratelimitmem.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func guarded(t *testing.T, store ratelimit.Limiter) ratelimit.Limiter {
	t.Helper()
	guard, err := ratelimit.NewGuard(store, ratelimit.GuardConfig{OnError: ratelimit.Open, DenyEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

// A limiter that waits for nothing is asked first: a denied read starts no handler. One rule that waits makes all wait.
func TestInstantLimiterIsAskedFirst(t *testing.T) {
	t.Parallel()
	second := one
	second.Name = "two"
	for name, test := range map[string]struct {
		limiters []ratelimit.Limiter
		runs     int64
	}{
		"Memory":        {[]ratelimit.Limiter{memory(t)}, 1},
		"MemoryGuarded": {[]ratelimit.Limiter{guarded(t, memory(t))}, 1},
		"Store":         {[]ratelimit.Limiter{newStore(t, time.Now, one)}, 2},
		"StoreGuarded":  {[]ratelimit.Limiter{guarded(t, newStore(t, time.Now, one))}, 2},
		"Both":          {[]ratelimit.Limiter{memory(t), newStore(t, time.Now, second)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var rules []ratelimithttp.Rule
			for _, l := range test.limiters {
				rules = append(rules, ratelimithttp.Rule{Key: ratelimithttp.IPKey(), Limiter: l})
			}
			var runs atomic.Int64
			h := limit(t, ratelimithttp.Config{Rules: rules})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				runs.Add(1)
				_, _ = w.Write([]byte("answer"))
			}))
			first, second := send(t, h, http.MethodGet), send(t, h, http.MethodGet)
			if first.StatusCode != http.StatusOK || first.Header.Get("RateLimit") == "" || first.Body.String() != "answer" {
				t.Errorf("first: %d %v %q", first.StatusCode, first.Header, first.Body)
			}
			if second.StatusCode != http.StatusTooManyRequests || second.Header.Get("Retry-After") == "" || strings.Contains(second.Body.String(), "answer") {
				t.Errorf("second: %d %v %q", second.StatusCode, second.Header, second.Body)
			}
			if runs.Load() != test.runs {
				t.Errorf("the handler ran %d times, want %d", runs.Load(), test.runs)
			}
		})
	}
}

// What the limiter in memory says of one client is not in an answer that a shared cache keeps for others.
func TestAnswerForSharedCachesBehindAnInstantLimiter(t *testing.T) {
	t.Parallel()
	for _, limiter := range []ratelimit.Limiter{memory(t), guarded(t, memory(t))} {
		h := limit(t, ratelimithttp.Config{Legacy: true, Rules: []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: limiter}}})(
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Cache-Control", "public, max-age=30")
				_, _ = w.Write([]byte("answer"))
			}))
		res := send(t, h, http.MethodGet)
		if res.Header.Get("RateLimit") != "" || res.Header.Get("X-RateLimit-Remaining") != "" || res.Header.Get("RateLimit-Policy") == "" {
			t.Errorf("%d %v", res.StatusCode, res.Header)
		}
	}
}

// A handler that sends nothing has the headers of the limits too, and one that panics.
func TestSilentHandlerBehindAnInstantLimiter(t *testing.T) {
	t.Parallel()
	silent := limit(t, ratelimithttp.Config{Rules: []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: memory(t)}}})
	h := silent(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if res := send(t, h, http.MethodGet); res.Header.Get("RateLimit") == "" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	panics := limit(t, ratelimithttp.Config{Rules: []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: memory(t)}}})
	res := send(t, behind(t, http.MethodGet, panics, func(http.ResponseWriter, *http.Request) error { panic("x") }), http.MethodGet)
	if res.StatusCode != http.StatusInternalServerError || res.Header.Get("RateLimit") == "" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}

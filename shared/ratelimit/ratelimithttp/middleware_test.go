package ratelimithttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

var (
	burst2 = ratelimit.Policy{Name: "user-min", Limit: 3, Window: time.Minute, Burst: 2}
	perDay = ratelimit.Policy{Name: "user-day", Algorithm: ratelimit.FixedWindow, Limit: 100, Window: 24 * time.Hour}
)

// store is a limiter whose Take can be slowed down, and can fail.
type store struct {
	ratelimit.Limiter

	before func(context.Context) error
	calls  atomic.Int64
}

func (s *store) Take(ctx context.Context, subject ratelimit.Subject, cost int64) (ratelimit.Decision, error) {
	s.calls.Add(1)
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return ratelimit.Decision{}, err
		}
	}
	return s.Limiter.Take(ctx, subject, cost)
}

func newStore(t testing.TB, now func() time.Time, policies ...ratelimit.Policy) *store {
	t.Helper()
	l, err := ratelimitmem.New(policies, ratelimitmem.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return &store{Limiter: l}
}

func limit(t testing.TB, cfg ratelimithttp.Config) func(http.Handler) http.Handler {
	t.Helper()
	mw, err := ratelimithttp.Middleware(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return mw
}

// behind returns the handler in a whole chain with the limits.
func behind(t testing.TB, method string, mw middleware.Middleware, handler api.Handler) http.Handler {
	t.Helper()
	h, err := middleware.Chain(api.Route{Name: "x", Method: method, Path: "/x", Auth: api.Public, Rate: api.Unlimited}, middleware.Config{RateLimitIP: mw}, handler)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func send(t testing.TB, h http.Handler, method string) answer {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(method, "/x", nil))
	return answer{rec.Code, rec.Header(), rec.Body}
}

// answer is what a client gets.
type answer struct {
	StatusCode int
	Header     http.Header
	Body       *bytes.Buffer
}

func ok(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "private, max-age=60")
	w.Header().Set("Etag", `"1"`)
	return api.Write(w, http.StatusOK, "answer")
}

// items reads a header as a list of items of RFC 9651, each a string, and returns their parameters.
func items(t testing.TB, h http.Header, name string) map[string]map[string]int64 {
	t.Helper()
	if len(h.Values(name)) == 0 {
		return nil
	}
	list, err := httpsfv.UnmarshalList(h.Values(name))
	if err != nil {
		t.Fatalf("%s: %q: %v", name, h.Values(name), err)
	}
	found := map[string]map[string]int64{}
	for _, member := range list {
		item, isItem := member.(httpsfv.Item)
		key, isString := item.Value.(string)
		if !isItem || !isString {
			t.Fatalf("%s: member %v", name, member)
		}
		found[key] = map[string]int64{}
		for _, p := range item.Params.Names() {
			v, _ := item.Params.Get(p)
			found[key][p] = v.(int64)
		}
	}
	return found
}

func TestHeadersAndDenial(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			clock := ratelimittest.NewClock()
			shadow := perDay
			shadow.Name, shadow.Shadow = "trial", true
			mw := limit(t, ratelimithttp.Config{
				Legacy: true, Now: clock.Now,
				Rules: []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: newStore(t, clock.Now, burst2, perDay, shadow)}},
			})
			h := behind(t, method, mw, ok)
			wantPolicy := map[string]map[string]int64{"user-min": {"q": 3, "w": 60}, "user-day": {"q": 100, "w": 86400}}
			for i := range 2 {
				res := send(t, h, method)
				if res.StatusCode != http.StatusOK || res.Header.Get("Etag") == "" || res.Header.Get("Cache-Control") != "private, max-age=60" {
					t.Fatalf("%d %v", res.StatusCode, res.Header)
				}
				if diff := cmp.Diff(wantPolicy, items(t, res.Header, "RateLimit-Policy")); diff != "" {
					t.Error(diff)
				}
				state := items(t, res.Header, "RateLimit")
				if len(state) != 2 || state["user-min"]["r"] != int64(1-i) || state["user-min"]["t"] != 20 || state["user-day"]["r"] != int64(99-i) {
					t.Errorf("RateLimit %q", res.Header.Values("RateLimit"))
				}
				if got, want := res.Header.Get("X-RateLimit-Reset"), strconv.FormatInt(clock.Now().Unix()+20, 10); got != want ||
					res.Header.Get("X-RateLimit-Limit") != "2" || res.Header.Get("X-RateLimit-Remaining") != strconv.Itoa(1-i) {
					t.Errorf("legacy headers: %v, want reset %s", res.Header, want)
				}
			}

			clock.Move(1500 * time.Millisecond)
			res := send(t, h, method)
			var body map[string]any
			if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{
				"type": "https://iana.org/assignments/http-problem-types#quota-exceeded", "status": 429.0, "code": "rate_limited",
				"title":      "Request cannot be satisfied as assigned quota has been exceeded",
				"detail":     "You have sent too many requests. Try again after the time in Retry-After.",
				"request_id": res.Header.Get("X-Request-Id"), "violated-policies": []any{"user-min"},
			}
			if diff := cmp.Diff(want, body); diff != "" {
				t.Error(diff)
			}
			for name, value := range map[string]string{
				"Content-Type": "application/problem+json", "Cache-Control": "no-store", "Retry-After": "19", "Etag": "",
				"X-Content-Type-Options": "nosniff", "X-Ratelimit-Remaining": "0",
			} {
				if got := res.Header.Get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
			if diff := cmp.Diff(map[string]map[string]int64{"user-min": {"r": 0, "t": 19}}, items(t, res.Header, "RateLimit")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(wantPolicy, items(t, res.Header, "RateLimit-Policy")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHiddenRuleShowsNothingOfItsSubject(t *testing.T) {
	t.Parallel()
	clock := ratelimittest.NewClock()
	h := behind(t, http.MethodPost, limit(t, ratelimithttp.Config{Legacy: true, Rules: []ratelimithttp.Rule{
		{Key: ratelimithttp.IPKey(), Limiter: newStore(t, clock.Now, burst2), Hide: true, Cost: 2},
	}}), ok)
	for _, status := range []int{http.StatusOK, http.StatusTooManyRequests} {
		res := send(t, h, http.MethodPost)
		if res.StatusCode != status || res.Header.Get("RateLimit") != "" || res.Header.Get("X-RateLimit-Remaining") != "" || res.Header.Get("RateLimit-Policy") == "" {
			t.Errorf("%d %v", res.StatusCode, res.Header)
		}
	}
}

func TestTwoPlacesShareTheHeaders(t *testing.T) {
	t.Parallel()
	clock := ratelimittest.NewClock()
	ip := burst2
	ip.Name, ip.Burst = "ip", 1
	handler := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	key := ratelimithttp.IPKey()
	rules := func(p ratelimit.Policy) ratelimithttp.Config {
		return ratelimithttp.Config{Rules: []ratelimithttp.Rule{{Key: key, Limiter: newStore(t, clock.Now, p)}}}
	}
	h := limit(t, rules(perDay))(limit(t, rules(ip))(http.HandlerFunc(handler)))
	for i, method := range []string{http.MethodGet, http.MethodPost} {
		res := send(t, h, method)
		if got := items(t, res.Header, "RateLimit-Policy"); len(got) != 2 {
			t.Errorf("%s: policies %v", method, got)
		}
		if got := items(t, res.Header, "RateLimit"); len(got) != 2-i || (res.StatusCode == http.StatusTooManyRequests) != (i == 1) {
			t.Errorf("%s: %d %v", method, res.StatusCode, got)
		}
	}
}

func TestClosedAndUnknown(t *testing.T) {
	t.Parallel()
	clock := ratelimittest.NewClock()
	nowhere := func(*http.Request) (ratelimit.Subject, error) { return "", nil }
	down := newStore(t, clock.Now, burst2)
	down.before = func(context.Context) error { return errors.New("down") }
	guard, err := ratelimit.NewGuard(down, ratelimit.GuardConfig{OnError: ratelimit.Closed, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for name, rule := range map[string]ratelimithttp.Rule{
			"SubjectOfAClosedRule": {Key: nowhere, Limiter: newStore(t, clock.Now, burst2), Closed: true},
			"StoreOfAClosedGuard":  {Key: ratelimithttp.IPKey(), Limiter: guard},
		} {
			res := send(t, behind(t, method, limit(t, ratelimithttp.Config{Rules: []ratelimithttp.Rule{rule}}), ok), method)
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "1" || res.Header.Get("RateLimit") != "" ||
				!strings.Contains(string(body), `#temporary-reduced-capacity"`) || !strings.Contains(string(body), `"rate_limit_unavailable"`) {
				t.Errorf("%s: %d %v %s", name, res.StatusCode, res.Header, body)
			}
		}
		shared := behind(t, method, limit(t, ratelimithttp.Config{Rules: []ratelimithttp.Rule{{Key: nowhere, Limiter: newStore(t, clock.Now, burst2)}}}), ok)
		for _, want := range []int{200, 200, 429} {
			if res := send(t, shared, method); res.StatusCode != want {
				t.Errorf("%s: unknown clients: %d, want %d", method, res.StatusCode, want)
			}
		}
	}
}

func TestFailingLimiterIsAnError(t *testing.T) {
	t.Parallel()
	for want, failure := range map[int]error{http.StatusInternalServerError: errors.New("broken"), http.StatusGatewayTimeout: context.DeadlineExceeded} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			s := newStore(t, time.Now, burst2)
			s.before = func(context.Context) error { return failure }
			mw := limit(t, ratelimithttp.Config{Rules: []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: s}}})
			if res := send(t, behind(t, method, mw, ok), method); res.StatusCode != want || res.Header.Get("Etag") != "" {
				t.Errorf("%s %v: %d", method, failure, res.StatusCode)
			}
		}
	}
}

func TestMiddlewareRefuses(t *testing.T) {
	t.Parallel()
	key := ratelimithttp.IPKey()
	log := func(name string) ratelimit.Limiter {
		return newStore(t, time.Now, ratelimit.Policy{Name: name, Algorithm: ratelimit.SlidingLog, Limit: 5, Window: time.Minute})
	}
	for want, rules := range map[string][]ratelimithttp.Rule{
		"without rules":  nil,
		"Key is nil":     {{Limiter: log("a")}},
		"Limiter is nil": {{Key: key}},
		"Cost must be":   {{Key: key, Limiter: log("a"), Cost: -1}},
		"in two places":  {{Key: key, Limiter: newStore(t, time.Now, burst2)}, {Key: key, Limiter: newStore(t, time.Now, burst2)}},
		"cannot refund":  {{Key: key, Limiter: log("a")}, {Key: key, Limiter: log("b")}},
		"cost 6":         {{Key: key, Limiter: log("a"), Cost: 6}},
	} {
		if _, err := ratelimithttp.Middleware(ratelimithttp.Config{Rules: rules}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	off := limit(t, ratelimithttp.Config{Rules: []ratelimithttp.Rule{{Key: key, Limiter: ratelimit.Disabled()}}})
	if res := send(t, behind(t, http.MethodGet, off, ok), http.MethodGet); res.StatusCode != http.StatusOK || res.Header.Get("RateLimit-Policy") != "" {
		t.Errorf("limits that are off: %d %v", res.StatusCode, res.Header)
	}
}

// The headers of arbitrary policies and requests are lists of RFC 9651, Retry-After is never before t, and a client that
// waits for it is admitted.
func TestHeadersAreStructured(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		clock := ratelimittest.NewClock()
		var policies []ratelimit.Policy
		for i := range rapid.IntRange(1, 3).Draw(rt, "policies") {
			policies = append(policies, ratelimit.Policy{
				Name: "p" + strconv.Itoa(i) + rapid.StringMatching(`(-[a-z0-9]{1,5}){0,2}`).Draw(rt, "name"), Algorithm: ratelimit.Algorithm(rapid.IntRange(0, 2).Draw(rt, "algorithm")),
				Limit: rapid.Int64Range(1, 5).Draw(rt, "limit"), Window: time.Duration(rapid.Int64Range(1, 100).Draw(rt, "window")) * time.Second,
			})
		}
		h := limit(t, ratelimithttp.Config{Rules: []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: newStore(t, clock.Now, policies...)}}})(
			http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		mustPass := false
		for range 20 {
			res := send(t, h, http.MethodPost)
			if n := len(items(t, res.Header, "RateLimit-Policy")); n != len(policies) {
				rt.Fatalf("%d policies of %d", n, len(policies))
			}
			state := items(t, res.Header, "RateLimit")
			if res.StatusCode != http.StatusTooManyRequests {
				if len(state) != len(policies) {
					rt.Fatalf("RateLimit %v", state)
				}
				mustPass = false
				clock.Move(time.Duration(rapid.Int64Range(0, 2_000_000).Draw(rt, "us")) * time.Microsecond)
				continue
			}
			if mustPass {
				rt.Fatal("a client that has waited for Retry-After is denied")
			}
			wait, err := strconv.ParseInt(res.Header.Get("Retry-After"), 10, 64)
			if err != nil || wait < 1 {
				rt.Fatalf("Retry-After %q", res.Header.Get("Retry-After"))
			}
			for name, p := range state {
				if p["r"] < 0 || p["t"] > wait {
					rt.Fatalf("%s: %v with Retry-After %d", name, p, wait)
				}
			}
			clock.Move(time.Duration(wait) * time.Second)
			mustPass = true
		}
	})
}

// What a shared cache stores must not have what the client that filled the cache has left.
func TestAnswerForSharedCachesHasNoStateOfOneClient(t *testing.T) {
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
func TestLegacyRemainingIsAtMostTheLimit(t *testing.T) {
	t.Parallel()
	s := newStore(t, time.Now, ratelimit.Policy{Name: "public-read", Limit: 20, Burst: 40, Window: time.Second})
	mw := limit(t, ratelimithttp.Config{Legacy: true, Rules: []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: s}}})
	rec := httptest.NewRecorder()
	mw(http.NotFoundHandler()).ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/x", nil))
	if l, r := rec.Header().Get("X-RateLimit-Limit"), rec.Header().Get("X-RateLimit-Remaining"); l != "40" || r != "39" {
		t.Errorf("X-RateLimit-Limit: %s, X-RateLimit-Remaining: %s", l, r)
	}
}

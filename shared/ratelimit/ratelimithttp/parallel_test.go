package ratelimithttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// one admits one request.
var one = ratelimit.Policy{Name: "one", Limit: 1, Window: time.Hour}

func single(t testing.TB, l ratelimit.Limiter) func(http.Handler) http.Handler {
	t.Helper()
	return limit(t, ratelimithttp.Config{Rules: []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: l}}})
}

func TestReadsRunInParallel(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		reads, answered := make(chan struct{}), atomic.Bool{}
		s := newStore(t, time.Now, burst2)
		s.before = func(context.Context) error {
			<-reads // never, if the handler waits for the limiter
			time.Sleep(5 * time.Millisecond)
			answered.Store(true)
			return nil
		}
		h := single(t, s)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(reads)
			_, _ = w.Write([]byte("answer"))
			if !answered.Load() {
				t.Error("something was sent before the limiter answered")
			}
		}))
		if res := send(t, h, method); res.StatusCode != http.StatusOK || res.Header.Get("RateLimit") == "" {
			t.Errorf("%s: %d %v", method, res.StatusCode, res.Header)
		}
	}
}

func TestWritesWaitForTheLimiter(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		var answered atomic.Bool
		s := newStore(t, time.Now, one)
		s.before = func(context.Context) error {
			time.Sleep(time.Millisecond)
			answered.Store(true)
			return nil
		}
		runs := 0
		h := single(t, s)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			runs++
			if !answered.Load() {
				t.Error(method + " has started before the limiter answered")
			}
		}))
		first, second := send(t, h, method), send(t, h, method)
		if first.StatusCode != http.StatusOK || second.StatusCode != http.StatusTooManyRequests || runs != 1 {
			t.Errorf("%s: %d, %d, %d runs", method, first.StatusCode, second.StatusCode, runs)
		}
	}
}

// exhausted returns a store of policy one that denies after the handler has started.
func exhausted(t testing.TB, started <-chan struct{}) *store {
	t.Helper()
	s := newStore(t, time.Now, one)
	if _, err := s.Limiter.Take(t.Context(), ratelimit.NewSubject("ip", "192.0.2.1"), 1); err != nil {
		t.Fatal(err)
	}
	s.before = func(context.Context) error { <-started; return nil }
	return s
}

func TestDenialDropsTheAnswer(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte("secret "), 300_000) // 2 MB
	for name, finish := range map[string]func(w http.ResponseWriter, r *http.Request) error{
		"Wrote2MB": func(w http.ResponseWriter, _ *http.Request) error {
			for range 3 {
				if n, err := w.Write(big); n != len(big) || err != nil {
					t.Errorf("%d, %v", n, err)
				}
			}
			return nil
		},
		"WroteNothing": func(_ http.ResponseWriter, r *http.Request) error { <-r.Context().Done(); return nil },
		"Failed":       func(_ http.ResponseWriter, r *http.Request) error { <-r.Context().Done(); return r.Context().Err() },
		"FailedLate": func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusCreated)
			return errors.New("after the status")
		},
		"Flushed": func(w http.ResponseWriter, _ *http.Request) error { return http.NewResponseController(w).Flush() },
		"Slow":    func(_ http.ResponseWriter, _ *http.Request) error { time.Sleep(10 * time.Millisecond); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			started := make(chan struct{})
			var ended atomic.Bool
			handler := func(w http.ResponseWriter, r *http.Request) error {
				defer ended.Store(true)
				w.Header().Set("Set-Cookie", "secret=1")
				w.Header().Set("Location", "/secret")
				w.Header().Add("Vary", "Secret")
				w.Header().Del("X-Frame-Options")
				logging.EntryFrom(r.Context()).Add(zap.String("secret", "1"))
				close(started)
				return finish(w, r)
			}
			core, logs := observer.New(zapcore.DebugLevel)
			h, err := middleware.Chain(api.Route{Name: "x", Method: http.MethodGet, Path: "/x", Auth: api.Public, Rate: api.Unlimited},
				middleware.Config{RateLimitIP: single(t, exhausted(t, started)), Logger: zap.New(core)}, handler)
			if err != nil {
				t.Fatal(err)
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/x", nil))
			if !ended.Load() {
				t.Error("the handler runs on after the answer")
			}
			body := rec.Body.String()
			if rec.Code != http.StatusTooManyRequests || strings.Contains(body, "secret") || !json.Valid(rec.Body.Bytes()) || len(body) > 1000 {
				t.Errorf("%d %.300s", rec.Code, body)
			}
			for name, want := range map[string]string{"Set-Cookie": "", "Location": "", "X-Frame-Options": "DENY", "Vary": "Origin", "Cache-Control": "no-store"} {
				if got := rec.Header().Values(name); strings.Join(got, ",") != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			line := logs.FilterMessage("request").All()
			if len(line) != 1 || line[0].ContextMap()["error_code"] != "rate_limited" || line[0].ContextMap()["secret"] != nil || line[0].ContextMap()["error"] != nil {
				t.Errorf("access lines: %v", line)
			}
		})
	}
}

func TestWhatTheHandlerAddsToTheAccessLineIsKept(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.DebugLevel)
	h, err := middleware.Chain(api.Route{Name: "x", Method: http.MethodGet, Path: "/x", Auth: api.Public, Rate: api.Unlimited},
		middleware.Config{RateLimitIP: single(t, newStore(t, time.Now, one)), Logger: zap.New(core)},
		func(_ http.ResponseWriter, r *http.Request) error {
			logging.EntryFrom(r.Context()).Add(zap.Int("items", 3))
			return errors.New("cause")
		})
	if err != nil {
		t.Fatal(err)
	}
	res := send(t, h, http.MethodGet)
	line := logs.FilterMessage("request").All()[0].ContextMap()
	if res.StatusCode != http.StatusInternalServerError || line["items"] != int64(3) || !strings.Contains(fmt.Sprint(line["error"]), "cause") {
		t.Errorf("%d %v", res.StatusCode, line)
	}
}

func TestPanicOfTheHandler(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		store *store
		want  any
	}{
		"Admitted": {newStore(t, time.Now, one), "boom"},
		"Denied":   {exhausted(t, nil), nil},
	} {
		started := make(chan struct{})
		var asked atomic.Bool
		tt.store.before = func(context.Context) error {
			<-started
			time.Sleep(5 * time.Millisecond)
			asked.Store(true)
			return nil
		}
		h := single(t, tt.store)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(started)
			panic("boom")
		}))
		rec := httptest.NewRecorder()
		func() {
			defer func() {
				if v := recover(); v != tt.want || !asked.Load() {
					t.Errorf("%s: panic %v, the limiter has answered: %t", name, v, asked.Load())
				}
			}()
			h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/x", nil))
		}()
		if denied := rec.Code == http.StatusTooManyRequests; denied != (tt.want == nil) {
			t.Errorf("%s: status %d", name, rec.Code)
		}
	}
}

func TestPanicOfTheLimiter(t *testing.T) {
	t.Parallel()
	s := newStore(t, time.Now, one)
	s.before = func(context.Context) error { panic("boom") }
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if res := send(t, behind(t, method, single(t, s), ok), method); res.StatusCode != http.StatusInternalServerError || res.Header.Get("Etag") != "" {
			t.Errorf("%s: %d %v", method, res.StatusCode, res.Header)
		}
	}
}

func TestRememberedDenialStartsNoHandler(t *testing.T) {
	t.Parallel()
	clock := ratelimittest.NewClock()
	s := newStore(t, clock.Now, one)
	guard, err := ratelimit.NewGuard(s, ratelimit.GuardConfig{OnError: ratelimit.Open, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	var runs atomic.Int64
	h := single(t, guard)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runs.Add(1) }))
	for i := range 10 {
		if res := send(t, h, http.MethodGet); (res.StatusCode == http.StatusOK) != (i == 0) {
			t.Fatalf("request %d: %d", i, res.StatusCode)
		}
	}
	if calls, runs := s.calls.Load(), runs.Load(); calls != 2 || runs != 2 {
		t.Errorf("%d calls of the store and %d runs of the handler, want 2 and 2", calls, runs)
	}
}

// In a Lambda function: what lambdahttp and the chain can do with an answer, they can do behind the limits.
func TestLambda(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler api.Handler
		status  int
		code    string
	}{
		"OK": {ok, http.StatusOK, ""},
		"FailedAfterItBegan": {func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte("half"))
			return errors.New("broken")
		}, http.StatusInternalServerError, "internal"},
		"PanickedWhenAdmitted": {func(w http.ResponseWriter, r *http.Request) error {
			_, _ = w.Write([]byte("half"))
			if r.Context().Err() == nil {
				panic("boom")
			}
			return nil
		}, http.StatusInternalServerError, "internal"},
		"TooLarge": {func(w http.ResponseWriter, _ *http.Request) error {
			_, err := w.Write(make([]byte, 7<<20))
			return err
		}, http.StatusInternalServerError, "response_too_large"},
	} {
		h := lambdahttp.New(behind(t, http.MethodGet, single(t, newStore(t, time.Now, one)), c.handler), lambdahttp.Config{RouteKey: "GET /x"})
		const event = `{"version":"2.0","routeKey":"GET /x","rawPath":"/x","headers":{},"requestContext":{"stage":"$default","routeKey":"GET /x",
			"http":{"method":"GET","path":"/x","protocol":"HTTP/1.1","sourceIp":"2001:db8::1"}}}`
		for i, want := range []struct {
			status int
			code   string
		}{{c.status, c.code}, {http.StatusTooManyRequests, "rate_limited"}} {
			out, err := h.Invoke(t.Context(), []byte(event))
			var answer struct {
				StatusCode int
				Headers    map[string]string
				Body       string
			}
			if err := errors.Join(err, json.Unmarshal(out, &answer)); err != nil {
				t.Fatal(err)
			}
			var problem struct{ Code string }
			_ = json.Unmarshal([]byte(answer.Body), &problem)
			if answer.StatusCode != want.status || problem.Code != want.code {
				t.Errorf("%s, request %d: %d %.200s", name, i, answer.StatusCode, answer.Body)
			}
			if !strings.HasPrefix(answer.Headers["ratelimit"]+answer.Headers["Ratelimit"], `"one";r=0;t=`) {
				t.Errorf("%s, request %d: headers %v", name, i, answer.Headers)
			}
		}
	}
}

// Many clients, limiters and handlers of random speed and with random faults: exactly the limit is admitted, and nobody
// sees the answer of a request that was denied. It is for the race detector.
func TestFaultsInParallel(t *testing.T) {
	t.Parallel()
	s := newStore(t, time.Now, ratelimit.Policy{Name: "ten", Algorithm: ratelimit.SlidingLog, Limit: 10, Window: time.Hour})
	s.before = func(context.Context) error {
		time.Sleep(rand.N(300 * time.Microsecond))
		return nil
	}
	h := behind(t, http.MethodGet, single(t, s), func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("X-Answer", "yes")
		select {
		case <-r.Context().Done():
		case <-time.After(rand.N(300 * time.Microsecond)):
		}
		switch rand.N(4) {
		case 0:
			panic("boom")
		case 1:
			return errors.New("broken")
		default:
			return api.Write(w, http.StatusOK, strings.Repeat("x", 100_000))
		}
	})
	var served, denied atomic.Int64
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/x", nil))
			switch {
			case rec.Code == http.StatusOK && rec.Header().Get("X-Answer") == "yes" && rec.Body.Len() > 100_000:
				served.Add(1)
			case rec.Code == http.StatusTooManyRequests && rec.Header().Get("X-Answer") == "" && rec.Body.Len() < 1000:
				denied.Add(1)
			case rec.Code != http.StatusInternalServerError:
				t.Errorf("%d %v, %d bytes", rec.Code, rec.Header(), rec.Body.Len())
			}
		})
	}
	group.Wait()
	if n := served.Load(); n > 10 || denied.Load() == 0 {
		t.Errorf("%d served and %d denied, want at most 10", n, denied.Load())
	}
}

// constant admits without looking.
type constant struct {
	ratelimit.Limiter

	decision ratelimit.Decision
}

func (c *constant) Take(context.Context, ratelimit.Subject, int64) (ratelimit.Decision, error) {
	return c.decision, nil
}

// decided returns what one request costs in the middleware and the guard, apart from the store.
func decided(t testing.TB, method string) func() {
	t.Helper()
	policies := newStore(t, time.Now, burst2, perDay)
	d, err := policies.Take(t.Context(), "x", 1)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := ratelimit.NewGuard(&constant{Limiter: policies.Limiter, decision: d}, ratelimit.GuardConfig{OnError: ratelimit.Open})
	if err != nil {
		t.Fatal(err)
	}
	h := single(t, guard)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest(method, "/x", nil)
	w := httptest.NewRecorder()
	return func() {
		clear(w.Header())
		h.ServeHTTP(w, r)
	}
}

func TestAllocations(t *testing.T) { //nolint:paralleltest // testing.AllocsPerRun counts the whole process
	if n := testing.AllocsPerRun(200, decided(t, http.MethodPost)); n > 10 {
		t.Errorf("%v allocations for a decision, want at most 10", n)
	}
}

func BenchmarkDecision(b *testing.B) {
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		b.Run(method, func(b *testing.B) {
			f := decided(b, method)
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

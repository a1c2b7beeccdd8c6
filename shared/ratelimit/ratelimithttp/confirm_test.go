package ratelimithttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
)

// revokedError is the error of a check that finds a revoked session.
type revokedError struct{}

func (revokedError) Error() string             { return "revoked" }
func (revokedError) Outcome() identity.Outcome { return identity.TokenRevoked }

// meeting lets each of n callers wait until all are there.
type meeting struct {
	missing atomic.Int64
	all     chan struct{}
}

func newMeeting(n int64) *meeting {
	m := &meeting{all: make(chan struct{})}
	m.missing.Store(n)
	return m
}

func (m *meeting) wait() {
	if m.missing.Add(-1) == 0 {
		close(m.all)
	}
	<-m.all
}

// A read waits for its session, its limit and its handler at the same time, in a Lambda function. The client gets the
// outermost refusal, whatever is slow.
func TestSessionLimitAndHandlerRunAtTheSameTime(t *testing.T) {
	t.Parallel()
	const pause = 5 * time.Millisecond
	for _, revoked := range []bool{false, true} {
		for _, denied := range []bool{false, true} {
			for _, handler := range []string{"writes", "fails", "panics"} {
				for _, slow := range []string{"session", "limit", "handler"} {
					name := fmt.Sprintf("revoked=%t,denied=%t,%s,slow=%s", revoked, denied, handler, slow)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						together := newMeeting(3) // never ends, if one waits for another
						wait := func(who string) {
							together.wait()
							if who == slow {
								time.Sleep(pause)
							}
						}
						limiter := newStore(t, time.Now, one)
						if denied {
							if _, err := limiter.Limiter.Take(t.Context(), ratelimit.NewSubject(ratelimithttp.KindUser, "u1"), 1); err != nil {
								t.Fatal(err)
							}
						}
						limiter.before = func(context.Context) error { wait("limit"); return nil }
						authenticate := middleware.Confirm(func(*http.Request) (identity.Annotation, error) {
							return identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{Subject: "u1"}}, nil
						}, func(context.Context, identity.Identity) error {
							wait("session")
							if revoked {
								return revokedError{}
							}
							return nil
						})
						core, logs := observer.New(zapcore.DebugLevel)
						h := readOf(t, middleware.Config{
							Authenticator: authenticate, Logger: zap.New(core),
							RateLimitSubject: limit(t, ratelimithttp.Config{Rules: []ratelimithttp.Rule{{Key: ratelimithttp.UserKey(ratelimithttp.IPKey()), Limiter: limiter}}}),
						}, func(w http.ResponseWriter, r *http.Request) error {
							w.Header().Set("X-Answer", "1")
							logging.EntryFrom(r.Context()).Add(zap.String("answer", "1"))
							wait("handler")
							switch handler {
							case "panics":
								panic("boom")
							case "fails":
								return errors.New("broken")
							default:
								return api.Write(w, http.StatusOK, "answer")
							}
						})

						want := struct {
							status               int
							code, header, limits string
						}{http.StatusOK, "", "1", `"one";r=0`}
						switch {
						case revoked:
							want.status, want.code, want.header, want.limits = http.StatusUnauthorized, "token_revoked", "", ""
						case denied:
							want.status, want.code, want.header = http.StatusTooManyRequests, "rate_limited", ""
						case handler != "writes":
							want.status, want.code = http.StatusInternalServerError, "internal"
						}
						got := invoke(t, h)
						if got.StatusCode != want.status || got.code() != want.code || got.Headers["x-answer"] != want.header {
							t.Errorf("got %+v, want %+v", got, want)
						}
						if limits := got.Headers["ratelimit"]; !strings.HasPrefix(limits, want.limits) || (limits == "") != (want.limits == "") {
							t.Errorf("RateLimit: %q, want %q", limits, want.limits)
						}
						if policy := got.Headers["ratelimit-policy"]; (policy == "") != (want.limits == "") {
							t.Errorf("RateLimit-Policy: %q", policy)
						}
						line := logs.FilterMessage("request").All()[0].ContextMap()
						if (line["answer"] != nil) != (want.header != "") || line["http_status"] != int64(want.status) || want.code != "" && line["error_code"] != want.code {
							t.Errorf("access line: %v", line)
						}
						if n := limiter.calls.Load(); n != 1 {
							t.Errorf("the request was counted %d times", n)
						}
					})
				}
			}
		}
	}
}

// readOf returns a function that answers GET /x for known callers.
func readOf(t *testing.T, cfg middleware.Config, handler api.Handler) *lambdahttp.Handler {
	t.Helper()
	h, err := middleware.Chain(api.Route{Name: "x", Method: http.MethodGet, Path: "/x", Auth: api.Required, Rate: "user"}, cfg, handler)
	if err != nil {
		t.Fatal(err)
	}
	return lambdahttp.New(h, lambdahttp.Config{RouteKey: "GET /x"})
}

// lambdaAnswer is what a function returns to API Gateway.
type lambdaAnswer struct {
	StatusCode int
	Headers    map[string]string
	Body       string
}

func (a lambdaAnswer) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal([]byte(a.Body), &p)
	return p.Code
}

func invoke(t *testing.T, h *lambdahttp.Handler) lambdaAnswer {
	t.Helper()
	out, err := h.Invoke(t.Context(), []byte(`{"version":"2.0","routeKey":"GET /x","rawPath":"/x","headers":{},"requestContext":{"stage":"$default","routeKey":"GET /x",
		"http":{"method":"GET","path":"/x","protocol":"HTTP/1.1","sourceIp":"2001:db8::1"}}}`))
	var a lambdaAnswer
	if err := errors.Join(err, json.Unmarshal(out, &a)); err != nil {
		t.Fatal(err)
	}
	lower := map[string]string{}
	for name, value := range a.Headers {
		lower[strings.ToLower(name)] = value
	}
	a.Headers = lower
	return a
}

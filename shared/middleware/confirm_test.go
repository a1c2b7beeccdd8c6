package middleware_test

import (
	"context"
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

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outcomeError is the error of a check that refuses a token.
type outcomeError struct{ outcome identity.Outcome }

func (e outcomeError) Error() string             { return "refused" }
func (e outcomeError) Outcome() identity.Outcome { return e.outcome }

var (
	errRevoked = outcomeError{identity.TokenRevoked}
	readThings = api.Route{Name: "get-things", Method: http.MethodGet, Path: "/v1/things", Auth: api.Required, Rate: api.Unlimited}
)

// confirmed is an authenticator of the staff caller, whom confirm confirms.
func confirmed(confirm func(context.Context) error) middleware.Authenticator {
	return middleware.Confirm(asStaff, func(ctx context.Context, _ identity.Identity) error { return confirm(ctx) })
}

func TestReadsRunWhileTheCallerIsConfirmed(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		reads := make(chan struct{})
		var answered atomic.Bool
		confirm := func(ctx context.Context) error {
			<-reads // never, if the handler waits for the confirmation
			time.Sleep(5 * time.Millisecond)
			answered.Store(true)
			return ctx.Err()
		}
		h := chain(t, readThings, middleware.Config{Authenticator: confirmed(confirm)}, func(w http.ResponseWriter, r *http.Request) error {
			close(reads)
			w.WriteHeader(http.StatusAccepted)
			if !answered.Load() {
				t.Errorf("%s: something was sent before the caller was confirmed", method)
			}
			w.Header().Set("X-Late", "1")
			_, err := w.Write([]byte(identity.MustUserID(r.Context())))
			return err
		})
		rec := serve(h, httptest.NewRequest(method, "/v1/things", nil))
		if rec.Code != http.StatusAccepted || rec.Body.String() != "u1" || rec.Result().Header.Get("X-Late") != "" {
			t.Errorf("%s: %d %s", method, rec.Code, rec.Body)
		}
	}
}

func TestWritesWaitUntilTheCallerIsConfirmed(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		for _, want := range []error{nil, errRevoked} {
			var answered atomic.Bool
			confirm := func(context.Context) error {
				time.Sleep(time.Millisecond)
				answered.Store(true)
				return want
			}
			runs := 0
			h := middleware.RequireAuth(confirmed(confirm))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				runs++
				if !answered.Load() {
					t.Error(method + " has started before the caller was confirmed")
				}
			}))
			rec := serve(h, httptest.NewRequest(method, "/", nil))
			if ok := want == nil; ok != (rec.Code == http.StatusOK) || ok != (runs == 1) || !ok && rec.Code != http.StatusUnauthorized {
				t.Errorf("%s, %v: %d, %d runs", method, want, rec.Code, runs)
			}
		}
	}
}

func TestRefusalDropsTheAnswer(t *testing.T) {
	t.Parallel()
	panics := func(http.ResponseWriter, *http.Request) error { panic("secret") }
	for name, finish := range map[string]api.Handler{
		"Wrote":        func(w http.ResponseWriter, _ *http.Request) error { return api.Write(w, http.StatusOK, "secret") },
		"WroteNothing": func(http.ResponseWriter, *http.Request) error { return nil },
		"Failed": func(http.ResponseWriter, *http.Request) error {
			return problem.New(problem.NotFound, "secret", "secret")
		},
		"FailedLate": func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusCreated)
			return errors.New("secret")
		},
		"Flushed":  func(w http.ResponseWriter, _ *http.Request) error { return http.NewResponseController(w).Flush() },
		"Aborted":  func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) },
		"Panicked": panics,
		"PanickedLate": func(w http.ResponseWriter, r *http.Request) error {
			_, _ = w.Write([]byte("secret"))
			return panics(w, r)
		},
	} {
		for speed, slow := range map[string]bool{"SlowCheck": true, "SlowHandler": false} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				t.Run(name+speed+method, func(t *testing.T) {
					t.Parallel()
					started := make(chan struct{})
					var ended, canceled atomic.Bool
					confirm := func(context.Context) error {
						<-started
						if slow {
							time.Sleep(5 * time.Millisecond)
						}
						return errRevoked
					}
					log, lines := logger(t)
					h := chain(t, readThings, middleware.Config{Authenticator: confirmed(confirm), Logger: log}, func(w http.ResponseWriter, r *http.Request) error {
						defer ended.Store(true)
						w.Header().Set("Set-Cookie", "secret=1")
						w.Header().Set("Location", "/secret")
						w.Header().Set(problem.HeaderWWWAuthenticate, "secret")
						w.Header().Add("Vary", "Secret")
						w.Header().Del("X-Frame-Options")
						logging.EntryFrom(r.Context()).Add(zap.String("secret", "1"))
						close(started)
						if !slow {
							<-r.Context().Done()
							canceled.Store(errors.Is(r.Context().Err(), context.Canceled))
						}
						return finish(w, r)
					})
					rec := serve(h, httptest.NewRequest(method, "/v1/things", nil))
					if !ended.Load() || canceled.Load() == slow {
						t.Errorf("the handler has ended: %t, it was canceled: %t", ended.Load(), canceled.Load())
					}
					if body := rec.Body.String(); rec.Code != http.StatusUnauthorized || !strings.Contains(body, "token_revoked") || strings.Contains(body, "secret") {
						t.Errorf("%d %.300s", rec.Code, body)
					}
					for name, want := range map[string]string{
						"Set-Cookie": "", "Location": "", "X-Frame-Options": "DENY", "Vary": "Origin", "Cache-Control": "no-store",
						problem.HeaderWWWAuthenticate: `Bearer error="invalid_token"`,
					} {
						if got := rec.Header().Values(name); strings.Join(got, ",") != want {
							t.Errorf("%s: %q, want %q", name, got, want)
						}
					}
					line := lines()[0]
					if line["http_status"] != 401.0 || line["error_code"] != "token_revoked" || line["secret"] != nil {
						t.Errorf("access line: %v", line)
					}
					if cause := fmt.Sprint(line["error"]); strings.Contains(cause, "panic") != (strings.HasPrefix(name, "Panicked") || name == "Aborted") {
						t.Errorf("cause on the access line: %s", cause)
					}
				})
			}
		}
	}
}

// What a client gets for an error of the confirmation is what it gets for the same error of an authenticator that does
// everything in one step.
func TestRefusalsAreThoseOfOneStep(t *testing.T) {
	t.Parallel()
	staffReads := readThings
	staffReads.Roles = []string{"staff"}
	caller := staffCaller.Identity
	outsider := caller
	outsider.Roles = nil
	for name, tc := range map[string]struct {
		err    error
		caller identity.Identity
		status int
	}{
		"Valid":                 {nil, caller, http.StatusOK},
		"Revoked":               {errRevoked, caller, http.StatusUnauthorized},
		"RevokedWithoutTheRole": {errRevoked, outsider, http.StatusUnauthorized},
		"WithoutTheRole":        {nil, outsider, http.StatusForbidden},
		"Expired":               {outcomeError{identity.TokenExpired}, caller, http.StatusUnauthorized},
		"WrappedRevoked":        {fmt.Errorf("check: %w", errRevoked), caller, http.StatusUnauthorized},
		"InvalidRequest":        {outcomeError{identity.InvalidRequest}, caller, http.StatusBadRequest},
		"Unavailable":           {outcomeError{identity.Unavailable}, caller, http.StatusServiceUnavailable},
		"UnavailableProblem":    {problem.New(problem.Unavailable, "private", "private"), caller, http.StatusServiceUnavailable},
		"OutOfTime":             {fmt.Errorf("read: %w", context.DeadlineExceeded), caller, http.StatusGatewayTimeout},
		"OtherProblem":          {problem.New(problem.NotFound, "private", "private"), caller, http.StatusInternalServerError},
		"Fault":                 {errors.New("private"), caller, http.StatusInternalServerError},
		"OKAsAnError":           {outcomeError{identity.OK}, caller, http.StatusInternalServerError},
		"NobodyAsAnError":       {outcomeError{identity.Anonymous}, caller, http.StatusInternalServerError},
	} {
		verify := func(context.Context, string) (identity.Identity, error) { return tc.caller, nil }
		check := func(context.Context, identity.Identity) error { return tc.err }
		both := func(context.Context, string) (identity.Identity, error) { return tc.caller, tc.err }
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			var got []string
			for _, authenticate := range []middleware.Authenticator{jwt.Authenticate(both), middleware.Confirm(jwt.Authenticate(verify), check)} {
				log, lines := logger(t)
				h := chain(t, staffReads, middleware.Config{Authenticator: authenticate, Logger: log}, okHandler)
				r := httptest.NewRequest(method, "/v1/things", nil)
				r.Header.Set("Authorization", "Bearer x")
				r.Header.Set(problem.HeaderRequestID, "1")
				rec := serve(h, r)
				if rec.Code != tc.status || strings.Contains(rec.Body.String(), "private") {
					t.Errorf("%s, %s: %d %s, want %d", name, method, rec.Code, rec.Body, tc.status)
				}
				line := lines()[0]
				got = append(got, fmt.Sprint(rec.Code, toJSON(t, rec.Header()), rec.Body, line["error_code"], line["error"]))
			}
			if diff := cmp.Diff(got[0], got[1]); diff != "" {
				t.Errorf("%s, %s (-one step +two steps):\n%s", name, method, diff)
			}
		}
	}
}

func TestPanicsWhileTheCallerIsConfirmed(t *testing.T) {
	t.Parallel()
	boom := func(context.Context) error { panic("boom") }
	fine := func(context.Context) error { return nil }
	for name, tc := range map[string]struct {
		confirm func(context.Context) error
		handler api.Handler
	}{
		"Confirmation": {boom, okHandler},
		"Handler":      {fine, func(http.ResponseWriter, *http.Request) error { panic("boom") }},
		"Both":         {boom, func(http.ResponseWriter, *http.Request) error { panic("boom") }},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			log, lines := logger(t)
			h := chain(t, readThings, middleware.Config{Authenticator: confirmed(tc.confirm), Logger: log}, tc.handler)
			rec := serve(h, httptest.NewRequest(method, "/v1/things", nil))
			if line := lines()[0]; rec.Code != http.StatusInternalServerError || !strings.Contains(fmt.Sprint(line["error"]), "panic") {
				t.Errorf("%s, %s: %d %v", name, method, rec.Code, line)
			}
		}
	}
}

// A read that must not run at all for some callers may be confirmed by several functions.
func TestConfirmAddsToEarlierConfirmations(t *testing.T) {
	t.Parallel()
	var asked []string
	step := func(name string, err error) func(context.Context, identity.Identity) error {
		return func(_ context.Context, id identity.Identity) error {
			asked = append(asked, name+id.Subject)
			return err
		}
	}
	for _, want := range []struct {
		first, second error
		asked         []string
		status        int
	}{
		{nil, nil, []string{"1u1", "2u1"}, http.StatusOK},
		{errRevoked, nil, []string{"1u1"}, http.StatusUnauthorized},
		{nil, errRevoked, []string{"1u1", "2u1"}, http.StatusUnauthorized},
	} {
		asked = nil
		authenticate := middleware.Confirm(middleware.Confirm(asStaff, step("1", want.first)), step("2", want.second))
		rec := serve(chain(t, readThings, middleware.Config{Authenticator: authenticate}, okHandler), httptest.NewRequest(http.MethodGet, "/v1/things", nil))
		if diff := cmp.Diff(want.asked, asked); diff != "" || rec.Code != want.status {
			t.Errorf("%d, want %d; %s", rec.Code, want.status, diff)
		}
	}
}

func TestConfirmAsksForAcceptedCallersOnly(t *testing.T) {
	t.Parallel()
	never := func(context.Context, identity.Identity) error {
		t.Error("asked")
		return nil
	}
	for _, outcome := range []identity.Outcome{identity.Anonymous, identity.TokenExpired, identity.Unavailable} {
		h := middleware.OptionalAuth(middleware.Confirm(func(*http.Request) (identity.Annotation, error) {
			return identity.Annotation{Outcome: outcome}, nil
		}, never))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		if rec := serve(h, httptest.NewRequest(http.MethodGet, "/", nil)); (rec.Code == http.StatusOK) != (outcome == identity.Anonymous) {
			t.Errorf("%s: %d", outcome, rec.Code)
		}
	}
	revoked := middleware.OptionalAuth(confirmed(func(context.Context) error { return errRevoked }))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if rec := serve(revoked, httptest.NewRequest(http.MethodGet, "/", nil)); rec.Code != http.StatusUnauthorized {
		t.Errorf("an optional route with a revoked token: %d", rec.Code)
	}
	for name, f := range map[string]func(){
		"NoAuthenticator": func() { middleware.Confirm(nil, never) },
		"NoConfirmation":  func() { middleware.Confirm(asStaff, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// Many clients, confirmations and handlers of random speed and with random faults: a refused caller sees nothing of the
// answer. It is for the race detector.
func TestConfirmWithFaultsInParallel(t *testing.T) {
	t.Parallel()
	type revokedKey struct{}
	pause := func() { time.Sleep(rand.N(300 * time.Microsecond)) }
	confirm := func(ctx context.Context) error {
		pause()
		if revoked, _ := ctx.Value(revokedKey{}).(bool); revoked {
			return errRevoked
		}
		return nil
	}
	h := chain(t, readThings, middleware.Config{Authenticator: confirmed(confirm)}, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("X-Answer", "yes")
		logging.EntryFrom(r.Context()).Add(zap.Int("items", 1))
		pause()
		switch rand.N(4) {
		case 0:
			panic("boom")
		case 1:
			return errors.New("broken")
		default:
			return api.Write(w, http.StatusOK, strings.Repeat("x", 100_000))
		}
	})
	var group sync.WaitGroup
	for i := range 200 {
		group.Go(func() {
			revoked := i%2 == 0
			r := httptest.NewRequest(http.MethodGet, "/v1/things", nil)
			rec := serve(h, r.WithContext(context.WithValue(r.Context(), revokedKey{}, revoked)))
			switch {
			case revoked && rec.Code == http.StatusUnauthorized && rec.Header().Get("X-Answer") == "" && rec.Body.Len() < 1000:
			case !revoked && rec.Code == http.StatusOK && rec.Header().Get("X-Answer") == "yes" && rec.Body.Len() > 100_000:
			case !revoked && rec.Code == http.StatusInternalServerError:
			default:
				t.Errorf("revoked %t: %d %v, %d bytes", revoked, rec.Code, rec.Header(), rec.Body.Len())
			}
		})
	}
	group.Wait()
}

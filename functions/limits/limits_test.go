package limits_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/limits"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
)

const (
	maria      = "01JD7PZC3H8Y5E2A9B6D4F7G0K"
	identifier = "0f3a"
	sessionID  = "01JD7PZC3H8Y5E2A9B6D4F7G0S"
	admin      = "01JD7PZC3H8Y5E2A9B6D4F7G0A"
)

// server serves the routes on limiters in memory, one for each list of policies.
type server struct {
	t        *testing.T
	api      *apitest.API
	limiters map[string]ratelimit.Limiter // by the name of the first policy
	log      *lockedBuffer
	err      error // of every limiter
}

type lockedBuffer struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// failing fails with the server's error.
type failing struct {
	ratelimit.Limiter

	s *server
}

func (f failing) Peek(ctx context.Context, subject ratelimit.Subject) (ratelimit.Decision, error) {
	if f.s.err != nil {
		return ratelimit.Decision{}, f.s.err
	}
	return f.Limiter.Peek(ctx, subject)
}

func (f failing) Reset(ctx context.Context, subject ratelimit.Subject) error {
	return errors.Join(f.Limiter.Reset(ctx, subject), f.s.err)
}

var errNobody = problem.New(problem.NotFound, "user_not_found", "There is no such user.")

func newServer(t *testing.T, switches ratelimit.Switches) *server {
	t.Helper()
	s := &server{t: t, limiters: map[string]ratelimit.Limiter{}, log: &lockedBuffer{}}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open := func(policies []ratelimit.Policy) (ratelimit.Limiter, error) {
		name := policies[0].Name
		if policies = switches.Apply(policies); len(policies) == 0 {
			return ratelimit.Disabled(), nil
		}
		l, err := ratelimitmem.New(policies, ratelimitmem.Config{Now: func() time.Time { return now }})
		s.limiters[name] = l
		return failing{l, s}, err
	}
	service, err := limits.NewService(open, func(_ context.Context, id string) (string, error) {
		if id != maria {
			return "", errNobody
		}
		return identifier, nil
	})
	must(t, err)
	logger, err := logging.New(logging.Config{Level: "DEBUG"}, s.log)
	must(t, err)
	s.api = apitest.New(t, limits.Routes(), map[string]api.Handler{
		"get-limits": limits.GetLimits(service), "reset-limits": limits.ResetLimits(service),
	}, func(api.Route) middleware.Config {
		return middleware.Config{Authenticator: middleware.GatewayAuthenticator(time.Now), Logger: logger}
	})
	return s
}

func (s *server) do(method, target string) apitest.Answer {
	s.t.Helper()
	return s.api.Do(method, "/v1/limits/"+target, "", apitest.As(admin, policy.RoleAdmin))
}

type state struct {
	Class, By string
	Allowed   bool
	Limits    []limit
}

type limit struct {
	Policy            string
	Algorithm         string
	Limit             int64
	WindowSeconds     int64 `json:"window_seconds"`
	Burst             int64
	Shadow            bool
	Allowed           bool
	Remaining         int64
	RetryAfterSeconds int64 `json:"retry_after_seconds"`
}

func (s *server) get(target string) state {
	s.t.Helper()
	return apitest.Decode[state](s.do(http.MethodGet, target).Want(http.StatusOK))
}

// request is a request of the subject through the keys of the middleware.
type request struct {
	key    ratelimithttp.KeyFunc
	remote string
	user   string
}

// deny sends requests through the middleware until one is denied.
func (s *server) deny(limiter ratelimit.Limiter, of request) {
	s.t.Helper()
	layer, err := ratelimithttp.Middleware(ratelimithttp.Config{Rules: []ratelimithttp.Rule{{Key: of.key, Limiter: limiter}}})
	must(s.t, err)
	served := layer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for range 1000 {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.RemoteAddr = of.remote
		if of.user != "" {
			r = r.WithContext(identity.With(r.Context(), identity.Identity{Subject: of.user}))
		}
		rec := httptest.NewRecorder()
		served.ServeHTTP(rec, r)
		if rec.Code == http.StatusTooManyRequests {
			return
		}
	}
	s.t.Fatal("nothing was denied")
}

// A subject that the middleware has denied is seen and reset, in each class and by each way to name it.
func TestWhatTheMiddlewareDeniesIsSeenAndReset(t *testing.T) {
	t.Parallel()
	ip := ratelimithttp.IPKey()
	account := func(*http.Request) (ratelimit.Subject, error) { return ratelimithttp.AccountKey(identifier) }
	session := func(*http.Request) (ratelimit.Subject, error) { return ratelimit.NewSubject("session", sessionID), nil }
	tried := map[string]bool{}
	for _, class := range policy.Classes() {
		if class.Rate == policy.RateMeta {
			continue
		}
		for _, counter := range class.Counters() {
			name := counter.Policies[0].Name
			if counter.By == policy.ByAccountAddress {
				continue
			}
			tried[name] = true
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				of, values := request{key: ip, remote: "[2001:db8:1:2::7]:443"}, []string{"2001:db8:1:2::7", "2001:db8:1:2:ffff::1"}
				switch counter.By {
				case policy.ByIP:
				case policy.ByUser:
					of.key, of.user, values = ratelimithttp.UserKey(ip), maria, []string{maria, strings.ToLower(maria)}
				case policy.BySession:
					of.key, values = session, []string{sessionID, strings.ToLower(sessionID)}
				case policy.ByAccount:
					of.key, values = account, []string{maria}
				case policy.ByAccountAddress: // not looked at above
				}
				for _, value := range values {
					s := newServer(t, ratelimit.Switches{})
					target := string(class.Rate) + "?" + string(counter.By) + "=" + value
					s.deny(s.limiters[name], of)
					got := s.get(target)
					i := slices.IndexFunc(got.Limits, func(l limit) bool { return l.Policy == name })
					if got.Allowed || i < 0 || got.Limits[i].Allowed || got.Limits[i].Remaining != 0 || got.Limits[i].RetryAfterSeconds < 1 {
						t.Fatalf("%s is denied, and looks like %+v", target, got)
					}
					s.do(http.MethodDelete, target).Want(http.StatusNoContent)
					if got := s.get(target); !got.Allowed || got.Limits[i].Remaining != got.Limits[i].Burst {
						t.Errorf("%s is reset, and looks like %+v", target, got)
					}
				}
			})
		}
	}
	if len(tried) < 12 {
		t.Errorf("%d limits were tried, there are more", len(tried))
	}
}

func TestGetLimits(t *testing.T) {
	t.Parallel()
	s := newServer(t, ratelimit.Switches{Off: []string{"login-ip"}, Shadow: []string{"sensitive"}})
	_, err := s.limiters["login-address"].Take(t.Context(), ratelimit.NewSubject("ip", "192.0.2.1"), 40)
	must(t, err)
	const want = `{"class":"login","by":"ip","allowed":false,"limits":[{"policy":"login-address","algorithm":"gcra","limit":20,` +
		`"window_seconds":900,"burst":40,"shadow":false,"allowed":false,"remaining":0,"retry_after_seconds":45}]}` + "\n"
	if a := s.do(http.MethodGet, "login?ip=::ffff:192.0.2.1").Want(http.StatusOK); a.Body != want {
		t.Errorf("got %s, want %s", a.Body, want)
	}
	_, err = s.limiters["sensitive"].Take(t.Context(), ratelimit.NewSubject("user", "machine"), 5)
	must(t, err)
	got := s.get("sensitive?user=machine")
	if !got.Allowed || !got.Limits[0].Shadow || got.Limits[0].Allowed {
		t.Errorf("a limit that only counts looks like %+v", got)
	}
	if got := newServer(t, ratelimit.Switches{Off: []string{"all"}}).get("login?ip=192.0.2.1"); !got.Allowed || len(got.Limits) != 0 {
		t.Errorf("limits that are off look like %+v", got)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t, ratelimit.Switches{})
	for target, want := range map[string]struct {
		status   int
		code     string
		pointers []string
	}{
		"nothing?ip=192.0.2.1":                   {http.StatusNotFound, "rate_class_not_found", nil},
		"meta?ip=192.0.2.1":                      {http.StatusNotFound, "rate_class_not_found", nil},
		"login":                                  {http.StatusBadRequest, "invalid_parameter", []string{"account", "ip"}},
		"staff?address=1":                        {http.StatusBadRequest, "invalid_parameter", []string{"user"}},
		"login?ip=192.0.2.1&account=" + maria:    {http.StatusBadRequest, "invalid_parameter", []string{"ip", "account"}},
		"login?user=" + maria:                    {http.StatusBadRequest, "invalid_parameter", []string{"user"}},
		"staff?ip=192.0.2.1":                     {http.StatusBadRequest, "invalid_parameter", []string{"ip"}},
		"staff?user=":                            {http.StatusBadRequest, "invalid_parameter", []string{"user"}},
		"staff?user=%FF":                         {http.StatusBadRequest, "invalid_parameter", []string{"user"}},
		"staff?user=a%0Ab":                       {http.StatusBadRequest, "invalid_parameter", []string{"user"}},
		"staff?user=" + strings.Repeat("a", 129): {http.StatusBadRequest, "invalid_parameter", []string{"user"}},
		"staff?user=a&user=b":                    {http.StatusBadRequest, "invalid_parameter", []string{"user"}},
		"staff?user=%zz":                         {http.StatusBadRequest, "malformed_query", []string{"user"}},
		"login?ip=192.0.2.1/24":                  {http.StatusBadRequest, "invalid_parameter", []string{"ip"}},
		"login?ip=192.0.2.1:80":                  {http.StatusBadRequest, "invalid_parameter", []string{"ip"}},
		"login?account=" + admin:                 {http.StatusNotFound, "user_not_found", nil},
	} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			s.do(method, target).WantProblem(want.status, want.code, want.pointers...)
		}
	}
	if log := s.log.String(); strings.Contains(log, "limits_reset") || strings.Contains(log, "192.0.2.1") {
		t.Errorf("the log has %s", log)
	}
}

func TestOnlyAdminsMay(t *testing.T) {
	t.Parallel()
	s := newServer(t, ratelimit.Switches{})
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		s.api.Do(method, "/v1/limits/login?ip=192.0.2.1", "").WantProblem(http.StatusUnauthorized, "missing_token")
		for _, role := range policy.Roles() {
			if role != policy.RoleAdmin {
				s.api.Do(method, "/v1/limits/login?ip=192.0.2.1", "", apitest.As(maria, role)).WantProblem(http.StatusForbidden, "insufficient_role")
			}
		}
	}
}

func (s *server) events() []map[string]any {
	s.t.Helper()
	var events []map[string]any
	for line := range strings.Lines(s.log.String()) {
		var fields map[string]any
		must(s.t, json.Unmarshal([]byte(line), &fields))
		if fields["limits_event"] == nil {
			continue
		}
		if fields["level"] != "WARN" || fields["message"] != "security event" || fields["correlation_id"] == nil {
			s.t.Errorf("the line is %s", line)
		}
		kept := map[string]any{}
		for _, name := range []string{"limits_event", "rate_class", "rate_limit_policies", "subject", "session_id", "by", "outcome"} {
			if v, ok := fields[name]; ok {
				kept[name] = v
			}
		}
		events = append(events, kept)
	}
	return events
}

func TestResetsAreLoggedWithoutAddresses(t *testing.T) {
	t.Parallel()
	s := newServer(t, ratelimit.Switches{})
	s.get("login?ip=192.0.2.1") // is not an event
	s.do(http.MethodDelete, "login?ip=192.0.2.1").Want(http.StatusNoContent)
	s.do(http.MethodDelete, "register?account="+maria).Want(http.StatusNoContent)
	s.do(http.MethodDelete, "token?session="+sessionID).Want(http.StatusNoContent)
	s.err = ddb.ErrUnavailable
	s.do(http.MethodGet, "staff?user="+maria).WantProblem(http.StatusServiceUnavailable, "unavailable")
	s.do(http.MethodDelete, "staff?user="+maria).WantProblem(http.StatusServiceUnavailable, "unavailable")
	event := func(class string, more map[string]any, policies ...any) map[string]any {
		e := map[string]any{"limits_event": "limits_reset", "rate_class": class, "rate_limit_policies": policies, "by": admin}
		maps.Copy(e, more)
		return e
	}
	want := []map[string]any{
		event("login", nil, "login-ip", "login-address"),
		event("register", map[string]any{"subject": maria}, "register-account"),
		event("token", map[string]any{"session_id": sessionID}, "refresh-session"),
		event("staff", map[string]any{"subject": maria, "outcome": "unknown"}, "staff"),
	}
	if diff := cmp.Diff(want, s.events()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if log := s.log.String(); strings.Contains(log, "192.0.2.1") || strings.Contains(log, identifier+`"`) {
		t.Errorf("the log has an address: %s", log)
	}
}

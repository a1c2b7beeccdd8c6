package middleware_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Every answer depends on the origin: the chain's CORS or the gateway's adds headers for some origins.
func TestEveryAnswerVariesOnTheOrigin(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]middleware.Config{
		"BehindAGateway": {},
		"OwnCORS":        {CORS: middleware.CORSConfig{AllowOrigins: []string{"https://shop.example"}}},
	} {
		for status, handler := range map[int]api.Handler{
			http.StatusOK: okHandler,
			http.StatusConflict: func(http.ResponseWriter, *http.Request) error {
				return problem.New(problem.Conflict, "taken", "")
			},
			http.StatusNotModified: func(w http.ResponseWriter, _ *http.Request) error {
				w.WriteHeader(http.StatusNotModified)
				return nil
			},
		} {
			for _, origin := range []string{"", "https://shop.example", "https://evil.example"} {
				r := httptest.NewRequest(http.MethodPost, "/v1/things/1", nil)
				if origin != "" {
					r.Header.Set("Origin", origin)
				}
				rec := serve(chain(t, publicRoute, cfg, handler), r)
				if diff := cmp.Diff([]string{"Origin"}, rec.Header().Values("Vary")); diff != "" || rec.Code != status {
					t.Errorf("%s, origin %q, %d: Vary (-want +got):\n%s", name, origin, rec.Code, diff)
				}
			}
		}
	}
	h := chain(t, publicRoute, middleware.Config{}, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Add("Vary", "Accept")
		return okHandler(w, r)
	})
	for range 2 { // Add must not write into a slice that requests share
		rec := serve(h, httptest.NewRequest(http.MethodPost, "/v1/things/1", nil))
		if diff := cmp.Diff([]string{"Origin", "Accept"}, rec.Header().Values("Vary")); diff != "" {
			t.Errorf("Vary (-want +got):\n%s", diff)
		}
	}
}

func TestAccessLineOfHead(t *testing.T) {
	t.Parallel()
	log, lines := logger(t)
	r := httptest.NewRequest(http.MethodHead, "/v1/things/1", nil)
	serve(chain(t, publicRoute, middleware.Config{Logger: log}, okHandler), r)
	got := lines()
	if len(got) != 1 || got[0]["http_method"] != "HEAD" || got[0]["response_bytes"] != 0.0 || got[0]["http_status"] != 200.0 {
		t.Errorf("got %v, want one line of a HEAD without bytes", got)
	}
}

// On an OAuth route every error answer of the chain has OAuth's code, and the challenge has the same.
func TestOAuthRoute(t *testing.T) {
	t.Parallel()
	route := staffRoute
	route.OAuth, route.MaxBody = true, 16
	for name, tc := range map[string]struct {
		outcome identity.Outcome
		roles   []string
		body    string
		handler api.Handler
		status  int
		want    string
		bare    bool // the challenge has no error code
	}{
		"Anonymous":      {outcome: identity.Anonymous, status: 401, want: "invalid_client", bare: true},
		"OtherScheme":    {outcome: identity.UnsupportedScheme, status: 401, want: "invalid_client", bare: true},
		"InvalidRequest": {outcome: identity.InvalidRequest, status: 400, want: "invalid_request"},
		"Expired":        {outcome: identity.TokenExpired, status: 401, want: "invalid_token"},
		"Unavailable":    {outcome: identity.Unavailable, status: 503, want: "temporarily_unavailable", bare: true},
		"OtherRole":      {outcome: identity.OK, status: 403, want: "insufficient_scope"},
		"BodyTooLarge":   {outcome: identity.OK, roles: []string{"staff"}, body: strings.Repeat("x", 17), status: 413, want: "invalid_request", bare: true},
		"Panic": {
			outcome: identity.OK, roles: []string{"staff"}, status: 500, want: "server_error", bare: true,
			handler: func(http.ResponseWriter, *http.Request) error { panic("private") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := middleware.Config{Authenticator: func(*http.Request) (identity.Annotation, error) {
				return identity.Annotation{Outcome: tc.outcome, Identity: identity.Identity{Subject: "u1", Roles: tc.roles}}, nil
			}}
			if tc.handler == nil {
				tc.handler = okHandler
			}
			rec := serve(chain(t, route, cfg, tc.handler), httptest.NewRequest(http.MethodPost, "/v1/things", strings.NewReader(tc.body)))
			var got struct{ Error, Code string }
			if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || got.Error != tc.want || got.Code == "" || rec.Code != tc.status {
				t.Errorf("got %d %s, want %d with error %s", rec.Code, rec.Body, tc.status, tc.want)
			}
			challenge := rec.Header().Get(problem.HeaderWWWAuthenticate)
			if named := strings.Contains(challenge, `error="`+tc.want+`"`); named == tc.bare || strings.Contains(challenge, "error=") == tc.bare {
				t.Errorf("challenge %q", challenge)
			}
		})
	}
}

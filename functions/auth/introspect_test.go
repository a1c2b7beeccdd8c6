package auth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/internal/apitest"
)

func TestIntrospect(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	pair, service := h.login(email), h.as("service")
	ask := func(token string) answer {
		h.t.Helper()
		a := h.do(service, http.MethodPost, "/v1/auth/introspect", form(token)).want(http.StatusOK)
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Pragma") != "no-cache" {
			h.t.Errorf("the answer may be cached: %v", a.Header)
		}
		return a
	}
	got := decode[map[string]any](ask(pair.Access))
	id, err := h.verifier.Verify(pair.Access)
	must(t, err)
	want := map[string]any{
		"active": true, "token_type": "Bearer", "sub": u.ID, "sid": id.SessionID, "jti": id.TokenID, "roles": []any{"customer"},
		"iat": float64(h.clock().Unix()), "exp": float64(h.clock().Unix() + 900),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}

	h.pass(time.Second)
	h.do(pair.Access, http.MethodPost, "/v1/auth/logout", "").want(http.StatusNoContent)
	for name, token := range map[string]string{
		"Revoked": pair.Access, "RefreshToken": h.login(email).Refresh, "Garbage": "x", "Altered": service[:len(service)-2] + "xx", "TooLong": strings.Repeat("x", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			if a := ask(token); strings.TrimSpace(a.Body) != `{"active":false}` {
				t.Errorf("got %s", a.Body)
			}
		})
	}
	live := h.login(email)
	h.pass(16 * time.Minute)
	service = h.as("service")
	if a := ask(live.Access); strings.TrimSpace(a.Body) != `{"active":false}` {
		t.Errorf("an expired token: %s", a.Body)
	}
}

func TestIntrospectRefuses(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	token := h.as("catalog")
	h.do("", http.MethodPost, "/v1/auth/introspect", form(token)).wantProblem(http.StatusUnauthorized, "missing_token")
	h.do(h.as("admin", "catalog", "customer"), http.MethodPost, "/v1/auth/introspect", form(token)).wantProblem(http.StatusForbidden, "insufficient_role")
	service := h.as("service")
	for name, tc := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"JSON":         {text(map[string]string{"token": token}), http.StatusUnsupportedMediaType, "unsupported_media_type"},
		"Empty":        {"", http.StatusUnsupportedMediaType, "unsupported_media_type"},
		"NoToken":      {"token_type_hint=access_token", http.StatusBadRequest, "invalid_request"},
		"EmptyToken":   {"token=", http.StatusBadRequest, "invalid_request"},
		"TwoTokens":    {form(token) + "&" + form(token), http.StatusBadRequest, "invalid_request"},
		"TwoHints":     {form(token) + "&token_type_hint=a&token_type_hint=a", http.StatusBadRequest, "invalid_request"},
		"BrokenEscape": {"token=%zz", http.StatusBadRequest, "invalid_request"},
		"Semicolon":    {"x=1;token=a", http.StatusBadRequest, "invalid_request"}, // one unknown parameter
		"TooLarge":     {form(strings.Repeat("x", int(auth.IntrospectTokenRoute.MaxBody))), http.StatusRequestEntityTooLarge, "body_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/v1/auth/introspect", "/v1/auth/revoke"} {
				h.do(service, http.MethodPost, path, tc.body).In(t).WantProblem(tc.status, tc.code)
			}
		})
	}
	h.do(service, http.MethodPost, "/v1/auth/introspect", "token=%zz").wantProblem(http.StatusBadRequest, "invalid_request", "token")
	for _, unknown := range []string{"x=1&x=2", "x=%zz", "x=1;y=2"} {
		if a := h.do(service, http.MethodPost, "/v1/auth/introspect", form(token)+"&"+unknown); !strings.Contains(a.Body, `"active":true`) {
			t.Errorf("with %s: got %d %s, want an active token", unknown, a.Status, a.Body)
		}
	}
	for _, path := range []string{"/v1/auth/introspect", "/v1/auth/revoke"} {
		h.do(service, http.MethodPost, path, form(token), apitest.Header("Content-Encoding", "gzip")).wantProblem(http.StatusUnsupportedMediaType, "unsupported_content_encoding")
	}
	// A token in the URL is ignored.
	h.do(service, http.MethodPost, "/v1/auth/introspect?"+form(token), "x=y").wantProblem(http.StatusBadRequest, "invalid_request")
}

// Clients of OAuth read the member "error" (RFC 6749 section 5.2).
func TestOAuthErrors(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	service, customer := h.as("service"), h.as("customer")
	const introspect, revoke, refresh, login = "/v1/auth/introspect", "/v1/auth/revoke", "/v1/auth/refresh", "/v1/auth/login"
	for name, tc := range map[string]struct {
		token, path, body string
		status            int
		want              string
	}{
		"IntrospectAnonymous":    {"", introspect, form("x"), 401, "invalid_client"},
		"IntrospectAsCustomer":   {customer, introspect, form("x"), 403, "insufficient_scope"},
		"IntrospectWithoutToken": {service, introspect, "x=y", 400, "invalid_request"},
		"IntrospectJSON":         {service, introspect, "{}", 415, "invalid_request"},
		"RevokeWithoutToken":     {"", revoke, "x=y", 400, "invalid_request"},
		"RevokeTooLarge":         {"", revoke, form(strings.Repeat("x", int(auth.RevokeTokenRoute.MaxBody))), 413, "invalid_request"},
		"RefreshUnknownToken":    {"", refresh, text(map[string]string{"refresh_token": "x"}), 400, "invalid_grant"},
		"RefreshWithoutToken":    {"", refresh, "{}", 422, "invalid_request"},
		"RefreshNotJSON":         {"", refresh, "{", 400, "invalid_request"},
		"LoginWrongPassword":     {"", login, text(map[string]string{"email": email, "password": "x"}), 401, "invalid_grant"},
		"LoginWithoutPassword":   {"", login, text(map[string]string{"email": email}), 422, "invalid_request"},
		"RegisterIsNotOAuths":    {"", "/v1/auth/register", "{}", 422, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.do(tc.token, http.MethodPost, tc.path, tc.body)
			var got struct{ Error, Code string }
			if err := json.Unmarshal([]byte(a.Body), &got); err != nil || a.Status != tc.status || got.Error != tc.want || got.Code == "" {
				t.Errorf("got %d %s, want %d with error %q", a.Status, a.Body, tc.status, tc.want)
			}
		})
	}
}

func TestRevokeToken(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	revoke := func(token, hint string) {
		h.t.Helper()
		body := form(token)
		if hint != "" {
			body += "&token_type_hint=" + hint + "&client_id=shop"
		}
		a := h.post("/v1/auth/revoke", body).want(http.StatusOK)
		if a.Body != "" || a.Header.Get("Cache-Control") != "no-store" {
			h.t.Errorf("%q with %v, want an empty answer that is not cached", a.Body, a.Header)
		}
	}
	for _, hint := range []string{"", "access_token", "refresh_token", "something_else"} {
		one, two := h.login(email), h.login(email)
		revoke(one.Access, hint)
		h.wantAccepted(one.Access, false)
		next := decode[tokens](h.refresh(one.Refresh).want(http.StatusOK)) // the session is still valid
		h.wantAccepted(next.Access, true)

		revoke(two.Refresh, hint)
		h.wantAccepted(two.Access, false)
		h.refresh(two.Refresh).wantProblem(http.StatusBadRequest, "invalid_grant")
		h.wantAccepted(next.Access, true)

		// A repeated request and an unknown token get the same response.
		revoke(two.Refresh, hint)
		revoke(one.Access, hint)
		revoke("x", hint)
		revoke(strings.Repeat("x", 4500), hint)
	}
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	a := h.do("", http.MethodGet, "/.well-known/jwks.json", "").want(http.StatusOK)
	if strings.TrimSpace(a.Body) != `{"keys":[]}` {
		t.Errorf("got %s", a.Body)
	}
	if got := a.Header.Get("Cache-Control"); got != "public, max-age=300" {
		t.Errorf("Cache-Control %q", got)
	}
}

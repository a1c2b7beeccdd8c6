package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// The log never contains a password, token, hash or address. A response contains only those that are meant
// for its client.
func TestSecretsStayOutOfLogsAndResponses(t *testing.T) {
	t.Parallel()
	h, f := newFailingServer(t)
	const canaryPW, canaryEmail, canaryName = "canary-Passw0rd-4711", "canary-address@shop.example", "Canary Person"
	secrets := []string{canaryPW, "Passw0rd-4711", canaryEmail, "canary-address", canaryName, "argon2id"}
	var answers []string
	do := func(token, method, target, body string) answer {
		t.Helper()
		a := h.do(token, method, target, body)
		if a.Status >= http.StatusBadRequest {
			answers = append(answers, a.Body)
		}
		return a
	}
	body := text(map[string]string{"email": canaryEmail, "password": canaryPW, "name": canaryName})
	do("", http.MethodPost, "/v1/auth/register", body).want(http.StatusCreated)
	do("", http.MethodPost, "/v1/auth/register", body).want(http.StatusConflict)
	do("", http.MethodPost, "/v1/auth/register", strings.Replace(body, "shop.example", "shop", 1)).want(http.StatusUnprocessableEntity)
	do("", http.MethodPost, "/v1/auth/register", strings.TrimSuffix(body, "}")).want(http.StatusBadRequest)
	do("", http.MethodPost, "/v1/auth/register", strings.Replace(body, `"name"`, `"password"`, 1)).want(http.StatusBadRequest)
	pair := decode[tokens](do("", http.MethodPost, "/v1/auth/login", credentials(canaryEmail, canaryPW)).want(http.StatusOK))
	secrets = append(secrets, pair.Access, pair.Refresh, pair.Access[len(pair.Access)-20:], pair.Refresh[len(pair.Refresh)-20:])
	do("", http.MethodPost, "/v1/auth/login", credentials(canaryEmail, canaryPW+"x")).want(http.StatusUnauthorized)
	for _, call := range []string{"Find", "Credentials", "Attempt", "EndAttempt"} {
		f.fails(call, ddb.ErrUnavailable.WithCause(auth.ErrChanged))
		do("", http.MethodPost, "/v1/auth/login", credentials(canaryEmail, canaryPW))
	}
	f.fails("", nil)
	refreshed := decode[tokens](h.refresh(pair.Refresh).want(http.StatusOK))
	refreshed = decode[tokens](h.refresh(refreshed.Refresh).want(http.StatusOK))
	do("", http.MethodPost, "/v1/auth/refresh", text(map[string]string{"refresh_token": pair.Refresh})).want(http.StatusBadRequest)
	do("", http.MethodPost, "/v1/auth/refresh", text(map[string]string{"refresh_token": pair.Access})).want(http.StatusBadRequest)
	do("", http.MethodPost, "/v1/auth/refresh", text(map[string]string{"token": pair.Refresh})).want(http.StatusUnprocessableEntity)
	do(refreshed.Access, http.MethodPost, "/v1/auth/logout", "").want(http.StatusUnauthorized) // the replay has ended the session
	h.pass(time.Hour)
	pair = h.loginWith(canaryEmail, canaryPW)
	secrets = append(secrets, pair.Access, pair.Refresh)
	do(pair.Access, http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": canaryPW + "x", "new_password": canaryPW + "y"})).
		want(http.StatusUnprocessableEntity)
	do(pair.Access, http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": canaryPW, "new_password": "password"})).
		want(http.StatusUnprocessableEntity)
	do(h.as("service"), http.MethodPost, "/v1/auth/introspect", form(pair.Access)).want(http.StatusOK)
	do(h.as("service"), http.MethodPost, "/v1/auth/introspect", "token=%zz"+pair.Access).want(http.StatusBadRequest)
	do("", http.MethodPost, "/v1/auth/revoke", form(pair.Refresh)+"&token=x").want(http.StatusBadRequest)
	do("", http.MethodPost, "/v1/auth/revoke", form(pair.Refresh)).want(http.StatusOK)
	do(pair.Access, http.MethodGet, "/v1/auth/sessions", "").want(http.StatusUnauthorized)

	log := h.logged()
	if strings.Count(log, "\n") < len(answers) {
		t.Fatalf("%d lines in the log for %d requests", strings.Count(log, "\n"), len(answers))
	}
	for _, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q", secret)
		}
		for _, body := range answers {
			if strings.Contains(body, secret) {
				t.Errorf("a refusal has %q: %s", secret, body)
			}
		}
	}
}

func (h *server) loginWith(email, pw string) tokens {
	h.t.Helper()
	return decode[tokens](h.post("/v1/auth/login", credentials(email, pw)).want(http.StatusOK))
}

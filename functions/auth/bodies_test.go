package auth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/password"
)

// percentEncoded returns the text in the longest form of a parameter.
func percentEncoded(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}

// The limit of a route's body must not refuse what the limits of its fields allow, however it is written.
func TestLargestBodiesFit(t *testing.T) {
	t.Parallel()
	const widest = "𝄞" // two \u escapes
	address := strings.Repeat("m", 64) + "@" + strings.Repeat(strings.Repeat("d", 60)+".", 3)
	address += strings.Repeat("e", 254-len(address))
	longest, device := strings.Repeat(widest, password.MaxLength), strings.Repeat(widest, auth.MaxDeviceName)
	form := percentEncoded("token") + "=" + percentEncoded(strings.Repeat("x", jwt.MaxToken)) +
		"&" + percentEncoded("token_type_hint") + "=" + percentEncoded("refresh_token")
	var roles []any
	for _, role := range policy.Roles() {
		roles = append(roles, role)
	}
	account := map[string]any{"email": address, "name": strings.Repeat(widest, policy.MaxPersonName), "password": longest}

	type request struct {
		body   string
		status int
	}
	bodies := map[string]request{
		"register-user": {apitest.Escaped(account), http.StatusConflict},
		"login":         {apitest.Escaped(map[string]any{"email": address, "password": longest, "device_name": device}), http.StatusOK},
		"refresh-token": {apitest.Escaped(map[string]any{"refresh_token": strings.Repeat("x", jwt.MaxToken)}), http.StatusBadRequest},
		"change-password": {
			apitest.Escaped(map[string]any{"current_password": longest, "new_password": "x" + longest[len(widest):], "device_name": device}),
			http.StatusOK,
		},
		"set-user-roles":   {apitest.Escaped(map[string]any{"roles": roles}), http.StatusOK},
		"introspect-token": {form, http.StatusOK},
		"revoke-token":     {form, http.StatusOK},
		"logout":           {"", http.StatusNoContent},
		"logout-all":       {"", http.StatusNoContent},
		"logout-user":      {"", http.StatusNoContent},
		"unlock-user":      {"", http.StatusNoContent},
	}
	for _, route := range auth.Routes() {
		if route.Method == http.MethodGet || route.Method == http.MethodDelete {
			continue
		}
		t.Run(route.Name, func(t *testing.T) {
			t.Parallel()
			send, known := bodies[route.Name]
			if !known {
				t.Fatal("add the largest body that the route's fields allow")
			}
			h := newServer(t, nil)
			u := decode[user](h.post("/v1/auth/register", apitest.Escaped(account)).want(http.StatusCreated))
			token := h.as("admin", "service")
			if route.Name == "change-password" {
				token = decode[tokens](h.post("/v1/auth/login", bodies["login"].body).want(http.StatusOK)).Access
			}
			a := h.do(token, route.Method, strings.Replace(route.Path, "{id}", u.ID, 1), send.body)
			if a.Status != send.status {
				t.Errorf("%d bytes: got %d %s, want %d", len(send.body), a.Status, a.Body, send.status)
			}
		})
	}
}

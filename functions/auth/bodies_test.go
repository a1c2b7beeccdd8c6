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

	bodies := map[string]string{
		"register-user": apitest.Escaped(account),
		"login":         apitest.Escaped(map[string]any{"email": address, "password": longest, "device_name": device}),
		"refresh-token": apitest.Escaped(map[string]any{"refresh_token": strings.Repeat("x", jwt.MaxToken)}),
		"change-password": apitest.Escaped(map[string]any{
			"current_password": longest, "new_password": "x" + longest[len(widest):], "device_name": device,
		}),
		"set-user-roles":   apitest.Escaped(map[string]any{"roles": roles}),
		"introspect-token": form,
		"revoke-token":     form,
		"logout":           "",
		"logout-all":       "",
		"logout-user":      "",
		"unlock-user":      "",
	}
	// Others succeed.
	refused := map[string]int{"register-user": http.StatusConflict, "refresh-token": http.StatusBadRequest}
	for _, route := range auth.Routes() {
		if route.Method == http.MethodGet || route.Method == http.MethodDelete {
			continue
		}
		t.Run(route.Name, func(t *testing.T) {
			t.Parallel()
			body, known := bodies[route.Name]
			if !known {
				t.Fatal("add the largest body that the route's fields allow; an empty one if it reads none")
			}
			h := newServer(t, nil)
			u := decode[user](h.post("/v1/auth/register", apitest.Escaped(account)).want(http.StatusCreated))
			token := h.as("admin", "service")
			if route.Name == "change-password" {
				token = decode[tokens](h.post("/v1/auth/login", bodies["login"]).want(http.StatusOK)).Access
			}
			a := h.do(token, route.Method, strings.Replace(route.Path, "{id}", u.ID, 1), body)
			if want := refused[route.Name]; a.Status != want && (want != 0 || a.Status >= http.StatusMultipleChoices) {
				t.Errorf("%d bytes: got %d %s, want %d", len(body), a.Status, a.Body, want)
			}
		})
	}
}

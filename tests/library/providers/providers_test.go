package providers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/notes/providers"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/middleware"
)

var whoami = api.Route{Name: "whoami", Method: http.MethodGet, Path: "/me", Auth: api.Required, Rate: api.Unlimited}

// handler answers with the caller of a provider's token.
func handler(t *testing.T, read func(identity.Claims) (identity.Identity, error), now time.Time) *lambdahttp.Handler {
	t.Helper()
	h, err := app.Handler(t.Context(), whoami, func(_ context.Context, s *app.Setup) (api.Handler, error) {
		s.Chain().Authenticator = middleware.JWTAuthenticator(read, func() time.Time { return now })
		return func(w http.ResponseWriter, r *http.Request) error {
			id, _ := identity.From(r.Context())
			return api.Write(w, http.StatusOK, id)
		}, nil
	}, map[string]string{"LOG_LEVEL": "FATAL"})
	if err != nil {
		t.Fatal(err)
	}
	return lambdahttp.New(h, lambdahttp.Config{RouteKey: whoami.Key()})
}

// send invokes the handler with the event in testdata/<provider>.json after old has been replaced.
func send(t *testing.T, h *lambdahttp.Handler, provider, old, replacement string) (status int, body string) {
	t.Helper()
	event, err := os.ReadFile(filepath.Join("testdata", provider+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(event), old) {
		t.Fatalf("%s.json does not have %s", provider, old)
	}
	out, err := h.Invoke(t.Context(), []byte(strings.Replace(string(event), old, replacement, 1)))
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, a.Body
}

func TestProviders(t *testing.T) {
	t.Parallel()
	issued := time.Unix(1795546800, 0).UTC()
	for name, tc := range map[string]struct {
		read func(identity.Claims) (identity.Identity, error)
		want identity.Identity
		// another is a token that the function must refuse: old is replaced in the event.
		old, another string
	}{
		"cognito": {
			providers.Cognito,
			identity.Identity{
				Subject: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", SessionID: "cccccccc-dddd-eeee-ffff-aaaaaaaaaaaa", ClientID: "1example23456789",
				Roles: []string{"editor", "staff"}, Scopes: []string{"openid", "notes/write"}, TokenID: "bbbbbbbb-cccc-dddd-eeee-ffffffffffff",
				AuthTime: issued, IssuedAt: issued, ExpiresAt: issued.Add(time.Hour),
			},
			`"token_use": "access"`, `"token_use": "id"`,
		},
		"auth0": {
			providers.Auth0,
			identity.Identity{
				Subject: "auth0|64f1c0ffee", ClientID: "AbCdEf123456", Roles: []string{"write:notes"}, Scopes: []string{"openid", "profile"},
				IssuedAt: issued, ExpiresAt: issued.Add(time.Hour),
			},
			`"sub": "auth0|64f1c0ffee"`, `"sub": ""`,
		},
		"entra": {
			providers.Entra,
			identity.Identity{
				Subject: "00000000-0000-0000-0000-00000000000a", SessionID: "00000000-0000-0000-0000-00000000000e",
				ClientID: "00000000-0000-0000-0000-00000000000c", Roles: []string{"Notes.Editor"}, Scopes: []string{"access_as_user"},
				IssuedAt: issued, ExpiresAt: issued.Add(time.Hour),
			},
			`"ver": "2.0"`, `"ver": "1.0"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := handler(t, tc.read, issued.Add(time.Minute))
			status, body := send(t, h, name, "", "")
			var got identity.Identity
			if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK {
				t.Fatalf("got %d %s, %v", status, body, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("caller (-want +got):\n%s", diff)
			}
			if status, body := send(t, h, name, tc.old, tc.another); status != http.StatusUnauthorized || !strings.Contains(body, "invalid_token") {
				t.Errorf("with %s: got %d %s, want 401 invalid_token", tc.another, status, body)
			}
			if status, body := send(t, handler(t, tc.read, issued.Add(2*time.Hour)), name, "", ""); status != http.StatusUnauthorized || !strings.Contains(body, "token_expired") {
				t.Errorf("later: got %d %s, want 401 token_expired", status, body)
			}
			if status, body := send(t, h, name, `"authorizer"`, `"no_authorizer"`); status != http.StatusInternalServerError {
				t.Errorf("on a route without the authorizer: got %d %s, want 500", status, body)
			}
		})
	}
}

package notes_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/notes/notes"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/middleware"
)

// A Function URL has no Lambda authorizer and no routes: the chain gets an Authenticator of its own,
// and a ServeMux finds the route.

func tokens(t *testing.T) (*jwt.Signer, *jwt.Verifier) {
	t.Helper()
	keys, err := jwt.ParseKeys([]byte(`{"kid":"k1","alg":"HS256","status":"active","key":"` + strings.Repeat("0123456789abcdef", 3) + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	cfg := jwt.Config{Issuer: "https://auth.notes.example", Audience: "notes"}
	signer, err := jwt.NewSigner(cfg, keys, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := jwt.NewVerifier(cfg, keys, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func TestBehindAFunctionURL(t *testing.T) {
	t.Parallel()
	signer, verifier := tokens(t)
	token, _, err := signer.Sign(identity.Identity{Subject: "u1", Roles: []string{"editor"}})
	if err != nil {
		t.Fatal(err)
	}
	verify := func(_ context.Context, token string) (identity.Identity, error) { return verifier.Verify(token) }
	chain, err := middleware.Chain(notes.CreateNoteRoute, middleware.Config{Authenticator: jwt.Authenticator(verify)}, notes.CreateNote(notes.NewTable(10)))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(notes.CreateNoteRoute.Key(), chain)
	h := lambdahttp.New(mux, lambdahttp.Config{}) // lambda.Start(h) serves it

	for name, tc := range map[string]struct {
		authorization string
		status        int
		want          string // in the body
		challenge     string
	}{
		"OK":        {authorization: "Bearer " + token, status: 201, want: `"author":"u1"`},
		"Anonymous": {status: 401, want: "missing_token", challenge: "Bearer"},
		"Altered":   {authorization: "Bearer x" + token, status: 401, want: "invalid_token", challenge: `Bearer error="invalid_token"`},
		"Basic":     {authorization: "Basic dTpw", status: 400, want: "invalid_request", challenge: `Bearer error="invalid_request"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			headers := map[string]string{"content-type": "application/json"}
			if tc.authorization != "" {
				headers["authorization"] = tc.authorization
			}
			got := invoke(t, h, event(t, map[string]any{
				"version": "2.0", "routeKey": "$default", "rawPath": "/v1/boards/kitchen/notes", "rawQueryString": "",
				"headers": headers,
				"requestContext": map[string]any{
					"apiId": "abc123", "domainName": "abc123.lambda-url.eu-central-1.on.aws", "requestId": "url-1",
					"routeKey": "$default", "stage": "$default",
					"http": map[string]string{"method": "POST", "path": "/v1/boards/kitchen/notes", "sourceIp": "192.0.2.1"},
				},
				"body": `{"text":"Buy milk"}`, "isBase64Encoded": false,
			}))
			if got.StatusCode != tc.status || !strings.Contains(got.Body, tc.want) {
				t.Errorf("got %d %s, want %d with %s", got.StatusCode, got.Body, tc.status, tc.want)
			}
			if got.Headers["Www-Authenticate"] != tc.challenge {
				t.Errorf("challenge %q, want %q", got.Headers["Www-Authenticate"], tc.challenge)
			}
		})
	}
}

package accounts_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// functionURL is an event of a Function URL, which has no routes and no authorizer.
func functionURL(t *testing.T, authorization string) []byte {
	t.Helper()
	headers := map[string]string{"content-type": "application/json"}
	if authorization != "" {
		headers["authorization"] = authorization
	}
	event, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": boards, "rawQueryString": "",
		"headers": headers,
		"requestContext": map[string]any{
			"apiId": "abc123", "domainName": "abc123.lambda-url.eu-central-1.on.aws", "requestId": "url-1",
			"routeKey": "$default", "stage": "$default",
			"http": map[string]string{"method": "POST", "path": boards, "sourceIp": "192.0.2.1"},
		},
		"body": `{"text":"Buy milk"}`, "isBase64Encoded": false,
	})
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func TestBehindAFunctionURL(t *testing.T) {
	t.Parallel()
	a := open(t, sessiontest.NewMemory())
	start := func() string {
		tokens, err := a.Start(t.Context(), user(), session.Device{})
		if err != nil {
			t.Fatal(err)
		}
		return tokens.AccessToken
	}
	token, loggedOut := start(), start()
	id, err := a.Verify(t.Context(), loggedOut)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Revoke(t.Context(), id.SessionID, session.Logout); err != nil {
		t.Fatal(err)
	}
	h := lambdahttp.New(server(t, a), lambdahttp.Config{})

	const invalid = `Bearer error="invalid_token"`
	for name, tc := range map[string]struct {
		authorization string
		status        int
		want          string // in the body
		challenge     string
	}{
		"OK":        {authorization: "Bearer " + token, status: 201, want: `"author":"u1"`},
		"Anonymous": {status: 401, want: "missing_token", challenge: problem.Challenge},
		"Altered":   {authorization: "Bearer x" + token, status: 401, want: "invalid_token", challenge: invalid},
		"LoggedOut": {authorization: "Bearer " + loggedOut, status: 401, want: "token_revoked", challenge: invalid},
		"Basic":     {authorization: "Basic dTpw", status: 401, want: "missing_token", challenge: problem.Challenge},
		"TwoTokens": {authorization: "Bearer a, Bearer b", status: 400, want: "invalid_request", challenge: `Bearer error="invalid_request"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := h.Invoke(t.Context(), functionURL(t, tc.authorization))
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				StatusCode int               `json:"statusCode"`
				Headers    map[string]string `json:"headers"`
				Body       string            `json:"body"`
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			if got.StatusCode != tc.status || !strings.Contains(got.Body, tc.want) {
				t.Errorf("got %d %s, want %d with %s", got.StatusCode, got.Body, tc.status, tc.want)
			}
			if got.Headers["Www-Authenticate"] != tc.challenge {
				t.Errorf("challenge %q, want %q", got.Headers["Www-Authenticate"], tc.challenge)
			}
		})
	}
}

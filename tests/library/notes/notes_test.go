package notes_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"example.com/notes/notes"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
)

// quiet is the environment of a function that logs nothing.
func quiet(more map[string]string) map[string]string {
	environ := map[string]string{"LOG_LEVEL": "FATAL"}
	maps.Copy(environ, more)
	return environ
}

// handler is the route as app.Main would serve it.
func handler(t *testing.T, environ map[string]string) http.Handler {
	t.Helper()
	h, err := app.Handler(t.Context(), notes.CreateNoteRoute, notes.Build, quiet(environ))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// editor is the authorizer context of a caller who may write.
func editor() map[string]string {
	return identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{
		Subject: "u1", Roles: []string{"editor"}, ExpiresAt: time.Now().Add(time.Hour),
	}}.Map()
}

// httpAPI is an event of an API Gateway HTTP API, payload format 2.0.
func httpAPI(t *testing.T, routeKey string, authorizer map[string]string, body string) []byte {
	t.Helper()
	return event(t, map[string]any{
		"version": "2.0", "routeKey": routeKey, "rawPath": "/v1/boards/kitchen/notes", "rawQueryString": "",
		"headers":        map[string]string{"content-type": "application/json", "x-request-id": "from-the-client"},
		"pathParameters": map[string]string{"board": "kitchen"},
		"requestContext": map[string]any{
			"authorizer": map[string]any{"lambda": authorizer},
			"domainName": "a1b2c3.execute-api.eu-central-1.amazonaws.com", "requestId": "gateway-1",
			"routeKey": routeKey, "stage": "$default",
			"http": map[string]string{"method": "POST", "path": "/v1/boards/kitchen/notes", "sourceIp": "192.0.2.1"},
		},
		"body": body, "isBase64Encoded": false,
	})
}

func event(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// answer is a function's answer in payload format 2.0.
type answer struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

func invoke(t *testing.T, h *lambdahttp.Handler, event []byte) answer {
	t.Helper()
	out, err := h.Invoke(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestBehindAnHTTPAPI(t *testing.T) {
	t.Parallel()
	key := notes.CreateNoteRoute.Key()
	anonymous := identity.Annotation{Outcome: identity.Anonymous}.Map()
	expired := identity.Annotation{Outcome: identity.TokenExpired}.Map()
	for name, tc := range map[string]struct {
		routeKey   string
		authorizer map[string]string
		body       string
		status     int
		want       string // in the body
	}{
		"OK":           {key, editor(), `{"text":"Buy milk"}`, 201, `{"id":"1","board":"kitchen","author":"u1","text":"Buy milk"}`},
		"Blank":        {key, editor(), `{"text":" "}`, 422, `"pointer":"/text"`},
		"UnknownField": {key, editor(), `{"text":"x","colour":"red"}`, 422, `"pointer":"/colour"`},
		"NotJSON":      {key, editor(), `{`, 400, `"code":"malformed_json"`},
		"TooLarge":     {key, editor(), `{"text":"` + strings.Repeat("x", 1<<10) + `"}`, 413, `"code":"body_too_large"`},
		"Anonymous":    {key, anonymous, `{"text":"x"}`, 401, `"code":"missing_token"`},
		"ExpiredToken": {key, expired, `{"text":"x"}`, 401, `"code":"token_expired"`},
		"OtherRoute":   {"DELETE /v1/boards/{board}/notes", editor(), `{"text":"x"}`, 500, `"code":"internal"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := lambdahttp.New(handler(t, nil), lambdahttp.Config{RouteKey: key})
			got := invoke(t, h, httpAPI(t, tc.routeKey, tc.authorizer, tc.body))
			if got.StatusCode != tc.status || !strings.Contains(got.Body, tc.want) {
				t.Errorf("got %d %s, want %d with %s", got.StatusCode, got.Body, tc.status, tc.want)
			}
			if got.Headers["X-Request-Id"] == "" || got.Headers["X-Content-Type-Options"] != "nosniff" {
				t.Errorf("headers: %v", got.Headers)
			}
		})
	}
}

func TestOnANetHTTPServer(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle(notes.CreateNoteRoute.Key(), handler(t, map[string]string{"NOTES_PER_BOARD": "1"}))
	post := func(authorizer map[string]string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/v1/boards/kitchen/notes", strings.NewReader(`{"text":"Buy milk"}`))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, r.WithContext(identity.WithAuthorizer(r.Context(), authorizer)))
		return rec
	}

	if rec := post(editor()); rec.Code != http.StatusCreated || rec.Header().Get("Location") != "notes/1" {
		t.Errorf("first note: %d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	if rec := post(editor()); rec.Code != http.StatusConflict || !strings.Contains(rec.Body.String(), "board_full") {
		t.Errorf("second note: %d %s, want 409 board_full", rec.Code, rec.Body)
	}
	reader := identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{Subject: "u2", Roles: []string{"reader"}}}
	if rec := post(reader.Map()); rec.Code != http.StatusForbidden {
		t.Errorf("reader: %d %s, want 403", rec.Code, rec.Body)
	}
}

func TestMalformedEnvironmentStopsTheStart(t *testing.T) {
	t.Parallel()
	_, err := app.Handler(t.Context(), notes.CreateNoteRoute, notes.Build, quiet(map[string]string{"NOTES_PER_BOARD": "many"}))
	if err == nil || !strings.Contains(err.Error(), "NOTES_PER_BOARD is not a valid int") {
		t.Errorf("got %v, want an error that names NOTES_PER_BOARD", err)
	}
}

func TestTheFunctionLinksTheLibraryAlone(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "..").Output()
	if err != nil {
		t.Fatal(err)
	}
	const repository = "github.com/tienda-dev/tienda/"
	var shared, others []string
	for pkg := range strings.FieldsSeq(string(out)) {
		switch name, ours := strings.CutPrefix(pkg, repository); {
		case ours && strings.HasPrefix(name, "shared/"):
			shared = append(shared, name)
		case ours, strings.Contains(pkg, "aws-sdk-go-v2"), strings.Contains(pkg, "opentelemetry"):
			others = append(others, pkg)
		}
	}
	if diff := cmp.Diff([]string(nil), others); diff != "" {
		t.Errorf("a function without a store links more than the library's core (-want +got):\n%s", diff)
	}
	if len(shared) == 0 {
		t.Error("the function links nothing of the library")
	}
}

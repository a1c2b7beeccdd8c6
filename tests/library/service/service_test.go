package main

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/identity"
)

func TestService(t *testing.T) {
	t.Parallel()
	h, err := app.MuxHandler(t.Context(), build, map[string]string{"LOG_LEVEL": "FATAL"})
	if err != nil {
		t.Fatal(err)
	}
	writer := identity.Claims{
		"sub": "u1", "token_use": "access", "scope": "notes/write", "exp": strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10),
	}
	reader := identity.Claims{"sub": "u2", "token_use": "access", "exp": writer["exp"]}
	for _, step := range []struct {
		method, path, body string
		claims             identity.Claims
		status             int
		want               string
	}{
		{"GET", "/notes", "", nil, 200, `{"data":[]}`},
		{"POST", "/notes", `{"text":"Buy milk"}`, nil, 401, "missing_token"},
		{"POST", "/notes", `{"text":"Buy milk"}`, reader, 403, "insufficient_scope"},
		{"POST", "/notes", `{"text":" "}`, writer, 422, `"pointer":"/text"`},
		{"POST", "/notes", `{"text":"Buy milk"}`, writer, 201, `"author":"u1"`},
		{"GET", "/notes", "", nil, 200, `"Buy milk"`},
		{"DELETE", "/notes", "", nil, 405, "method_not_allowed"},
		{"GET", "/note", "", nil, 404, "route_not_found"},
	} {
		r := httptest.NewRequest(step.method, step.path, strings.NewReader(step.body))
		r.Header.Set("Content-Type", "application/json")
		if step.claims != nil {
			r = r.WithContext(identity.WithClaims(r.Context(), step.claims))
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != step.status || !strings.Contains(rec.Body.String(), step.want) {
			t.Errorf("%s %s %s: got %d %s, want %d with %s", step.method, step.path, step.body, rec.Code, rec.Body, step.status, step.want)
		}
	}
}

package notes_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/notes/notes"

	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
)

// TestGuide is the code that docs/library.md shows for tests.
func TestGuide(t *testing.T) {
	t.Parallel()
	h, err := app.Handler(t.Context(), notes.CreateNoteRoute, notes.Build, map[string]string{"NOTES_PER_BOARD": "1"})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(notes.CreateNoteRoute.Key(), h) // fills in the path's parameters

	caller := identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{Subject: "u1", Roles: []string{"editor"}}}
	r := httptest.NewRequest(http.MethodPost, "/v1/boards/kitchen/notes", strings.NewReader(`{"text":"Buy milk"}`))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, r.WithContext(identity.WithAuthorizer(r.Context(), caller.Map())))
	if rec.Code != http.StatusCreated {
		t.Errorf("got %d %s, want 201", rec.Code, rec.Body)
	}

	// The board holds one note.
	if answer := invokeHandler(t.Context(), t, h, httpAPI(t, notes.CreateNoteRoute.Key(), caller.Map(), `{"text":"Buy milk"}`)); !strings.Contains(answer, `"statusCode":409`) {
		t.Errorf("got %s, want 409", answer)
	}
}

func invokeHandler(ctx context.Context, t *testing.T, handler http.Handler, event []byte) string {
	t.Helper()
	h := lambdahttp.New(handler, lambdahttp.Config{RouteKey: notes.CreateNoteRoute.Key()})
	answer, err := h.Invoke(ctx, event) // payload format 2.0; err is always nil
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// TestTheGuidesShowThisModule finds every line of Go in docs/library.md and README.md in this module, or in the client that
// tests/outside generates and runs.
func TestTheGuidesShowThisModule(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]bool{}
	for _, file := range append(files, "../main.go", "../accounts/accounts.go", "../accounts/accounts_test.go", "../accounts/functionurl_test.go", "../service/main.go", "../observed/observed.go", "../../outside/goclient/main.go") {
		for line := range strings.Lines(read(t, file)) {
			ours[strings.TrimSpace(line)] = true
		}
	}

	for _, guide := range []string{"docs/library.md", "README.md"} {
		inGo, shown := false, 0
		for line := range strings.Lines(read(t, filepath.Join("..", "..", "..", guide))) {
			line = strings.TrimSpace(line)
			switch {
			case strings.HasPrefix(line, "```"):
				inGo = line == "```go"
			case inGo && !ours[line]:
				t.Errorf("%s shows a line that is not tested: %s", guide, line)
			case inGo:
				shown++
			}
		}
		if shown == 0 {
			t.Errorf("%s shows no Go", guide)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

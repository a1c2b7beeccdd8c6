package breaking_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/tools/openapi/breaking"
)

func TestParseAccepted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                                  nil,
		"# GET /a removed\n\n":              nil,
		"GET /a `#/b` removed # unused\n":   {"GET /a `#/b` removed"},
		"GET /a x # y\n  POST /b z # y #2 ": {"GET /a x", "POST /b z"},
	} {
		got, err := breaking.ParseAccepted(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"GET /a removed", "GET /a removed # ", "GET /a removed #unused"} {
		if got, err := breaking.ParseAccepted(text); err == nil {
			t.Errorf("%q: got %q, want an error: it has no reason", text, got)
		}
	}
}

func TestAcceptedFileHasReasons(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", breaking.Accepted))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := breaking.ParseAccepted(string(text)); err != nil {
		t.Error(err)
	}
}

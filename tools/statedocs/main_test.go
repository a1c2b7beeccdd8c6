package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiagramsAreWhatMakeGenerateWrites(t *testing.T) {
	t.Parallel()
	for _, m := range machines() {
		page, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(m.page)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.in(page)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(page), string(got)); diff != "" {
			t.Errorf("run make generate (-committed +new):\n%s", diff)
		}
	}
}

func TestDiagram(t *testing.T) {
	t.Parallel()
	m := machine{page: "page.md", name: "thing", edges: []edge{{"", "make", "new"}, {"new", "use", "used"}, {"new", "lose", "lost"}, {"used", "use", "used"}}}
	const want = "```mermaid\nstateDiagram-v2\n    [*] --> new: make\n    new --> used: use\n    new --> lost: lose\n    used --> used: use\n    lost --> [*]\n```\n"
	if diff := cmp.Diff(want, m.diagram()); diff != "" {
		t.Errorf("diagram (-want +got):\n%s", diff)
	}
	for _, page := range []string{"", "<!-- states of thing: make generate -->\n", "<!-- states of other: make generate -->\n<!-- end of states -->\n"} {
		if _, err := m.in([]byte(page)); err == nil {
			t.Errorf("the page %q has a place for the diagram", page)
		}
	}
}

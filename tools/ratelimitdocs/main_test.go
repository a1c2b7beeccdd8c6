package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/internal/policy"
)

func committed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPlotIsWhatMakeGenerateWrites(t *testing.T) {
	t.Parallel()
	svg, err := plot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(committed(t, plotFile), string(svg)); diff != "" {
		t.Errorf("run make plot-ratelimit (-committed +new):\n%s", diff)
	}
}

func TestClassesAreWhatMakeGenerateWrites(t *testing.T) {
	t.Parallel()
	page := committed(t, pageFile)
	got, err := withTable([]byte(page))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page, string(got)); diff != "" {
		t.Errorf("run make generate (-committed +new):\n%s", diff)
	}
	for _, class := range policy.Classes() {
		if !strings.Contains(page, "| `"+string(class.Rate)+"` |") {
			t.Errorf("the table has no class %s", class.Rate)
		}
	}
	if _, err := withTable([]byte("# Rate limits\n")); err == nil {
		t.Error("a page without a place for the table")
	}
}

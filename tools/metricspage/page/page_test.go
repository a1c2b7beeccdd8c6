package page_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tienda-dev/tienda/tools/metricspage/page"
)

func TestThePageIsCurrent(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", filepath.FromSlash(page.File)))
	if err != nil {
		t.Fatal(err)
	}
	want, err := page.Write(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != want {
		t.Error("run make generate")
	}
}

// Command metricspage writes the catalogue of metrics into docs/observability.md. Run it with `make generate`, in the
// folder of shared/metrics.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tienda-dev/tienda/tools/metricspage/page"
)

func main() {
	if err := run(filepath.Join("..", "..", filepath.FromSlash(page.File))); err != nil {
		fmt.Fprintln(os.Stderr, "metricspage:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	written, err := page.Write(string(text))
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(written), 0o644)
}

// Command dashboards writes Grafana's dashboards from the Go code beside it: `make generate` runs it, and a test holds the
// files against the code.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tienda-dev/tienda/tools/dashboards/board"
)

//go:generate go run . ../../observability/grafana/dashboards

func main() {
	if err := write(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func write(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want the folder of the dashboards, got %q", args)
	}
	files, err := board.Files()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(args[0], 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(args[0], name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

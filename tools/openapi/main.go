//go:build openapi

// Command openapi writes openapi.yaml, the description of the API, from the code. `make generate` runs it.
package main

import (
	"fmt"
	"os"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/tools/openapi/document"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run() error {
	spec, err := document.Build(".")
	if err != nil {
		return err
	}
	text, err := openapi.YAML(spec)
	if err != nil {
		return err
	}
	return os.WriteFile(document.File, text, 0o644)
}

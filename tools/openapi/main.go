//go:build openapi

// Command openapi writes openapi.yaml, the description of the API, from the code, and the copy that get-openapi serves.
// `make generate` runs it.
package main

import (
	"bytes"
	"compress/gzip"
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
	if err := os.WriteFile(document.File, text, 0o644); err != nil {
		return err
	}
	served, err := openapi.JSON(spec)
	if err != nil {
		return err
	}
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(served); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(document.Served, zipped.Bytes(), 0o644)
}

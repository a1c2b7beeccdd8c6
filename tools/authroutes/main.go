// Command authroutes writes authorizer/routes_gen.go from the routes of every resource, and the table of routes in
// docs/security.md from them and template.yaml. Run it with `make generate`.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tienda-dev/tienda/tools/authroutes/table"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "authroutes:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := repository()
	if err != nil {
		return err
	}
	source, err := table.Source(table.Routes())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, table.File), source, 0o644); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(root, table.TemplateFile))
	if err != nil {
		return err
	}
	page, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(table.PageFile)))
	if err != nil {
		return err
	}
	written, err := table.Page(string(page), table.Routes(), text)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, filepath.FromSlash(table.PageFile)), []byte(written), 0o644)
}

// repository returns the nearest folder with a go.mod: go generate runs in the authorizer's.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
}

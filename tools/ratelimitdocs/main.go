// Command ratelimitdocs writes what docs/ratelimit.md shows of the code: the plot of the algorithms, from the simulated
// fleet, and the table of the classes. `make generate` and `make plot-ratelimit` run it.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run .

const (
	pageFile = "docs/ratelimit.md"
	plotFile = "docs/images/ratelimit.svg"
)

func main() {
	if err := run(filepath.FromSlash("../..")); err != nil {
		fmt.Fprintln(os.Stderr, "ratelimitdocs:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	svg, err := plot(context.Background())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, plotFile), svg, 0o644); err != nil {
		return err
	}
	page, err := os.ReadFile(filepath.Join(root, pageFile))
	if err != nil {
		return err
	}
	page, err = withTable(page)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, pageFile), page, 0o644)
}

const (
	begin = "<!-- classes: make generate -->\n"
	end   = "<!-- end of classes -->\n"
)

// withTable returns the page with the current table of classes.
func withTable(page []byte) ([]byte, error) {
	before, rest, found := bytes.Cut(page, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return nil, errors.New(pageFile + " has no place for the table of classes")
	}
	return bytes.Join([][]byte{before, []byte(begin), []byte(classTable()), []byte(end), after}, nil), nil
}

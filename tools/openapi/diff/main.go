// Command diff names what breaks clients in openapi.yaml, compared with another commit. `make openapi-diff` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tienda-dev/tienda/tools/openapi/breaking"
)

const (
	document = "openapi.yaml"
	rules    = "tools/openapi"
)

func main() {
	oasdiff := flag.String("oasdiff", "", "the path of oasdiff")
	asked := flag.String("base", "", "the commit or branch to compare with; empty is where the branch began")
	flag.Parse()
	breaks, err := run(context.Background(), *oasdiff, *asked)
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapi-diff:", err)
		os.Exit(1)
	}
	if breaks {
		fmt.Fprintf(os.Stderr, "openapi-diff: this breaks clients. If it is intended, name it in %s/%s: docs/api.md says how.\n", rules, breaking.Accepted)
		os.Exit(1)
	}
}

func run(ctx context.Context, oasdiff, asked string) (bool, error) {
	base, err := breaking.Base(ctx, ".", asked)
	if errors.Is(err, breaking.ErrNoBase) {
		_, err = fmt.Fprintln(os.Stdout, "This clone has no commit before HEAD: nothing to compare. `git fetch --unshallow` gets a shallow clone's history.")
		return false, err
	}
	if err != nil {
		return false, err
	}
	before, err := breaking.Document(ctx, ".", base, document)
	if err != nil {
		return false, err
	}
	if before == nil {
		_, err = fmt.Fprintf(os.Stdout, "%s has no %s: nothing to compare.\n", base, document)
		return false, err
	}
	folder, err := os.MkdirTemp("", "openapi-diff-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, document)
	if err := os.WriteFile(file, before, 0o600); err != nil {
		return false, err
	}
	if _, err := fmt.Fprintf(os.Stdout, "%s, compared with %.12s:\n", document, base); err != nil {
		return false, err
	}
	return breaking.Tool{Oasdiff: oasdiff, Rules: rules}.Compare(ctx, os.Stdout, file, document)
}

package comparison

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/tienda-dev/tienda/tools/dist"
)

// peersFolder is the module of the peers.
const peersFolder = "tests/bench/peers"

// folders are the packages of Tienda's binaries.
func folders() map[string]string {
	return map[string]string{
		"get-liveness":  "./functions/health/get-liveness",
		"get-product":   "./functions/catalog/get-product",
		"list-products": "./functions/catalog/list-products",
		"get-order":     "./functions/orders/get-order",
		"authorizer":    "./authorizer",
		"full":          "./tests/bench/full",
		"mux":           "./tests/bench/mux",
	}
}

// build compiles the binaries of the definitions into out, each into a folder of its own, and returns their paths by name.
// Peers are those whose folder exists; the rest of the definitions is dropped. A folder of a peer without a definition is
// an error: it would be left out in silence.
func build(ctx context.Context, root, out string, say func(string, ...any)) ([]definition, map[string]string, error) {
	all := definitions()
	there, err := peers(root)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range there {
		if !slices.ContainsFunc(all, func(d definition) bool { return d.peer && d.program() == name }) {
			return nil, nil, fmt.Errorf("build %s: the peer has no definition in tests/bench/comparison/subjects.go", name)
		}
	}
	all = slices.DeleteFunc(all, func(d definition) bool { return d.peer && !slices.Contains(there, d.program()) })
	programs := slices.Clone(all)
	for _, s := range growing() {
		programs = append(programs, s.definition)
	}
	paths := map[string]string{}
	for _, d := range programs {
		name := d.program()
		if paths[name] != "" {
			continue
		}
		say("building %s", name)
		path, err := filepath.Abs(filepath.Join(out, name, "bootstrap"))
		if err != nil {
			return nil, nil, err
		}
		if d.peer {
			err = buildPeer(ctx, root, name, path)
		} else {
			err = dist.Program(ctx, dist.Options{Root: root, GOOS: runtime.GOOS, GOARCH: runtime.GOARCH}, folders()[name], path)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("build %s: %w", name, err)
		}
		paths[name] = path
	}
	return all, paths, nil
}

// peers returns the folders with a main.go.
func peers(root string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(root, peersFolder, "*", "main.go"))
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(found))
	for _, path := range found {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	if !slices.Contains(names, Bare) {
		return nil, errors.New("build peers: the peer bare is missing, and every other binary is compared with it")
	}
	return names, nil
}

// buildPeer compiles a peer with the flags that its documentation advises for Lambda.
func buildPeer(ctx context.Context, root, name, path string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", path, "./"+name)
	cmd.Dir, cmd.Env = filepath.Join(root, peersFolder), append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	return nil
}

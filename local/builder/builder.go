// Package builder builds the functions that the local API runs: those that it needs first, then each that a
// request asks for, and the others in the background. Each process runs from a folder of its own, so that no
// other build changes what it runs.
package builder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"github.com/tienda-dev/tienda/tools/dist"
	"github.com/tienda-dev/tienda/tools/progress"
)

// atOnce is how many functions one go build links. A request waits for at most one build before its own.
const atOnce = 4

// Builder builds functions. Open makes one; it is safe for concurrent use.
type Builder struct {
	root   string
	folder string // this process's own
	shown  *progress.Printer
	close  func() error

	building sync.Mutex        // held while go build runs
	compiler func(line string) // shows what it does; made by the first build

	mu      sync.Mutex
	version int
	paths   map[string]string // of the binaries, by function
	wanted  []string          // functions that requests wait for
	total   int               // functions in the repository, for the display
	// built is closed, and replaced, whenever functions are built or fail to.
	built  chan struct{}
	failed map[string]error
}

// Open makes the folder of this process below root's .cache/runs, and removes those whose process has
// ended. Progress is shown on the printer.
func Open(root string, shown *progress.Printer) (*Builder, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	functions, _ := dist.Functions(root) // Build reports the error
	folder, closeFolder, err := claim(filepath.Join(root, ".cache", "runs"))
	if err != nil {
		return nil, fmt.Errorf("make a folder for the binaries: %w", err)
	}
	return &Builder{
		root: root, folder: folder, shown: shown, close: closeFolder, total: len(functions),
		paths: map[string]string{}, failed: map[string]error{}, built: make(chan struct{}),
	}, nil
}

// Close removes the folder. Nothing may run from it any longer.
func (b *Builder) Close() error { return b.close() }

// Path returns where the binary of a function is, or will be once it is built.
func (b *Builder) Path(function string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if path, ok := b.paths[function]; ok {
		return path
	}
	return filepath.Join(b.folder, "0", function, "bootstrap")
}

// Build builds those of the functions that are not built yet.
func (b *Builder) Build(ctx context.Context, functions []string) error {
	b.building.Lock()
	defer b.building.Unlock()
	missing := slices.DeleteFunc(slices.Clone(functions), b.has)
	if len(missing) == 0 {
		return nil
	}
	_, err := b.build(ctx, missing, 0)
	b.mu.Lock()
	for _, name := range missing {
		if err == nil {
			b.paths[name] = filepath.Join(b.folder, "0", name, "bootstrap")
		}
		b.failed[name] = err
	}
	done := len(b.paths)
	close(b.built)
	b.built = make(chan struct{})
	b.mu.Unlock()
	if err == nil {
		b.shown.Count("building functions", done, max(b.total, done), missing[len(missing)-1])
	}
	return err
}

func (b *Builder) has(function string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.paths[function]
	return ok
}

// build compiles functions and links them into the folder of the version. The caller holds building.
func (b *Builder) build(ctx context.Context, functions []string, version int) (dist.Result, error) {
	o := dist.Options{
		Root: b.root, Out: filepath.Join(".cache", "run"), GOOS: runtime.GOOS, GOARCH: runtime.GOARCH,
		Only: functions, Link: filepath.Join(b.folder, strconv.Itoa(version)),
	}
	if version == 0 {
		if b.compiler == nil {
			b.compiler = b.shown.Compiler(func() (int, int) { return dist.Sizes(context.WithoutCancel(ctx), b.root, "") })
		}
		o.Compiler = b.compiler
	}
	return dist.Build(ctx, o)
}

// Rest builds all the functions, those first that requests wait for, and calls built with the names of
// each build. Functions that do not compile are reported by failed, and tried again after Rebuild.
func (b *Builder) Rest(ctx context.Context, functions []string, built func(names []string), failed func(error)) {
	for tried := map[string]bool{}; ctx.Err() == nil; {
		var batch []string
		for _, name := range append(b.waitedFor(), functions...) {
			if !tried[name] && !b.has(name) && len(batch) < atOnce {
				tried[name] = true
				batch = append(batch, name)
			}
		}
		if len(batch) == 0 {
			break
		}
		switch err := b.Build(ctx, batch); {
		case err == nil:
			built(batch)
		case ctx.Err() == nil:
			failed(err)
		}
	}
	b.shown.Done()
}

// waitedFor returns the functions that requests wait for.
func (b *Builder) waitedFor() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.wanted)
}

// Await waits until the function is built, at most until stop is closed. Its error says why it is not.
func (b *Builder) Await(ctx context.Context, stop <-chan struct{}, function string) error {
	b.mu.Lock()
	if _, ok := b.paths[function]; ok {
		b.mu.Unlock()
		return nil
	}
	if !slices.Contains(b.wanted, function) {
		b.wanted = append(b.wanted, function)
	}
	for {
		built := b.built
		_, ok := b.paths[function]
		err := b.failed[function]
		b.mu.Unlock()
		if ok || err != nil {
			return err
		}
		select {
		case <-built:
		case <-ctx.Done():
			return ctx.Err()
		case <-stop:
			return context.Canceled
		}
		b.mu.Lock()
	}
}

// Change is what a Rebuild made.
type Change struct {
	// Functions have a new binary, at Paths.
	Functions []string
	Paths     map[string]string
	b         *Builder
}

// Rebuild builds those of the functions that were built before, and returns which of them differ. Nothing
// runs from the new binaries before Apply.
func (b *Builder) Rebuild(ctx context.Context, functions []string) (Change, error) {
	b.building.Lock()
	defer b.building.Unlock()
	b.mu.Lock()
	clear(b.failed) // the sources are others
	b.version++
	version := b.version
	b.mu.Unlock()
	known := slices.DeleteFunc(slices.Clone(functions), func(name string) bool { return !b.has(name) })
	change := Change{Paths: map[string]string{}, b: b}
	if len(known) == 0 {
		return change, nil
	}
	if _, err := b.build(ctx, known, version); err != nil {
		return change, err
	}
	for _, name := range known {
		path := filepath.Join(b.folder, strconv.Itoa(version), name, "bootstrap")
		same, err := sameFile(path, b.Path(name))
		if err != nil {
			return change, err
		}
		if !same {
			change.Functions = append(change.Functions, name)
			change.Paths[name] = path
		} else if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			return change, err
		}
	}
	return change, nil
}

// Apply makes the change's binaries those of Path. The function that it returns removes the old ones: call
// it when nothing runs from them any longer.
func (c Change) Apply() (removeOld func()) {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	var old []string
	for name, path := range c.Paths {
		old = append(old, filepath.Dir(c.b.paths[name]))
		c.b.paths[name] = path
	}
	return func() {
		for _, folder := range old {
			_ = os.RemoveAll(folder) // Close removes what stays
		}
	}
}

// Drop removes the change's binaries, which are not used.
func (c Change) Drop() {
	for _, path := range c.Paths {
		_ = os.RemoveAll(filepath.Dir(path)) // Close removes what stays
	}
}

func sameFile(a, b string) (bool, error) {
	first, errFirst := os.Stat(a)
	second, errSecond := os.Stat(b)
	return os.SameFile(first, second), errors.Join(errFirst, errSecond)
}

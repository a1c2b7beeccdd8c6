// Package dist builds Lambda functions with one go build and links each binary to
// <out>/<function>/bootstrap, so that the disk holds it once. It finds the functions by their folders,
// without the template.
package dist

import (
	"cmp"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

const (
	// Tags are the build tags of every function: no net/rpc mode in aws-lambda-go, no golang.org/x/net/trace in gRPC, no
	// HTTP/2 in net/http. They cost start-up time or bytes, and are never used.
	Tags = "lambda.norpc,grpcnotrace,nethttpomithttp2"
	// LinkFlags strip symbols and DWARF, about a third of the binary, and align functions to 16 bytes on amd64 too, as Go does
	// on arm64: 1 % less to read when a function starts.
	LinkFlags = "-s -w -funcalign=16"

	// binFolder holds the output of go build. It is next to the functions' folders and marks the output
	// folder as ours.
	binFolder = ".bin"
	bootstrap = "bootstrap"
)

// Function is one Lambda function: a folder with a main.go.
type Function struct {
	// Name is the folder's base name; it names the binary, the output folder and the route.
	Name string
	// Folder is the package's folder, relative to the repository, with forward slashes.
	Folder string
}

// Options configure Build and Check.
type Options struct {
	// Root is the repository's folder, the one with go.mod.
	Root string
	// Out is the output folder, relative to Root or absolute. It must be new, empty or made by Build,
	// because everything in it that is not a function is removed.
	Out string
	// GOOS is the target system; empty is linux.
	GOOS string
	// GOARCH is the target architecture in Go's words (see GOARCH the function); required.
	GOARCH string
	// Only are the names of the functions to build. Empty builds all, and removes what is no function.
	Only []string
	// Link is a folder that also gets <function>/bootstrap of every built function. No other build writes
	// there, so that a program that runs from it keeps its binaries. Empty is none.
	Link string
	// Compiler receives each line of the compiler's output as it comes: "go: downloading …", the name of a
	// package that is compiled, an error. Nil drops them.
	Compiler func(line string)
}

// Result is what Build did.
type Result struct {
	// Functions are the functions that were built, sorted by name.
	Functions []Function
	// Laid are the names of the functions with a changed bootstrap.
	Laid []string
	// Removed are the entries of Out that belonged to no function.
	Removed []string
}

// GOARCH returns Go's name of a Lambda architecture: arm64 for arm64, amd64 for amd64 and
// x86_64. Lambda has no others.
func GOARCH(arch string) (string, error) {
	switch arch {
	case "arm64":
		return "arm64", nil
	case "amd64", "x86_64":
		return "amd64", nil
	default:
		return "", fmt.Errorf("architecture %q: want arm64, amd64 or x86_64", arch)
	}
}

// Functions lists the functions below root: functions/<resource>/<operation> and authorizer. Two with the
// same name are an error: go build -o folder/ keeps only one of them, without a message.
func Functions(root string) ([]Function, error) {
	mains, err := filepath.Glob(filepath.Join(root, "functions", "*", "*", "main.go"))
	if err != nil {
		return nil, fmt.Errorf("list functions: %w", err)
	}
	authorizer := filepath.Join(root, "authorizer", "main.go")
	if _, err := os.Stat(authorizer); err == nil {
		mains = append(mains, authorizer)
	}

	byName := make(map[string]Function, len(mains))
	for _, main := range mains {
		folder, err := filepath.Rel(root, filepath.Dir(main))
		if err != nil {
			return nil, fmt.Errorf("list functions: %w", err)
		}
		fn := Function{Name: filepath.Base(folder), Folder: filepath.ToSlash(folder)}
		if other, ok := byName[fn.Name]; ok {
			return nil, fmt.Errorf("%s and %s have the same name %q: the name of a function must be unique, "+
				"because it names the binary", other.Folder, fn.Folder, fn.Name)
		}
		byName[fn.Name] = fn
	}
	if len(byName) == 0 {
		return nil, fmt.Errorf("no function below %s: expected functions/<resource>/<operation>/main.go", root)
	}

	return slices.SortedFunc(maps.Values(byName), func(a, b Function) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// Build compiles the functions with one go build into <out>/.bin/ and links the binaries that differ to
// <out>/<function>/bootstrap, so that an unchanged function keeps its file. Files that belong to no function
// are removed. Builds into the same folder wait for each other. The error contains the compiler's messages.
func Build(ctx context.Context, o Options) (Result, error) {
	o.GOOS = cmp.Or(o.GOOS, "linux")
	if o.GOARCH == "" {
		return Result{}, errors.New("build functions: no architecture")
	}
	functions, err := Functions(o.Root)
	if err != nil {
		return Result{}, err
	}
	out := o.Out
	if !filepath.IsAbs(out) {
		out = filepath.Join(o.Root, out)
	}
	if err := claim(out); err != nil {
		return Result{}, err
	}
	unlock, err := lock(ctx, filepath.Join(out, binFolder))
	if err != nil {
		return Result{}, err
	}
	defer unlock()
	var removed []string
	if len(o.Only) == 0 {
		if removed, err = prune(out, functions); err != nil {
			return Result{}, err
		}
	} else if functions, err = only(functions, o.Only); err != nil {
		return Result{}, err
	}
	if err := compile(ctx, o, out, functions); err != nil {
		return Result{}, err
	}
	laid, err := lay(out, functions)
	if err != nil {
		return Result{}, err
	}
	if err := link(out, o.Link, functions); err != nil {
		return Result{}, err
	}
	return Result{Functions: functions, Laid: laid, Removed: removed}, nil
}

// Check reports every difference between out and the output of Build for the target: a binary that is
// missing, unknown, wrongly built or older than its sources. It compiles into <out>/.bin/ as Build does,
// which costs nothing if nothing has changed, and copies nothing. Call it before out is deployed or run.
func Check(ctx context.Context, o Options) error {
	o.GOOS = cmp.Or(o.GOOS, "linux")
	functions, err := Functions(o.Root)
	if err != nil {
		return err
	}
	out := o.Out
	if !filepath.IsAbs(out) {
		out = filepath.Join(o.Root, out)
	}

	var faults []error
	for _, fn := range functions {
		if err := checkBinary(filepath.Join(out, fn.Name, bootstrap), o); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", fn.Name, err))
		}
	}
	stale, err := strangers(out, functions)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, name := range stale {
		faults = append(faults, fmt.Errorf("%s: the function no longer exists", name))
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	return checkSources(ctx, o, out, functions)
}

// only returns the functions with the given names.
func only(functions []Function, names []string) ([]Function, error) {
	var chosen []Function
	for _, fn := range functions {
		if slices.Contains(names, fn.Name) {
			chosen = append(chosen, fn)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(chosen, func(fn Function) bool { return fn.Name == name }) {
			return nil, fmt.Errorf("no folder of sources for the function %q", name)
		}
	}
	return chosen, nil
}

// checkSources compiles every function and compares.
func checkSources(ctx context.Context, o Options, out string, functions []Function) error {
	unlock, err := lock(ctx, filepath.Join(out, binFolder))
	if err != nil {
		return err
	}
	defer unlock()
	if err := compile(ctx, o, out, functions); err != nil {
		return err
	}
	var faults []error
	for _, fn := range functions {
		same, err := sameContent(filepath.Join(out, binFolder, fn.Name), filepath.Join(out, fn.Name, bootstrap))
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("%s: %w", fn.Name, err))
		case !same:
			faults = append(faults, fmt.Errorf("%s: not what its sources compile to", fn.Name))
		}
	}
	return errors.Join(faults...)
}

func checkBinary(path string, o Options) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return errors.New("not built")
		}
		return fmt.Errorf("not a Go binary: %w", err)
	}
	settings := make(map[string]string, len(info.Settings))
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	want := map[string]string{
		"GOOS": o.GOOS, "GOARCH": o.GOARCH, "CGO_ENABLED": "0", "-tags": Tags, "-trimpath": "true",
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got := settings[key]; got != want[key] {
			return fmt.Errorf("built with %s=%q, want %q", key, got, want[key])
		}
	}
	return nil
}

// claim makes the output folder, and refuses one with other content, which prune would remove.
func claim(out string) error {
	entries, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("open output folder: %w", err)
	}
	ours := slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == binFolder })
	if len(entries) > 0 && !ours {
		return fmt.Errorf("%s has files that are not from a build: choose an empty folder", out)
	}
	if err := os.MkdirAll(filepath.Join(out, binFolder), 0o755); err != nil {
		return fmt.Errorf("make output folder: %w", err)
	}
	return nil
}

func prune(out string, functions []Function) ([]string, error) {
	stale, err := strangers(out, functions)
	if err != nil {
		return nil, err
	}
	for _, name := range stale {
		if err := os.RemoveAll(filepath.Join(out, name)); err != nil {
			return nil, fmt.Errorf("prune: %w", err)
		}
	}
	return stale, nil
}

// strangers lists the entries of out that belong to no function, relative to out.
func strangers(out string, functions []Function) ([]string, error) {
	names := make(map[string]bool, len(functions))
	for _, fn := range functions {
		names[fn.Name] = true
	}

	var found []string
	for folder, known := range map[string]func(string) bool{
		".":       func(name string) bool { return names[name] || name == binFolder },
		binFolder: func(name string) bool { return names[name] },
	} {
		entries, err := os.ReadDir(filepath.Join(out, folder))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", folder, err)
		}
		for _, e := range entries {
			if !known(e.Name()) {
				found = append(found, filepath.Join(folder, e.Name()))
			}
		}
	}
	slices.Sort(found)
	return found, nil
}

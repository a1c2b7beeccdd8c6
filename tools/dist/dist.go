// Package dist builds every Lambda function with one go build and copies each binary to
// <out>/<function>/bootstrap. It finds the functions by their folders, without the template.
package dist

import (
	"cmp"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// Tags are the build tags of every function: no net/rpc mode in aws-lambda-go, no
	// golang.org/x/net/trace in gRPC. Both cost start-up time and are never used.
	Tags = "lambda.norpc,grpcnotrace"
	// LinkFlags strip symbols and DWARF: about a third of the binary.
	LinkFlags = "-s -w"

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
}

// Result is what Build did.
type Result struct {
	// Functions are all functions in Out, sorted by name.
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

// Build compiles every function with one go build into <out>/.bin/ and copies the binaries that differ to
// <out>/<function>/bootstrap, so that an unchanged function keeps its file. Files that belong to no function
// are removed. The error contains the compiler's messages.
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
	if err := compile(ctx, o, out, functions); err != nil {
		return Result{}, err
	}

	laid, err := lay(out, functions)
	if err != nil {
		return Result{}, err
	}
	removed, err := prune(out, functions)
	if err != nil {
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

// checkSources compiles every function and compares.
func checkSources(ctx context.Context, o Options, out string, functions []Function) error {
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

func compile(ctx context.Context, o Options, out string, functions []Function) error {
	out, err := filepath.Abs(out) // the compiler runs in the root
	if err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	args := []string{
		"build", "-trimpath", "-buildvcs=false", "-tags", Tags, "-ldflags", LinkFlags,
		"-o", filepath.Join(out, binFolder) + string(filepath.Separator),
	}
	for _, fn := range functions {
		args = append(args, "./"+fn.Folder)
	}
	build := exec.CommandContext(ctx, "go", args...)
	build.Dir = o.Root
	// Exported variables of a developer must not change the binary: flags, a workspace, another
	// instruction set. GOFLAGS is set, because an empty one falls back to `go env -w`.
	build.Env = append(os.Environ(),
		"CGO_ENABLED=0", "GOOS="+o.GOOS, "GOARCH="+o.GOARCH, "GOARM64=v8.0", "GOAMD64=v1",
		"GOFLAGS=-buildvcs=false", "GOWORK=off", "GOEXPERIMENT=")
	message, err := build.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, strings.TrimSpace(string(message)))
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

package dist

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// compile builds the functions into <out>/.bin/. A binary that is up to date keeps its time.
func compile(ctx context.Context, o Options, out string, functions []Function) error {
	out, err := filepath.Abs(out) // the compiler runs in the root
	if err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	folder := filepath.Join(out, binFolder)
	before := make(map[string]os.FileInfo, len(functions))
	packages := make([]string, 0, len(functions))
	for _, fn := range functions {
		packages = append(packages, "./"+fn.Folder)
		path := filepath.Join(folder, fn.Name)
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		before[fn.Name] = info
		// go build refuses to replace what is not a binary.
		if _, err := buildinfo.ReadFile(path); err != nil {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("remove the damaged %s: %w", fn.Name, err)
			}
		}
	}
	if err := goBuild(ctx, o, folder+string(filepath.Separator), packages); err != nil {
		return err
	}
	// go build gives a binary that is up to date a new time, and the linked bootstrap with it.
	for name, old := range before {
		path := filepath.Join(folder, name)
		now, err := os.Stat(path)
		if err == nil && os.SameFile(old, now) {
			err = os.Chtimes(path, time.Time{}, old.ModTime())
		}
		if err != nil {
			return fmt.Errorf("keep the time of %s: %w", name, err)
		}
	}
	return nil
}

// Program builds a command of the repository, such as ./local, into the file out, with the functions'
// flags: what both use is compiled once. Of the options it reads Root, GOOS, GOARCH and Compiler.
func Program(ctx context.Context, o Options, folder, out string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return goBuild(ctx, o, out, []string{folder})
}

// goBuild runs go build. Its error contains the compiler's messages, and not the names of packages.
func goBuild(ctx context.Context, o Options, out string, packages []string) error {
	args := append([]string{
		"build", "-v", "-trimpath", "-buildvcs=false", "-tags", Tags, "-ldflags", LinkFlags, "-o", out,
	}, packages...)
	build := exec.CommandContext(ctx, "go", args...)
	build.Dir = o.Root
	build.Env = environ(o)
	output := &lines{emit: o.Compiler}
	build.Stdout, build.Stderr = output, output
	if err := build.Run(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("go build: %w", ctx.Err())
		}
		return &CompileError{Messages: output.messages(), err: err}
	}
	return nil
}

// environ returns the environment of go build. Exported variables of a developer must not change the
// binary: flags, a workspace, another instruction set. GOFLAGS is set, because an empty one falls back to
// `go env -w`.
func environ(o Options) []string {
	return append(os.Environ(),
		"CGO_ENABLED=0", "GOOS="+o.GOOS, "GOARCH="+o.GOARCH, "GOARM64=v8.0", "GOAMD64=v1",
		"GOFLAGS=-buildvcs=false", "GOWORK=off", "GOEXPERIMENT=")
}

// CompileError is what go build refused.
type CompileError struct {
	// Messages are the compiler's, with line breaks.
	Messages string
	err      error
}

// Error implements error.
func (e *CompileError) Error() string { return fmt.Sprintf("go build: %v\n%s", e.err, e.Messages) }

// Unwrap returns the error of the command.
func (e *CompileError) Unwrap() error { return e.err }

// lines splits the output of go build. exec calls Write from one goroutine, because stdout and stderr are
// the same writer.
type lines struct {
	emit func(string)
	all  []string
	rest []byte
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.rest = rest
		l.all = append(l.all, string(line))
		if l.emit != nil {
			l.emit(string(line))
		}
	}
}

// messages returns the output without the names of compiled packages, which have no space and no "#".
func (l *lines) messages() string {
	var kept []string
	for _, line := range append(l.all, string(l.rest)) {
		if strings.ContainsAny(line, " \t#") && !strings.HasPrefix(line, "go: downloading ") {
			kept = append(kept, line)
		}
	}
	return strings.TrimSpace(strings.Join(kept, "\n"))
}

// Graph maps each function to the folders, relative to root and with forward slashes, of the repository's
// packages that its binary contains.
func Graph(ctx context.Context, root string, functions []Function) (map[string]map[string]bool, error) {
	args := []string{"list", "-e", "-tags", Tags, "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}} {{range .Imports}}{{.}} {{end}}{{end}}{{end}}"}
	for _, fn := range functions {
		args = append(args, "./"+fn.Folder)
	}
	list := exec.CommandContext(ctx, "go", args...)
	list.Dir = root
	list.Env = environ(Options{})
	output, err := list.Output()
	if err != nil {
		exit := &exec.ExitError{}
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
		}
		return nil, fmt.Errorf("go list: %w", err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(output)) {
		if words := strings.Fields(line); len(words) > 0 {
			imports[words[0]] = words[1:]
		}
	}
	module := modulePath(root)
	reach := make(map[string]map[string]bool, len(functions))
	for _, fn := range functions {
		reach[fn.Name] = map[string]bool{}
		for open := []string{module + "/" + fn.Folder}; len(open) > 0; {
			path := open[len(open)-1]
			open = open[:len(open)-1]
			folder := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
			if next, ours := imports[path]; ours && !reach[fn.Name][folder] {
				reach[fn.Name][folder] = true
				open = append(open, next...)
			}
		}
	}
	return reach, nil
}

// Sizes returns how many modules a build may download, and how many packages it may compile at most: the
// folder's and its dependencies, or every function's for an empty folder. They are for a display of
// progress; what cannot be counted is 0.
func Sizes(ctx context.Context, root, folder string) (modules, packages int) {
	if sums, err := os.ReadFile(filepath.Join(root, "go.sum")); err == nil {
		modules = bytes.Count(sums, []byte("\n")) - bytes.Count(sums, []byte("/go.mod "))
	}
	patterns := []string{folder}
	if folder == "" {
		patterns = nil
		functions, err := Functions(root)
		if err != nil {
			return modules, 0
		}
		for _, fn := range functions {
			patterns = append(patterns, "./"+fn.Folder)
		}
	}
	list := exec.CommandContext(ctx, "go", append([]string{"list", "-e", "-tags", Tags, "-deps"}, patterns...)...)
	list.Dir = root
	list.Env = append(environ(Options{}), "GOPROXY=off") // the build downloads, and shows it
	output, _ := list.Output()                           // without modules it lists what it finds
	return modules, bytes.Count(output, []byte("\n"))
}

// modulePath returns the module's path in root's go.mod, and "" without one.
func modulePath(root string) string {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(path)
		}
	}
	return ""
}

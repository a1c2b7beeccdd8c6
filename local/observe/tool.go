// Package observe builds and runs what shows the telemetry of the API on this machine, without Docker: the
// OpenTelemetry collector and Prometheus, and Jaeger where it is asked for.
package observe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/tienda-dev/tienda/local/child"
)

// Tools finds the programs in the repository's .cache, and puts them there once.
type Tools struct {
	// Root is the repository's folder.
	Root string
	// Note receives a sentence before a step that takes minutes. Nil drops it.
	Note func(sentence string)
}

func (t Tools) note(format string, args ...any) {
	if t.Note != nil {
		t.Note(fmt.Sprintf(format, args...))
	}
}

// install returns the absolute path of .cache/bin/<name>. If that folder is not there, it lets make fill a folder and
// gives it that name at the end: an interrupted install leaves nothing, and of two at the same time the first wins.
func (t Tools) install(ctx context.Context, name string, fill func(ctx context.Context, folder string) error) (string, error) {
	root, err := filepath.Abs(t.Root)
	if err != nil {
		return "", fmt.Errorf("install %s: %w", name, err)
	}
	home := filepath.Join(root, ".cache", "bin", name)
	if info, err := os.Stat(home); err == nil && info.IsDir() {
		return home, nil
	}
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return "", fmt.Errorf("install %s: %w", name, err)
	}
	work, err := os.MkdirTemp(filepath.Dir(home), ".install-")
	if err != nil {
		return "", fmt.Errorf("install %s: %w", name, err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := os.Chmod(work, 0o755); err != nil {
		return "", fmt.Errorf("install %s: %w", name, err)
	}
	if err := fill(ctx, work); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err() // the command was killed for it
		}
		return "", fmt.Errorf("install %s: %w", name, err)
	}
	if err := os.Rename(work, home); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("install %s: %w", name, err)
	}
	return home, nil
}

// run runs a command of an install. Its error carries what the command printed last. The end of ctx kills the command and
// everything that it started: `go run` would leave a builder behind, which holds the output open.
func run(ctx context.Context, folder string, environ []string, name string, args ...string) ([]byte, error) {
	var out, all bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), environ...)
	cmd.Stdout, cmd.Stderr = &out, &all
	process, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return nil, err
	}
	select {
	case <-process.Ended():
	case <-ctx.Done():
		process.SignalGroup(syscall.SIGKILL)
		<-process.Ended()
	}
	if err := process.Err(); err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", filepath.Base(name), args[0], err, child.LastLine(all.String()+out.String()))
	}
	return out.Bytes(), nil
}

// host are the settings under which a tool is built for this machine, whatever the caller has exported.
func host() []string {
	return []string{"GOOS=", "GOARCH=", "GOWORK=off", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0"}
}

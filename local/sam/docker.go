package sam

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	// dockerStart is how long a daemon may take to answer; a first start makes its networks.
	dockerStart = 60 * time.Second
	dockerStop  = 30 * time.Second
)

// engine is a Docker that answers.
type engine struct {
	// daemon is nil when Docker ran already.
	daemon *process
}

// openEngine returns a Docker that answers. When none does and start allows it, it installs Docker
// and starts a daemon, which stop ends again.
func openEngine(ctx context.Context, start bool, log string, note func(string)) (*engine, error) {
	problem := dockerProblem(ctx)
	if problem == "" {
		return &engine{}, nil
	}
	if !start {
		return nil, errors.New(problem + ": SAM runs functions in containers, so install and start Docker " +
			"(https://docs.docker.com/engine/install)")
	}
	if err := InstallDocker(ctx, note); err != nil {
		return nil, err
	}
	note("starting a Docker daemon")
	return startDaemon(ctx, log)
}

// InstallDocker installs Docker from Debian's own packages, unless one answers or can be started.
func InstallDocker(ctx context.Context, note func(string)) error {
	if _, err := exec.LookPath("dockerd"); err == nil || dockerProblem(ctx) == "" {
		return nil
	}
	if !canStart() {
		return errors.New("Docker is not installed, and is installed for you on Debian as root only: " +
			"install it (https://docs.docker.com/engine/install)")
	}
	note("installing Docker (docker.io, iptables)")
	for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "docker.io", "iptables"}} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("Docker cannot be installed: apt-get %s: %w: %s", args[0], err, lastLine(string(out)))
		}
	}
	return nil
}

// canStart reports whether this is root on Debian or a relative of it.
func canStart() bool {
	_, err := os.Stat("/etc/debian_version")
	return runtime.GOOS == "linux" && os.Geteuid() == 0 && err == nil
}

// dockerProblem says why Docker does not answer; empty when it does.
func dockerProblem(ctx context.Context) string {
	docker, err := exec.LookPath("docker")
	if err != nil {
		return "Docker is not installed"
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, docker, "version", "--format", "{{.Server.Version}}").CombinedOutput()
	switch {
	case err == nil:
		return ""
	case strings.Contains(string(out), "permission denied"):
		return "Docker refuses this user"
	default:
		return "Docker does not answer"
	}
}

func startDaemon(ctx context.Context, log string) (*engine, error) {
	f, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // the daemon has its own descriptor
	cmd := exec.Command("dockerd")
	cmd.Stdout, cmd.Stderr = f, f
	daemon, err := startProcess(cmd, syscall.SIGTERM)
	if err != nil {
		return nil, fmt.Errorf("the Docker daemon does not start: %w", err)
	}
	e := &engine{daemon: daemon}

	ctx, cancel := context.WithTimeout(ctx, dockerStart)
	defer cancel()
	for dockerProblem(ctx) != "" {
		select {
		case <-daemon.ended:
			return nil, fmt.Errorf("the Docker daemon ended at once: %s (all of it is in %s)", lastLineOf(log), log)
		case <-ctx.Done():
			e.stop()
			return nil, fmt.Errorf("the Docker daemon does not answer: %s (all of it is in %s)", lastLineOf(log), log)
		case <-time.After(200 * time.Millisecond):
		}
	}
	return e, nil
}

func (e *engine) stop() {
	if e.daemon != nil {
		e.daemon.stop(dockerStop)
	}
}

// docker runs a docker command and returns what it prints, without the line end.
func docker(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	var out, problem strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, lastLine(problem.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

func lastLineOf(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return lastLine(string(data))
}

// lastLine is the last line that says anything.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}

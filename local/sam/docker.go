package sam

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/local/child"
)

// CheckDocker returns an error that says what is missing unless Docker answers. Everything needs it
// except Build and StartData.
func (c *CLI) CheckDocker(ctx context.Context) error {
	path, err := exec.LookPath("docker")
	if err != nil {
		return dockerError("Docker is not installed")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "version", "--format", "{{.Server.Version}}").CombinedOutput()
	switch {
	case err == nil:
		return nil
	case strings.Contains(string(out), "permission denied"):
		return dockerError("Docker refuses this user")
	default:
		return dockerError("Docker does not answer")
	}
}

func dockerError(problem string) error {
	return errors.New(problem + ": SAM runs functions in containers, so install and start Docker " +
		"(https://docs.docker.com/engine/install)")
}

// docker runs a docker command and returns its output without the line end.
func docker(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	var out, problem strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, child.LastLine(problem.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

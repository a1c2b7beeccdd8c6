package localddb

import (
	"context"
	"os/exec"
	"syscall"
	"time"

	"github.com/tienda-dev/tienda/local/child"
)

const (
	// EnvEndpoint is the variable with the URL of a DynamoDB that runs already.
	EnvEndpoint = "DYNAMODB_ENDPOINT"

	// patience is how long an interrupted command may take to end.
	patience = 10 * time.Second
)

// Run starts a DynamoDB as Start does, runs the command with its URL in EnvEndpoint, and stops the
// DynamoDB when the command has ended. It returns the command's exit code, or 128 plus the number of
// the signal that ended the command. An error means that the command did not run.
//
// The command runs in a process group of its own. When ctx ends, the group is interrupted, and killed
// when its leader has ended or after ten seconds.
func Run(ctx context.Context, cfg Config, cmd *exec.Cmd) (int, error) {
	s, err := Start(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer s.Stop()

	cmd.Env = append(cmd.Environ(), EnvEndpoint+"="+s.Endpoint)
	p, err := child.Start(cmd, syscall.SIGINT)
	if err != nil {
		return 0, err
	}
	select {
	case <-p.Ended():
	case <-ctx.Done():
		p.SignalGroup(syscall.SIGINT)
		p.Wait(patience)
		p.SignalGroup(syscall.SIGKILL)
		<-p.Ended()
	}

	state := cmd.ProcessState
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return state.ExitCode(), nil
}

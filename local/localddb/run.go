package localddb

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

const (
	// EnvEndpoint names a DynamoDB that runs already.
	EnvEndpoint = "DYNAMODB_ENDPOINT"

	// patience is how long an interrupted command may take to end.
	patience = 10 * time.Second
)

// Run starts a DynamoDB as Start does, runs the command with its URL in EnvEndpoint and stops it when
// the command has ended. It returns the command's exit code: 128 and the signal's number when a signal
// ended it. An error says that the command did not run.
//
// The command runs in a process group of its own. When ctx ends, the group is interrupted, and killed
// once its leader has ended or ten seconds have passed.
func Run(ctx context.Context, cfg Config, cmd *exec.Cmd) (int, error) {
	s, err := Start(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer s.Stop()

	cmd.Env = append(cmd.Environ(), EnvEndpoint+"="+s.Endpoint)
	c, err := startChild(&launchable{cmd: cmd, death: syscall.SIGINT})
	if err != nil {
		return 0, err
	}
	select {
	case <-c.ended:
	case <-ctx.Done():
		c.endGroup()
	}

	state := cmd.ProcessState
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return state.ExitCode(), nil
}

// endGroup ends the process and whatever it started that is still in its group.
func (c *child) endGroup() {
	group := -c.l.cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGINT) // it may have ended
	select {
	case <-c.ended:
	case <-time.After(patience):
	}
	_ = syscall.Kill(group, syscall.SIGKILL)
	<-c.ended
}

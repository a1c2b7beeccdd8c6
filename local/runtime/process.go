package runtime

import (
	"os/exec"
	"syscall"
	"time"

	"github.com/tienda-dev/tienda/local/child"
)

// pipeGrace is how long a child of a process that has ended may keep its output open.
const pipeGrace = 300 * time.Millisecond

// process is the running bootstrap of an environment.
type process struct {
	*child.Process
	// exited is closed when the process and its group have ended and its output is read.
	exited chan struct{}
}

// startProcess starts the program at path in the folder dir, and passes every line of its output to emit.
func startProcess(path, dir string, environ []string, emit func(string)) (*process, error) {
	stdout, stderr := &lineWriter{emit: emit}, &lineWriter{emit: emit}
	cmd := exec.Command(path)
	cmd.Dir, cmd.Env = dir, environ
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = pipeGrace
	started, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return nil, err
	}

	p := &process{Process: started, exited: make(chan struct{})}
	go func() {
		<-p.Ended()
		p.SignalGroup(syscall.SIGKILL)
		stdout.flush()
		stderr.flush()
		close(p.exited)
	}()
	return p, nil
}

// kill ends the process and its children, and waits until they have ended.
func (p *process) kill() {
	if !p.gone() {
		p.SignalGroup(syscall.SIGKILL)
	}
	<-p.exited
}

// gone reports whether the process has ended.
func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// memoryMB returns the most memory that the process has used, in MB, rounded up.
func (p *process) memoryMB() int {
	return int((peakMemory(p.ID()) + 1<<20 - 1) >> 20)
}

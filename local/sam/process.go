package sam

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is a started program in a process group of its own: Ctrl-C reaches only this process, which
// then ends the other in order.
type process struct {
	cmd *exec.Cmd
	// ended is closed when it is gone and its output has been read; then err is what Wait returned.
	ended chan struct{}
	err   error
	once  sync.Once
}

// startProcess starts the command. The kernel sends it death when this process dies without a chance
// to stop it, where the system can do that. The thread that starts it waits for it, because the
// kernel means the thread, not the process.
func startProcess(cmd *exec.Cmd, death syscall.Signal) (*process, error) {
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.SysProcAttr = attributes(death)
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// stop ends the program and waits for its end: politely, and after patience for good.
//
// By SIGTERM and not by SIGINT, which a program that was started in the background may ignore.
func (p *process) stop(patience time.Duration) {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-p.ended:
		case <-time.After(patience):
			_ = p.cmd.Process.Kill()
		}
	})
	<-p.ended
}

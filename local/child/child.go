// Package child runs programs that end with this process: each in a process group of its own, so that
// Ctrl-C reaches only this process, which then ends the others in order.
package child

import (
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a started program.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
	once  sync.Once
}

// Start starts cmd. If this process dies without a chance to stop it, Linux sends the program the
// signal death. Linux sends it when the thread ends that started the program, so that thread waits for
// the program.
func Start(cmd *exec.Cmd, death syscall.Signal) (*Process, error) {
	p := &Process{cmd: cmd, ended: make(chan struct{})}
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

// ID returns the process id, which is also the id of its group.
func (p *Process) ID() int { return p.cmd.Process.Pid }

// Ended is closed when the program has ended and its output has been read.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err returns the error of exec.Cmd.Wait. Read it after Ended.
func (p *Process) Err() error { return p.err }

// Stop ends the program with SIGTERM, or with SIGKILL after patience, and waits for its end. It may be
// called twice.
//
// It does not send SIGINT: a program that was started in the background may ignore that.
func (p *Process) Stop(patience time.Duration) {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		if !p.Wait(patience) {
			_ = p.cmd.Process.Kill()
		}
	})
	<-p.ended
}

// Wait waits for the end of the program, at most d, and reports whether it has ended.
func (p *Process) Wait(d time.Duration) bool {
	select {
	case <-p.ended: // select would choose by chance when the time is over too
		return true
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.ended:
		return true
	case <-timer.C:
		return false
	}
}

// SignalGroup sends a signal to the program and to everything that it started in its group.
func (p *Process) SignalGroup(s syscall.Signal) {
	_ = syscall.Kill(-p.ID(), s) // the group may have ended
}

// LastLine returns the last line of an output that is not blank.
func LastLine(output string) string {
	output = strings.TrimSpace(output)
	return strings.TrimSpace(output[strings.LastIndexByte(output, '\n')+1:])
}

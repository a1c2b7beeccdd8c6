package runtime

import (
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// pipeGrace is how long a process that has ended may leave its output open through a child.
const pipeGrace = 300 * time.Millisecond

// process is one running program of an environment.
type process struct {
	cmd *exec.Cmd
	// exited is closed when the process is gone, its group is killed and its output is read.
	exited chan struct{}
	// err is how it ended; read it after exited.
	err error
}

// start runs the program at path in its own process group, in the folder dir, and hands every
// line that it writes to emit.
func (s *spawner) start(path, dir string, environ []string, emit func(string)) (*process, error) {
	stdout, stderr := &lineWriter{emit: emit}, &lineWriter{emit: emit}
	cmd := exec.Command(path)
	cmd.Dir, cmd.Env = dir, environ
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = isolated()
	cmd.WaitDelay = pipeGrace
	if err := s.run(cmd.Start); err != nil {
		return nil, err
	}

	p := &process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		killGroup(cmd.Process.Pid)
		stdout.flush()
		stderr.flush()
		close(p.exited)
	}()
	return p, nil
}

// terminate asks the process to end.
func (p *process) terminate() {
	if !p.gone() {
		terminate(p.cmd.Process)
	}
}

// kill ends the process and its children, and waits until they are gone.
func (p *process) kill() {
	if !p.gone() {
		killGroup(p.cmd.Process.Pid)
		_ = p.cmd.Process.Kill() // fails when it is gone; the group exists only where the system has groups
	}
	<-p.exited
}

// wait waits until the process is gone, at most d.
func (p *process) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
	}
}

// gone tells whether the process has ended.
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
	return int((peakMemory(p.cmd.Process.Pid) + 1<<20 - 1) >> 20)
}

// spawner starts processes from one thread that lives as long as they do. Linux ties "kill this
// process when its parent dies" to the thread that started it, and Go may end any other thread.
type spawner struct {
	jobs chan func()
	over chan struct{}
	once sync.Once
}

// newSpawner starts the thread.
func newSpawner() *spawner {
	s := &spawner{jobs: make(chan func()), over: make(chan struct{})}
	go func() {
		defer close(s.over)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

// run calls f on the thread.
func (s *spawner) run(f func() error) error {
	result := make(chan error, 1)
	s.jobs <- func() { result <- f() }
	return <-result
}

// stop ends the thread. Nothing may be started afterwards; calling it again does nothing.
func (s *spawner) stop() {
	s.once.Do(func() { close(s.jobs) })
	<-s.over
}

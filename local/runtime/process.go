package runtime

import (
	"io"
	"os"
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
	// outputs are stdout and stderr.
	outputs []*output
}

// output is a pipe from the process to a lineWriter. This side holds the writing end too, for drain.
type output struct {
	read, write *os.File
	lines       *lineWriter
	done        chan struct{} // closed when the reading has ended
}

// newOutput returns a pipe that is read until both sides have closed its writing end.
func newOutput(emit func(string)) (*output, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o := &output{read: read, write: write, lines: &lineWriter{emit: emit, drained: make(chan struct{}, 1)}, done: make(chan struct{})}
	go func() {
		defer close(o.done)
		_, _ = io.Copy(o.lines, read) // it ends with the pipe, or with the deadline of close
		o.lines.flush()
	}()
	return o, nil
}

// close ends the reading when no process writes any more, at the latest after pipeGrace.
func (o *output) close() {
	_ = o.write.Close()
	_ = o.read.SetReadDeadline(time.Now().Add(pipeGrace))
	<-o.done
	_ = o.read.Close()
}

// startProcess starts the program at path in the folder dir, and passes every line of its output to emit.
func startProcess(path, dir string, environ []string, emit func(string)) (*process, error) {
	p := &process{exited: make(chan struct{})}
	for range 2 {
		o, err := newOutput(emit)
		if err != nil {
			p.closeOutputs()
			return nil, err
		}
		p.outputs = append(p.outputs, o)
	}
	cmd := exec.Command(path)
	cmd.Dir, cmd.Env = dir, environ
	cmd.Stdout, cmd.Stderr = p.outputs[0].write, p.outputs[1].write
	started, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		p.closeOutputs()
		return nil, err
	}

	p.Process = started
	go func() {
		<-p.Ended()
		p.SignalGroup(syscall.SIGKILL)
		p.closeOutputs()
		close(p.exited)
	}()
	return p, nil
}

func (p *process) closeOutputs() {
	for _, o := range p.outputs {
		o.close()
	}
}

// drain returns when every line that the process has written so far is emitted. It returns false if the
// process ends or the time is over before that.
func (p *process) drain(timeout <-chan time.Time) bool {
	for _, o := range p.outputs {
		// What is read before the mark was written before it.
		if _, err := o.write.WriteString(drainMark + "\n"); err != nil {
			return false
		}
		select {
		case <-o.lines.drained:
		case <-p.exited:
			return false
		case <-timeout:
			return false
		}
	}
	return true
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

package localddb

import (
	"bytes"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// maxOutput is how much of a child's output is kept, in bytes: enough for the reason it ended.
const maxOutput = 16 << 10

// child is a started process.
type child struct {
	l *launchable
	// ended is closed when the process is gone.
	ended chan struct{}
	once  sync.Once
	out   tail
}

// startChild starts the command, and keeps the end of its output where that has no other place. The
// thread that starts it waits for it: the kernel sends the parent's death signal when that thread ends,
// not only when the process does.
func startChild(l *launchable) (*child, error) {
	c := &child{l: l, ended: make(chan struct{})}
	if l.cmd.Stdout == nil {
		l.cmd.Stdout, l.cmd.Stderr = &c.out, &c.out
	}
	l.cmd.SysProcAttr = attributes(l.death)
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := l.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = l.cmd.Wait()
		close(c.ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// stop ends the process: politely, and after three seconds for good.
func (c *child) stop() {
	c.once.Do(func() {
		if c.l.cleanup != nil {
			c.l.cleanup()
		}
		_ = c.l.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-c.ended:
		case <-time.After(3 * time.Second):
			_ = c.l.cmd.Process.Kill()
		}
	})
	<-c.ended
}

func (c *child) output() string   { return c.out.String() }
func (c *child) lastLine() string { return lastLine(c.out.String()) }

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if extra := t.buf.Len() - maxOutput; extra > 0 {
		t.buf.Next(extra)
	}
	return len(p), nil
}

// String returns what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

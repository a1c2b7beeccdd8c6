package runtime

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"
)

// shutdownGrace is how long the bootstrap has after SIGTERM when an extension is registered. Without one
// it is killed at once.
const shutdownGrace = 500 * time.Millisecond

// environment is one execution environment: the bootstrap's process and the server for its runtime and
// its extensions.
type environment struct {
	r      *Runtime
	fn     Function
	server *http.Server
	served chan struct{}
	out    tail

	// reaper ends the environment when it has been free for too long, and rests counts how often it
	// has become free. The pool's lock guards both.
	reaper *time.Timer
	rests  int
	// rested is when it last became free.
	rested time.Time

	main *process

	// events carries the next event to the runtime.
	events chan *invocation
	// broken is closed with brokenErr set when the environment cannot go on.
	broken    chan struct{}
	brokenErr error

	mu sync.Mutex
	// request is the id of the invocation whose output this is; empty between two.
	request      string
	initialised  bool
	runtimeReady bool
	extensions   map[string]*extension
	current      *invocation
	// settled is closed when the runtime and every extension wait for the next event.
	settled chan struct{}
}

// start brings up an environment for the invocation with the id request, and waits until it is ready for
// its first event.
func (r *Runtime) start(fn Function, request string) (*environment, *Error) {
	r.makeRoom()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.ended()
		return nil, &Error{Kind: Init, Function: fn.Name, Message: "no port for the Runtime API", Cause: err}
	}
	e := &environment{
		r:          r,
		fn:         fn,
		served:     make(chan struct{}),
		events:     make(chan *invocation, 1),
		broken:     make(chan struct{}),
		extensions: make(map[string]*extension),
		settled:    make(chan struct{}),
		request:    request,
	}
	e.server = &http.Server{Handler: e.api(), ReadHeaderTimeout: r.initTimeout}
	go func() {
		defer close(e.served)
		_ = e.server.Serve(listener) // ends with ErrServerClosed, at close
	}()

	if err := e.initialise(listener.Addr().String()); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// initialise starts the bootstrap and waits until it and its extensions ask for an event.
func (e *environment) initialise(api string) *Error {
	limit := time.NewTimer(e.r.initTimeout)
	defer limit.Stop()
	p, err := startProcess(e.fn.Binary, filepath.Dir(e.fn.Binary), environ(e.fn, api, logStream(time.Now())), e.line)
	if err != nil {
		return e.initFailure("its binary does not start", err)
	}
	e.main = p
	e.mu.Lock()
	settled := e.settled
	e.mu.Unlock()
	select {
	case <-settled:
	case <-e.broken:
		return e.initFailure("INIT failed", e.brokenErr)
	case <-p.exited:
		return e.initFailure("exited during INIT", e.exitError())
	case <-limit.C:
		return e.initFailure(fmt.Sprintf("INIT took longer than %s, it did not ask for its first event", e.r.initTimeout), e.lastLine())
	case <-e.r.closing.Done():
		return &Error{Kind: Closed, Function: e.fn.Name, Message: "stopped during INIT"}
	}
	e.mu.Lock()
	e.initialised = true
	e.mu.Unlock()
	return nil
}

// initFailure returns an *Error of kind Init.
func (e *environment) initFailure(message string, cause error) *Error {
	return &Error{Kind: Init, Function: e.fn.Name, Message: message, Cause: cause}
}

// deliver passes inv to the runtime and waits for its outcome. It returns false when the environment
// cannot be used again.
func (e *environment) deliver(inv *invocation, timeout <-chan time.Time) (outcome, bool) {
	inv.deadline = time.Now().Add(e.fn.Timeout)
	e.out.forget() // an older line does not explain the end of this event
	e.hand(inv)
	var dead outcome
	failure := func(kind Kind, message string, cause error) error {
		return &Error{Kind: kind, Function: e.fn.Name, RequestID: inv.id, Message: message, Cause: cause}
	}
	select {
	case out := <-inv.outcome:
		return out, true
	case <-timeout:
		dead.err = failure(Timeout, fmt.Sprintf("timed out after %s", e.fn.Timeout), nil)
	case <-e.main.exited:
		dead.err = failure(Exit, "exited before it answered", e.exitError())
	case <-e.broken:
		dead.err = failure(Exit, "an extension failed", e.brokenErr)
	case <-e.r.closing.Done():
		dead.err = failure(Closed, "stopped before it answered", nil)
	}

	select { // what was posted just before the end counts
	case out := <-inv.outcome:
		return out, true
	default:
		return dead, false
	}
}

// settle waits until the environment is free for the next event and all output of this one is read. It
// returns false if it never will be.
func (e *environment) settle(timeout <-chan time.Time) bool {
	e.mu.Lock()
	settled := e.settled
	e.mu.Unlock()
	select {
	case <-settled:
		return e.main.drain(timeout)
	case <-timeout:
	case <-e.main.exited:
	case <-e.broken:
	case <-e.r.closing.Done():
	}
	return false
}

// hand makes inv the current event of the runtime and of every extension that wants events.
func (e *environment) hand(inv *invocation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current, e.runtimeReady, e.request = inv, false, inv.id
	e.settled = make(chan struct{})
	for _, x := range e.extensions {
		if x.invoke {
			x.ready = false
			x.events <- invokeEvent(e, inv)
		}
	}
	e.events <- inv
}

// rest says that what follows is output of no invocation.
func (e *environment) rest() {
	e.mu.Lock()
	e.request = ""
	e.mu.Unlock()
}

// checkSettled closes settled when the runtime and all extensions wait for the next event. The caller
// holds the lock.
func (e *environment) checkSettled() {
	if !e.runtimeReady {
		return
	}
	for _, x := range e.extensions {
		if !x.ready {
			return
		}
	}
	select {
	case <-e.settled:
	default:
		close(e.settled)
	}
}

// fail marks the environment as unable to go on; the first reason counts.
func (e *environment) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.brokenErr == nil {
		e.brokenErr = err
		close(e.broken)
	}
}

// usable reports whether a free environment can take an event.
func (e *environment) usable() bool {
	select {
	case <-e.broken:
		return false
	default:
		return !e.main.gone()
	}
}

// line passes on one line of output and remembers it.
func (e *environment) line(line string) {
	e.out.add(line)
	e.mu.Lock()
	request := e.request
	e.mu.Unlock()
	e.r.line(Line{Function: e.fn.Name, RequestID: request, Text: line})
}

// exitError returns how the bootstrap ended and the last line of its output.
func (e *environment) exitError() error {
	err := e.main.Err()
	if err == nil {
		err = errors.New("exit status 0")
	}
	if last := e.out.last(); last != "" {
		return fmt.Errorf("%w, last line: %s", err, last)
	}
	return err
}

// lastLine returns the last line of output as an error, nil when there was none.
func (e *environment) lastLine() error {
	if last := e.out.last(); last != "" {
		return errors.New("last line: " + last)
	}
	return nil
}

// close ends the bootstrap, then the server.
func (e *environment) close() {
	e.mu.Lock()
	registered := len(e.extensions) > 0
	e.mu.Unlock()
	if e.main != nil {
		if registered {
			e.main.Stop(shutdownGrace)
		}
		e.main.kill()
	}
	_ = e.server.Close() // only its listener could fail to close
	<-e.served
	e.r.ended()
}

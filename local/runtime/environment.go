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

// Why an environment ends, as extensions are told.
const (
	shutdownSpindown = "spindown"
	shutdownTimeout  = "timeout"
	shutdownFailure  = "failure"
)

// How long the parts of an environment have at its end.
const (
	// runtimeShutdown is what the bootstrap has after SIGTERM when an extension is registered;
	// without one it is killed at once.
	runtimeShutdown = 500 * time.Millisecond
	// totalShutdown limits the whole end when there are external extensions.
	totalShutdown = 2 * time.Second
)

// environment is one execution environment: the bootstrap's process, its extensions and the
// server that they talk to.
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

	main     *process
	external map[string]*process
	watching sync.WaitGroup

	// registered is closed when every external extension has registered.
	registered chan struct{}
	// events carries the next event to the runtime.
	events chan *invocation
	// broken is closed with brokenErr set when the environment cannot go on.
	broken    chan struct{}
	brokenErr error

	mu           sync.Mutex
	initialised  bool
	runtimeReady bool
	extensions   map[string]*extension
	current      *invocation
	// settled is closed when the runtime and every extension wait for the next event.
	settled chan struct{}
}

// start brings up an environment and waits until it is ready for its first event.
func (r *Runtime) start(fn Function) (*environment, *Error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, &Error{Kind: Init, Function: fn.Name, Message: "no port for the Runtime API", Cause: err}
	}
	e := &environment{
		r:          r,
		fn:         fn,
		served:     make(chan struct{}),
		external:   make(map[string]*process, len(fn.Extensions)),
		events:     make(chan *invocation, 1),
		broken:     make(chan struct{}),
		registered: make(chan struct{}),
		extensions: make(map[string]*extension),
		settled:    make(chan struct{}),
	}
	if len(fn.Extensions) == 0 {
		close(e.registered)
	}
	e.server = &http.Server{Handler: e.api(), ReadHeaderTimeout: r.initTimeout}
	go func() {
		defer close(e.served)
		_ = e.server.Serve(listener) // ends with ErrServerClosed, at close
	}()

	if err := e.initialise(listener.Addr().String()); err != nil {
		reason := shutdownFailure
		if errors.Is(err, Closed) {
			reason = shutdownSpindown
		}
		e.close(reason)
		return nil, err
	}
	return e, nil
}

// initialise starts the extensions, then the bootstrap, and waits until all ask for an event.
func (e *environment) initialise(api string) *Error {
	limit := time.NewTimer(e.r.initTimeout)
	defer limit.Stop()
	environ := e.r.environ(e.fn, api, logStream(time.Now()))
	for _, path := range e.fn.Extensions {
		name := filepath.Base(path)
		p, err := e.r.spawner.start(path, filepath.Dir(path), extensionEnviron(environ), e.line)
		if err != nil {
			return e.initFailure("extension "+name+" does not start", err)
		}
		e.external[name] = p
		e.watching.Go(func() { e.watch(name, p) })
	}
	if err := e.await(e.registered, limit.C, "its extensions did not register"); err != nil {
		return err
	}

	p, err := e.r.spawner.start(e.fn.Binary, filepath.Dir(e.fn.Binary), environ, e.line)
	if err != nil {
		return e.initFailure("its binary does not start", err)
	}
	e.main = p
	e.mu.Lock()
	settled := e.settled
	e.mu.Unlock()
	if err := e.await(settled, limit.C, "it did not ask for its first event"); err != nil {
		return err
	}
	e.mu.Lock()
	e.initialised = true
	e.mu.Unlock()
	return nil
}

// await waits for ready during INIT, or returns why it will not come.
func (e *environment) await(ready <-chan struct{}, limit <-chan time.Time, missing string) *Error {
	var exited <-chan struct{}
	if e.main != nil {
		exited = e.main.exited
	}
	select {
	case <-ready:
		return nil
	case <-e.broken:
		return e.initFailure("INIT failed", e.brokenErr)
	case <-exited:
		return e.initFailure("exited during INIT", e.exitError())
	case <-limit:
		return e.initFailure(fmt.Sprintf("INIT took longer than %s, %s", e.r.initTimeout, missing), e.lastLine())
	case <-e.r.done:
		return &Error{Kind: Closed, Function: e.fn.Name, Message: "stopped during INIT"}
	}
}

// initFailure returns an *Error of kind Init.
func (e *environment) initFailure(message string, cause error) *Error {
	return &Error{Kind: Init, Function: e.fn.Name, Message: message, Cause: cause}
}

// deliver hands inv to the runtime and waits for its outcome. It returns false when the
// environment is of no more use.
func (e *environment) deliver(inv *invocation, timeout <-chan time.Time) (outcome, bool) {
	inv.deadline = time.Now().Add(e.fn.Timeout)
	e.out.forget() // an older line says nothing about this event
	e.hand(inv)
	dead := outcome{reason: shutdownFailure}
	failure := func(kind Kind, message string, cause error) error {
		return &Error{Kind: kind, Function: e.fn.Name, RequestID: inv.id, Message: message, Cause: cause}
	}
	select {
	case out := <-inv.outcome:
		return out, true
	case <-timeout:
		dead.reason = shutdownTimeout
		dead.err = failure(Timeout, fmt.Sprintf("timed out after %s", e.fn.Timeout), nil)
	case <-e.main.exited:
		dead.err = failure(Exit, "exited before it answered", e.exitError())
	case <-e.broken:
		dead.err = failure(Exit, "an extension failed", e.brokenErr)
	case <-e.r.done:
		dead.reason = shutdownSpindown
		dead.err = failure(Closed, "stopped before it answered", nil)
	}

	select { // what was posted just before the end counts
	case out := <-inv.outcome:
		return out, true
	default:
		return dead, false
	}
}

// settle waits until the environment is free for the next event, or returns why it never will be.
func (e *environment) settle(timeout <-chan time.Time) (reason string, ok bool) {
	e.mu.Lock()
	settled := e.settled
	e.mu.Unlock()
	select {
	case <-settled:
		return "", true
	case <-timeout:
		return shutdownTimeout, false
	case <-e.main.exited:
		return shutdownFailure, false
	case <-e.broken:
		return shutdownFailure, false
	case <-e.r.done:
		return shutdownSpindown, false
	}
}

// hand makes inv the current event of the runtime and of every extension that wants events.
func (e *environment) hand(inv *invocation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current, e.runtimeReady = inv, false
	e.settled = make(chan struct{})
	for _, x := range e.extensions {
		if x.invoke {
			x.ready = false
			x.events <- invokeEvent(e, inv)
		}
	}
	e.events <- inv
}

// checkSettled closes settled when everybody waits for the next event. The caller holds the lock.
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

// watch breaks the environment when the external extension name ends by itself.
func (e *environment) watch(name string, p *process) {
	<-p.exited
	e.fail(fmt.Errorf("extension %s exited: %w", name, orExitZero(p.err)))
}

// usable tells whether a free environment can take an event.
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
	e.r.line(e.fn.Name, line)
}

// exitError says how the bootstrap ended and what it wrote last.
func (e *environment) exitError() error {
	err := orExitZero(e.main.err)
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

// orExitZero names the end of a process that Wait finds no fault with.
func orExitZero(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// close ends the environment: bootstrap first, then external extensions, then the server.
func (e *environment) close(reason string) {
	limit := time.Now().Add(totalShutdown)
	e.mu.Lock()
	registered := len(e.extensions) > 0
	e.mu.Unlock()
	if e.main != nil {
		if registered && !e.main.gone() {
			e.main.terminate()
			e.main.wait(runtimeShutdown)
		}
		e.main.kill()
	}

	if len(e.external) > 0 {
		e.shutdownExtensions(reason, limit)
		for _, p := range e.external {
			p.wait(time.Until(limit))
			p.kill()
		}
	}
	_ = e.server.Close() // its listener is all that could fail to close
	<-e.served
	e.watching.Wait()
}

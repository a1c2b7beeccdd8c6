package middleware

import (
	"context"
	"maps"
	"net/http"

	"github.com/tienda-dev/tienda/shared/logging"
)

// Gate decides whether one request may pass. It is made for each request; ServeGated calls it.
type Gate interface {
	// Ask reports whether the request may pass. On GET and HEAD it runs in a goroutine of its own.
	Ask(ctx context.Context) bool
	// Pass is called for a request that may pass, before anything of its answer is sent. It may set headers.
	Pass(h http.Header)
	// Refuse answers a request that may not pass.
	Refuse(w http.ResponseWriter, r *http.Request)
}

// ServeGated runs the handler next if the gate lets the request pass.
//
// On GET and HEAD the handler runs while the gate is asked, unless the gate is Instant. Its answer waits for the gate. On a
// refusal the handler's context is cancelled, and its answer is dropped: the status, the body, headers, and what it added
// to the log entry. A panic of the handler is then the cause on the access line. Such a handler must not change anything
// that a refused request may not change. On other methods, and behind an instant gate, the handler starts when the request
// may pass.
//
// ServeGated returns when the gate and the handler have both ended. It panics if the gate does, or if the handler does
// and the request may pass. A gate may be inside another one: all are asked at the same time, and the outermost refusal
// is the answer.
func ServeGated(gate Gate, next http.Handler, w http.ResponseWriter, r *http.Request) {
	if isRead(r) && !isInstant(gate) {
		serveParallel(gate, next, w, r)
		return
	}
	if !gate.Ask(r.Context()) {
		gate.Refuse(w, r)
		return
	}
	if isRead(r) { // Pass sees the headers of the answer, as it does beside a handler
		g := &gated{w: w, gate: gate, admitted: true}
		defer g.pass()
		next.ServeHTTP(g, r)
		return
	}
	gate.Pass(w.Header())
	next.ServeHTTP(w, r)
}

// Instant may be implemented by a Gate, and by what gates ask, such as a rate limiter.
type Instant interface {
	// Instant reports whether the answer waits for nothing, such as a store.
	Instant() bool
}

func isInstant(gate Gate) bool {
	i, ok := gate.(Instant)
	return ok && i.Instant()
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func serveParallel(gate Gate, next http.Handler, w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	before := maps.Clone(w.Header())
	g := &gated{w: w, gate: gate, decided: make(chan struct{})}
	go g.ask(r.Context(), cancel)

	entry := &logging.Entry{} // what the handler adds belongs to its answer
	func() {
		defer func() {
			if g.pass() {
				merge(logging.EntryFrom(r.Context()), entry)
				return // a panic goes on, with its stack
			}
			clear(w.Header())
			maps.Copy(w.Header(), before)
			if value := recover(); value != nil {
				logging.EntryFrom(r.Context()).SetError(logging.Panicked(value))
			}
		}()
		next.ServeHTTP(g, r.WithContext(logging.WithEntry(ctx, entry)))
	}()
	if g.panicked != nil {
		panic(g.panicked)
	}
	if !g.pass() {
		gate.Refuse(w, r)
	}
}

func merge(into, from *logging.Entry) {
	fields, err := from.Snapshot()
	into.Add(fields...)
	if err != nil {
		into.SetError(err)
	}
}

// gated is the http.ResponseWriter of a handler that runs while a gate is asked. The first thing that the handler sends
// waits for the gate. After a refusal everything is dropped, as if it had been sent.
type gated struct {
	w    http.ResponseWriter
	gate Gate

	decided  chan struct{} // closed when the two below are set; nil if the gate was asked before
	admitted bool
	panicked any

	passed, refused bool // of the handler's goroutine
}

// ask asks the gate. It ends the handler's context on a refusal.
func (g *gated) ask(ctx context.Context, cancel context.CancelFunc) {
	defer func() {
		g.panicked = recover()
		if !g.admitted {
			cancel()
		}
		close(g.decided)
	}()
	g.admitted = g.gate.Ask(ctx)
}

// pass waits for the gate and reports whether the request may pass. The first time it lets the gate set headers.
func (g *gated) pass() bool {
	if g.passed || g.refused {
		return g.passed
	}
	if g.decided != nil {
		<-g.decided
	}
	if !g.admitted {
		g.refused = true
		return false
	}
	g.passed = true
	g.gate.Pass(g.w.Header())
	return true
}

// Header returns the header of the answer. What the handler sets is taken back on a refusal.
func (g *gated) Header() http.Header { return g.w.Header() }

// WriteHeader implements http.ResponseWriter.
func (g *gated) WriteHeader(status int) {
	if g.pass() {
		g.w.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (g *gated) Write(p []byte) (int, error) {
	if !g.pass() {
		return len(p), nil
	}
	return g.w.Write(p)
}

// FlushError implements what http.ResponseController calls for Flush.
func (g *gated) FlushError() error {
	if !g.pass() {
		return nil
	}
	return http.NewResponseController(g.w).Flush()
}

// Discard implements what Recorder asks writers for that can take an answer back.
func (g *gated) Discard() bool {
	if !g.pass() {
		return true
	}
	return Record(g.w).Discard()
}

// Unwrap lets http.ResponseController find the writer below, for a request that may pass.
func (g *gated) Unwrap() http.ResponseWriter {
	if !g.pass() {
		return dropped{}
	}
	return g.w
}

// dropped is below the writer of a request that is refused.
type dropped struct{}

func (dropped) Header() http.Header         { return http.Header{} }
func (dropped) Write(p []byte) (int, error) { return len(p), nil }
func (dropped) WriteHeader(int)             {}

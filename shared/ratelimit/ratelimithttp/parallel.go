package ratelimithttp

import (
	"context"
	"maps"
	"net/http"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// serveParallel runs the handler while the limiters are asked. It returns, or panics as the handler does, when both have
// ended.
func (l *layer) serveParallel(next http.Handler, w http.ResponseWriter, r *http.Request, requests []ratelimit.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	before := maps.Clone(w.Header())
	g := &gate{w: w, layer: l, decided: make(chan struct{})}
	go g.ask(r.Context(), cancel, requests)

	entry := &logging.Entry{} // what the handler adds belongs to its answer
	func() {
		defer func() {
			if g.pass() {
				merge(logging.EntryFrom(r.Context()), entry)
				return
			}
			clear(w.Header())
			maps.Copy(w.Header(), before)
		}()
		next.ServeHTTP(g, r.WithContext(logging.WithEntry(ctx, entry)))
	}()
	if g.panicked != nil {
		panic(g.panicked)
	}
	if !g.pass() {
		problem.Write(w, r, l.answer(w.Header(), g.decisions, g.err))
	}
}

func merge(into, from *logging.Entry) {
	fields, err := from.Snapshot()
	into.Add(fields...)
	if err != nil {
		into.SetError(err)
	}
}

// gate is the http.ResponseWriter of a handler that runs while the limiters are asked. The first thing that the handler
// sends waits for their answer. After a denial everything is dropped, as if it had been sent.
type gate struct {
	w     http.ResponseWriter
	layer *layer

	decided   chan struct{} // closed when the three below are set
	decisions ratelimit.Decisions
	err       error
	panicked  any

	opened bool // of the handler's goroutine
	denied bool
}

// ask asks the limiters. It ends the handler's context if they do not admit.
func (g *gate) ask(ctx context.Context, cancel context.CancelFunc, requests []ratelimit.Request) {
	admitted := false
	defer func() {
		g.panicked = recover()
		if !admitted {
			cancel()
		}
		close(g.decided)
	}()
	g.decisions, g.err = ratelimit.TakeAll(ctx, requests...)
	admitted = g.err == nil && g.decisions.Allowed()
}

// pass waits for the limiters and reports whether they admit. The first time it sets the headers.
func (g *gate) pass() bool {
	if g.opened || g.denied {
		return g.opened
	}
	<-g.decided
	if g.panicked != nil || g.err != nil || !g.decisions.Allowed() {
		g.denied = true
		return false
	}
	g.opened = true
	_ = g.layer.answer(g.w.Header(), g.decisions, nil) // nil: all admit
	return true
}

// Header returns the header of the answer. What the handler sets is taken back on a denial.
func (g *gate) Header() http.Header { return g.w.Header() }

// WriteHeader implements http.ResponseWriter.
func (g *gate) WriteHeader(status int) {
	if g.pass() {
		g.w.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (g *gate) Write(p []byte) (int, error) {
	if !g.pass() {
		return len(p), nil
	}
	return g.w.Write(p)
}

// FlushError implements what http.ResponseController calls for Flush.
func (g *gate) FlushError() error {
	if !g.pass() {
		return nil
	}
	return http.NewResponseController(g.w).Flush()
}

// Discard implements what middleware.Recorder asks writers for that can take an answer back.
func (g *gate) Discard() bool {
	if !g.pass() {
		return true
	}
	return middleware.Record(g.w).Discard()
}

// Unwrap lets http.ResponseController find the writer below, for an admitted request.
func (g *gate) Unwrap() http.ResponseWriter {
	if !g.pass() {
		return dropped{}
	}
	return g.w
}

// dropped is below the gate of a denied request.
type dropped struct{}

func (dropped) Header() http.Header         { return http.Header{} }
func (dropped) Write(p []byte) (int, error) { return len(p), nil }
func (dropped) WriteHeader(int)             {}

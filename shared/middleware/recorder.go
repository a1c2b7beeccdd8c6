package middleware

import "net/http"

// Recorder is a http.ResponseWriter that remembers the answer's status and size. It lets
// http.ResponseController reach the writer below.
//
// Some writers hold the answer back until the handler has returned, as lambdahttp's does. They can
// still refuse it or replace it, and have the methods Finish() error and Discard() bool for it.
// A writer that wraps another one and buffers must have Discard too.
type Recorder struct {
	http.ResponseWriter

	status int
	bytes  int64
}

// Record returns w as a Recorder. A w that is one already is not wrapped again, so that all layers
// of the chain share one Recorder.
func Record(w http.ResponseWriter) *Recorder {
	if rec, ok := w.(*Recorder); ok {
		return rec
	}
	return &Recorder{ResponseWriter: w}
}

// Status returns the status that the client gets: the first final one, 200 for a handler that has
// written nothing, and 500 for an answer that was aborted.
func (rec *Recorder) Status() int {
	if rec.status == 0 {
		return http.StatusOK
	}
	return rec.status
}

// Bytes returns the size of the body.
func (rec *Recorder) Bytes() int64 { return rec.bytes }

// Started reports whether the handler has written a final status or a part of the body.
func (rec *Recorder) Started() bool { return rec.status != 0 }

// WriteHeader implements http.ResponseWriter. Informational statuses (1xx) are not
// final, except 101 Switching Protocols.
func (rec *Recorder) WriteHeader(status int) {
	rec.ResponseWriter.WriteHeader(status) // panics for a number that is not a status
	if rec.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		rec.status = status
	}
}

// FlushError sends what has been written so far, which begins the answer. It implements what
// http.ResponseController calls for Flush.
func (rec *Recorder) FlushError() error {
	if err := http.NewResponseController(rec.ResponseWriter).Flush(); err != nil {
		return err
	}
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	return nil
}

// Write implements http.ResponseWriter.
func (rec *Recorder) Write(p []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(p)
	rec.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController find the writer below.
func (rec *Recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// Finish ends the answer and returns an error if the writer below has held it back and cannot
// send it. Every other writer has sent the answer.
func (rec *Recorder) Finish() error {
	w, ok := unwrapTo[interface{ Finish() error }](rec.ResponseWriter)
	if !ok {
		return nil
	}
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	return w.Finish()
}

// Discard takes back the status and the body, so that another answer can be written. It returns
// false if no writer below has held them back: the answer must then be aborted, which counts as
// status 500.
func (rec *Recorder) Discard() bool {
	w, ok := unwrapTo[interface{ Discard() bool }](rec.ResponseWriter)
	if !ok || !w.Discard() {
		rec.status = http.StatusInternalServerError
		return false
	}
	rec.status, rec.bytes = 0, 0
	return true
}

// unwrapTo returns the first of w and the writers below it that is a T.
func unwrapTo[T any](w http.ResponseWriter) (T, bool) {
	for {
		if t, ok := w.(T); ok {
			return t, true
		}
		wrapped, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			var none T
			return none, false
		}
		w = wrapped.Unwrap()
	}
}

package runtime

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// The headers and trailers of the Runtime API.
const (
	headerRequestID   = "Lambda-Runtime-Aws-Request-Id"
	headerDeadline    = "Lambda-Runtime-Deadline-Ms"
	headerFunctionARN = "Lambda-Runtime-Invoked-Function-Arn"
	headerTraceID     = "Lambda-Runtime-Trace-Id"
	headerErrorType   = "Lambda-Runtime-Function-Error-Type"
	headerErrorBody   = "Lambda-Runtime-Function-Error-Body"
)

// maxDrain is how much of a refused answer is read, so that its sender sees why, in bytes.
const maxDrain = 64 << 20

// api returns the Runtime API and the Extensions API of the environment.
func (e *environment) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.functionError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", e.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", e.extensionNext)
	mux.HandleFunc("POST /2020-01-01/extension/init/error", e.extensionError)
	mux.HandleFunc("POST /2020-01-01/extension/exit/error", e.extensionError)
	return mux
}

// functionARN returns the function's ARN.
func (e *environment) functionARN() string {
	return "arn:aws:lambda:" + region + ":" + accountID + ":function:" + e.fn.Name
}

// next is GET invocation/next: the runtime is ready, and gets its next event.
func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	if e.current != nil && !e.current.posted {
		e.mu.Unlock()
		apiError(w, http.StatusForbidden, "InvalidStateTransition", "the event in flight has no response yet")
		return
	}
	e.current, e.runtimeReady = nil, true
	e.checkSettled()
	e.mu.Unlock()

	select {
	case inv := <-e.events:
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set(headerRequestID, inv.id)
		header.Set(headerDeadline, strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		header.Set(headerFunctionARN, e.functionARN())
		header.Set(headerTraceID, inv.trace)
		w.Write(inv.payload) // it fails only if the process has ended, which is noticed elsewhere
	case <-r.Context().Done():
	}
}

// response is POST invocation/{id}/response: the function's answer, whole or in chunks. A trailer
// can turn it into an error after the fact.
func (e *environment) response(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, MaxResponseBytes+1))
	if err != nil {
		return // the runtime closed the connection: it has exited, or tries again
	}
	if len(payload) > MaxResponseBytes {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain) // only so that the refusal arrives
		message := fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", MaxResponseBytes)
		e.post(w, r, outcome{err: &Error{
			Kind: ResponseTooLarge, Function: e.fn.Name, RequestID: r.PathValue("id"),
			Message: fmt.Sprintf("the response has more than %d bytes", MaxResponseBytes),
		}}, func() { apiError(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", message) })
		return
	}

	out := outcome{payload: payload}
	if errorType := r.Trailer.Get(headerErrorType); errorType != "" {
		out.failed, out.errorType = true, errorType
		if body, err := base64.StdEncoding.DecodeString(r.Trailer.Get(headerErrorBody)); err == nil {
			out.payload = body
		}
	}
	e.post(w, r, out, func() { apiAccepted(w) })
}

// functionError is POST invocation/{id}/error: the handler returned an error or panicked.
func (e *environment) functionError(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, MaxResponseBytes))
	if err != nil {
		return // the runtime closed the connection: it has exited, or tries again
	}
	e.post(w, r, outcome{
		payload: payload, failed: true, errorType: or(r.Header.Get(headerErrorType), parseError(payload).Type),
	}, func() { apiAccepted(w) })
}

// post makes out the outcome of the event in flight and then sends reply, or refuses an answer
// that no event waits for.
func (e *environment) post(w http.ResponseWriter, r *http.Request, out outcome, reply func()) {
	e.mu.Lock()
	inv := e.current
	if inv == nil || inv.id != r.PathValue("id") {
		e.mu.Unlock()
		apiError(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	if inv.posted {
		e.mu.Unlock()
		apiError(w, http.StatusForbidden, "InvalidStateTransition", "the event has a response already")
		return
	}
	inv.posted = true
	e.mu.Unlock()
	inv.outcome <- out // has room for one
	reply()
}

// initError is POST init/error: the bootstrap cannot start.
func (e *environment) initError(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, MaxResponseBytes))
	if err != nil {
		return // the runtime has exited, which is noticed elsewhere
	}
	e.mu.Lock()
	initialised := e.initialised
	e.mu.Unlock()
	if initialised {
		apiError(w, http.StatusForbidden, "InvalidStateTransition", "INIT is over")
		return
	}
	reported := parseError(payload)
	apiAccepted(w)
	e.fail(errors.New(or(reported.Type, r.Header.Get(headerErrorType)) + ": " + reported.Message))
}

// reportedError is an error as runtimes report it.
type reportedError struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

// parseError reads a reported error; what it cannot read is the message.
func parseError(payload []byte) reportedError {
	var reported reportedError
	if err := json.Unmarshal(payload, &reported); err != nil {
		reported = reportedError{Message: string(payload)}
	}
	return reported
}

// apiAccepted answers 202.
func apiAccepted(w http.ResponseWriter) {
	writeJSON(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

// apiError answers with an error of the Runtime API.
func apiError(w http.ResponseWriter, status int, errorType, message string) {
	writeJSON(w, status, reportedError{Message: message, Type: errorType})
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // it fails only if the process has ended, which is noticed elsewhere
}

package harness

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Invocation is one event and its answer. The times are the harness's.
type Invocation struct {
	// Sent is when the event was about to be written, Answered when the response was read to its last byte, and Idle when
	// the runtime and every extension had asked for the next event. Of invocations that run at the same time, Idle is when
	// all of them were over.
	Sent, Answered, Idle time.Time
	// Failed is whether the function returned an error. ErrorType is its type.
	Failed    bool
	ErrorType string

	id string
}

// Latency is the time from the event to its response.
func (i Invocation) Latency() time.Duration { return i.Answered.Sub(i.Sent) }

// Turn is the time from the response until the environment took the next event.
func (i Invocation) Turn() time.Duration { return i.Idle.Sub(i.Answered) }

// batch is a number of invocations.
type batch struct {
	payloads [][]byte
	left     int
	check    func([]byte) error
	done     []Invocation
	err      error
	ended    chan struct{}
}

// runtimeAPI is the Runtime API and the Extensions API of one process. (AWS Lambda developer guide, "Lambda runtime API"
// and "Lambda Extensions API".)
type runtimeAPI struct {
	listener *listener
	// concurrency is how many events the process takes at the same time.
	concurrency int

	mu         sync.Mutex
	runtime    *waiter
	extensions map[string]*waiter // those that registered for INVOKE, by id
	number     int
	current    []*Invocation // since the process was last idle; one, unless it takes several
	batch      *batch
	ready      chan struct{} // closed when everybody waits for the first time
	isReady    bool
	failed     chan struct{} // closed with failure
	failure    error
}

// waiter is a client of next: the runtime or an extension.
type waiter struct {
	pending int // how many of its calls wait for an event
	events  chan event
}

// event is the answer of next.
type event struct {
	response []byte      // complete
	of       *Invocation // nil for an extension
}

const (
	functionARN = "arn:aws:lambda:eu-central-1:123456789012:function:bench"
	timeout     = 10 * time.Second
	accepted    = `{"status":"OK"}`
)

// newRuntimeAPI starts the API of a process that takes so many events at the same time.
func newRuntimeAPI(ctx context.Context, concurrency int) (*runtimeAPI, error) {
	a := &runtimeAPI{
		concurrency: concurrency, runtime: &waiter{events: make(chan event, concurrency)}, extensions: map[string]*waiter{},
		ready: make(chan struct{}), failed: make(chan struct{}),
	}
	var err error
	a.listener, err = listen(ctx, nil, a.serve)
	return a, err
}

// address is the value of AWS_LAMBDA_RUNTIME_API.
func (a *runtimeAPI) address() string { return a.listener.Addr().String() }

// close ends the calls that wait for an event, and all connections.
func (a *runtimeAPI) close() {
	a.fail(context.Canceled)
	a.listener.close()
}

// fail ends what waits for the function.
func (a *runtimeAPI) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failLocked(err)
}

func (a *runtimeAPI) failLocked(err error) {
	if a.failure == nil {
		a.failure = err
		close(a.failed)
	}
}

// invoke sends so many events, each when the environment waits for it.
func (a *runtimeAPI) invoke(payloads [][]byte, count int, check func([]byte) error) *batch {
	b := &batch{payloads: payloads, left: count, check: check, done: make([]Invocation, 0, count), ended: make(chan struct{})}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.batch = b
	a.dispatch()
	return b
}

// serve answers the requests of one connection.
func (a *runtimeAPI) serve(w *wire) {
	for {
		q, err := w.read()
		if err != nil {
			return // the process has ended or closed the connection; the harness notices elsewhere
		}
		if !a.answer(w, q) {
			return
		}
	}
}

// answer returns false when the connection is of no further use.
func (a *runtimeAPI) answer(w *wire, q *request) bool {
	path, ok := strings.CutPrefix(q.path, "/2018-06-01/runtime/")
	if !ok {
		return a.extension(w, q)
	}
	switch {
	case q.method == "GET" && path == "invocation/next":
		return a.next(w, a.runtime)
	case q.method == "POST" && path == "init/error":
		a.fail(fmt.Errorf("init error: %s", reported(q)))
		return w.write("202 Accepted", nil, []byte(accepted)) == nil
	case q.method == "POST" && strings.HasSuffix(path, "/response"):
		failed := get(q.trailer, "Lambda-Runtime-Function-Error-Type")
		if text, err := base64.StdEncoding.DecodeString(get(q.trailer, "Lambda-Runtime-Function-Error-Body")); failed != "" && err == nil {
			q.body = append(q.body[:0], text...)
		}
		return a.end(w, q, path, failed)
	case q.method == "POST" && strings.HasSuffix(path, "/error"):
		failed := get(q.header, "Lambda-Runtime-Function-Error-Type")
		if failed == "" {
			failed = "Unknown"
		}
		return a.end(w, q, path, failed)
	}
	return w.write("404 Not Found", nil, nil) == nil
}

// next answers with the next event.
func (a *runtimeAPI) next(w *wire, who *waiter) bool {
	a.mu.Lock()
	who.pending++
	a.settle()
	a.mu.Unlock()
	select {
	case e := <-who.events:
		if e.of != nil { // not before: the goroutine may have waited for its processor
			a.mu.Lock()
			e.of.Sent = time.Now()
			a.mu.Unlock()
		}
		_, err := w.conn.Write(e.response)
		return err == nil
	case <-a.failed:
		return false
	}
}

// settle notes that the environment is idle, and sends the next events.
func (a *runtimeAPI) settle() {
	if a.idle() && !a.finish() {
		return
	}
	a.dispatch()
}

// finish ends the invocations of an idle environment. It returns false if one was not answered.
func (a *runtimeAPI) finish() bool {
	now := time.Now()
	if !a.isReady {
		a.isReady = true
		close(a.ready)
	}
	for _, i := range a.current {
		if i.Answered.IsZero() {
			a.failLocked(errors.New("the function asked for the next event without answering this one"))
			return false
		}
		i.Idle = now
		a.batch.done = append(a.batch.done, *i)
	}
	if b := a.batch; b != nil && len(a.current) > 0 && (b.left == 0 || b.err != nil) {
		a.batch = nil
		close(b.ended)
	}
	a.current = a.current[:0]
	return true
}

// idle reports whether the runtime and every extension wait, with all their calls.
func (a *runtimeAPI) idle() bool {
	for _, x := range a.extensions {
		if x.pending == 0 {
			return false
		}
	}
	return a.runtime.pending == a.concurrency
}

// dispatch gives the next event to everybody that waits, if they do. A process that takes several events gets one for each
// call that waits, and its extensions get none, as on Lambda Managed Instances.
func (a *runtimeAPI) dispatch() {
	several := a.concurrency > 1
	for a.batch != nil && a.batch.left > 0 && a.batch.err == nil && (a.idle() || several && a.runtime.pending > 0) {
		a.batch.left--
		a.number++
		id := fmt.Sprintf("8476a536-e9f4-11e8-9739-%012x", a.number)
		deadline := time.Now().Add(timeout).UnixMilli()
		trace := fmt.Sprintf("Root=1-5bef4de7-%024x;Parent=9a9197af755a6419;Sampled=1", a.number)
		of := &Invocation{id: id}
		a.current = append(a.current, of)
		if !several {
			for _, x := range a.extensions {
				x.pending--
				x.events <- event{response: extensionEvent(id, deadline, trace)}
			}
		}
		a.runtime.pending--
		a.runtime.events <- event{eventResponse(id, deadline, trace, a.batch.payloads[a.number%len(a.batch.payloads)]), of}
	}
}

// open returns the invocation of a path that has no answer yet, or nil. It is among the last.
func (a *runtimeAPI) open(path string) *Invocation {
	for _, i := range slices.Backward(a.current) {
		if strings.HasPrefix(path, "invocation/"+i.id+"/") {
			if !i.Answered.IsZero() {
				return nil
			}
			return i
		}
	}
	return nil
}

// eventResponse is the answer of invocation/next.
func eventResponse(id string, deadline int64, trace string, payload []byte) []byte {
	out := make([]byte, 0, len(payload)+512)
	out = append(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: "...)
	out = append(append(out, id...), "\r\nLambda-Runtime-Deadline-Ms: "...)
	out = append(strconv.AppendInt(out, deadline, 10), "\r\nLambda-Runtime-Invoked-Function-Arn: "+functionARN+"\r\nLambda-Runtime-Trace-Id: "...)
	out = append(append(out, trace...), "\r\nContent-Length: "...)
	out = append(strconv.AppendInt(out, int64(len(payload)), 10), "\r\n\r\n"...)
	return append(out, payload...)
}

// end takes the answer of the event in flight. failed is the type of its error, or "".
func (a *runtimeAPI) end(w *wire, q *request, path, failed string) bool {
	now := time.Now()
	a.mu.Lock()
	of := a.open(path)
	if of == nil {
		a.mu.Unlock()
		return w.write("400 Bad Request", nil, []byte(`{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`)) == nil
	}
	of.Answered, of.Failed, of.ErrorType = now, failed != "", failed
	b := a.batch
	switch {
	case b.err != nil:
	case failed != "":
		b.err = fmt.Errorf("the function returned %s: %s", failed, cut(q.body))
	case b.check != nil:
		b.err = b.check(q.body)
	}
	a.mu.Unlock()
	return w.write("202 Accepted", nil, []byte(accepted)) == nil
}

// extension answers the Extensions API.
func (a *runtimeAPI) extension(w *wire, q *request) bool {
	path, ok := strings.CutPrefix(q.path, "/2020-01-01/extension/")
	if !ok {
		return w.write("404 Not Found", nil, nil) == nil
	}
	switch {
	case q.method == "POST" && path == "register":
		return a.register(w, q)
	case q.method == "GET" && path == "event/next":
		a.mu.Lock()
		x, ok := a.extensions[get(q.header, "Lambda-Extension-Identifier")]
		a.mu.Unlock()
		if !ok {
			x = &waiter{events: make(chan event)} // one without events, for SIGTERM: it waits for ever
		}
		return a.next(w, x)
	case q.method == "POST":
		a.fail(fmt.Errorf("an extension reported %s: %s", path, get(q.header, "Lambda-Extension-Function-Error-Type")))
		return w.write("202 Accepted", nil, []byte(accepted)) == nil
	}
	return w.write("404 Not Found", nil, nil) == nil
}

func (a *runtimeAPI) register(w *wire, q *request) bool {
	var body struct{ Events []string }
	if len(q.body) > 0 && json.Unmarshal(q.body, &body) != nil {
		return w.write("400 Bad Request", nil, nil) == nil
	}
	id := "without-events"
	if len(body.Events) > 0 {
		a.mu.Lock()
		id = fmt.Sprintf("00000000-0000-4000-8000-%012d", len(a.extensions))
		a.extensions[id] = &waiter{events: make(chan event, 1)}
		a.mu.Unlock()
	}
	return w.write("200 OK", []field{{"Lambda-Extension-Identifier", id}},
		[]byte(`{"functionName":"bench","functionVersion":"$LATEST","handler":"bootstrap"}`)) == nil
}

// extensionEvent is the answer of an extension's next.
func extensionEvent(id string, deadline int64, trace string) []byte {
	body := fmt.Sprintf(`{"eventType":"INVOKE","deadlineMs":%d,"requestId":%q,"invokedFunctionArn":%q,"tracing":{"type":"X-Amzn-Trace-Id","value":%q}}`,
		deadline, id, functionARN, trace)
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// reported is the error that a runtime reports.
func reported(q *request) string {
	var e struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}
	if json.Unmarshal(q.body, &e) != nil || e.Message == "" {
		return strings.TrimSpace(get(q.header, "Lambda-Runtime-Function-Error-Type") + " " + cut(q.body))
	}
	return e.Type + ": " + e.Message
}

// cut shortens a text for an error.
func cut(text []byte) string {
	const most = 300
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// api is the Runtime API and the Extensions API of one environment. (AWS Lambda developer guide, "Lambda
// runtime API" and "Lambda Extensions API".)
type api struct {
	address string
	server  *http.Server

	mu         sync.Mutex
	extensions map[string]*waiter // those that registered for INVOKE, by id
	runtime    waiter
	isIdle     chan struct{} // closed when every next is pending
	current    *answer
	id         string
}

// waiter is a client of next.
type waiter struct {
	pending bool
	events  chan event
}

// event is what next answers.
type event struct {
	id       string
	payload  []byte
	deadline time.Time
}

// answer is how an invocation ended, when done is closed.
type answer struct {
	done    chan struct{}
	failed  bool
	payload []byte
}

func newAPI(ctx context.Context) (*api, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &api{
		address: listener.Addr().String(), extensions: map[string]*waiter{}, isIdle: make(chan struct{}),
		runtime: waiter{events: make(chan event, 1)},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.runtimeNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { a.end(w, r, false) })
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { a.end(w, r, true) })
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	mux.HandleFunc("POST /2020-01-01/extension/register", a.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", a.extensionNext)
	a.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = a.server.Serve(listener) }() // close ends it
	return a, nil
}

func (a *api) close() { _ = a.server.Close() }

// idle returns a channel that is closed when the runtime and every extension wait for the next event.
func (a *api) idle() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.isIdle
}

// invoke gives an event to all that wait. They must be idle.
func (a *api) invoke(id string, payload []byte, deadline time.Time) *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.isIdle = make(chan struct{})
	a.current, a.id = &answer{done: make(chan struct{})}, id
	e := event{id: id, payload: payload, deadline: deadline}
	for _, x := range a.extensions {
		x.pending = false
		x.events <- e
	}
	a.runtime.pending = false
	a.runtime.events <- e
	return a.current
}

// wait marks a client of next as pending, and returns its event.
func (a *api) wait(r *http.Request, w *waiter) (event, bool) {
	a.mu.Lock()
	w.pending = true
	all := a.runtime.pending
	for _, x := range a.extensions {
		all = all && x.pending
	}
	if all {
		close(a.isIdle)
	}
	a.mu.Unlock()
	select {
	case e := <-w.events:
		return e, true
	case <-r.Context().Done():
		return event{}, false
	}
}

func (a *api) runtimeNext(w http.ResponseWriter, r *http.Request) {
	e, ok := a.wait(r, &a.runtime)
	if !ok {
		return
	}
	w.Header().Set("Lambda-Runtime-Aws-Request-Id", e.id)
	w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(e.deadline.UnixMilli(), 10))
	w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:fleet")
	_, _ = w.Write(e.payload)
}

func (a *api) extensionNext(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	x := a.extensions[r.Header.Get("Lambda-Extension-Identifier")]
	a.mu.Unlock()
	if x == nil { // one without events, for SIGTERM
		<-r.Context().Done()
		return
	}
	if e, ok := a.wait(r, x); ok {
		_ = json.NewEncoder(w).Encode(map[string]any{"eventType": "INVOKE", "requestId": e.id, "deadlineMs": e.deadline.UnixMilli()})
	}
}

func (a *api) register(w http.ResponseWriter, r *http.Request) {
	var body struct{ Events []string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", len(a.extensions))
	if len(body.Events) == 0 {
		id = "without events"
	} else {
		a.extensions[id] = &waiter{events: make(chan event, 1)}
	}
	w.Header().Set("Lambda-Extension-Identifier", id)
	_, _ = w.Write([]byte(`{"functionName":"fleet","functionVersion":"$LATEST","handler":"bootstrap"}`))
}

// end takes the end of the invocation.
func (a *api) end(w http.ResponseWriter, r *http.Request, failed bool) {
	payload, err := io.ReadAll(r.Body)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil || r.PathValue("id") != a.id || a.current == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	a.current.failed, a.current.payload = failed, payload
	close(a.current.done)
	a.current = nil
	w.WriteHeader(http.StatusAccepted)
}

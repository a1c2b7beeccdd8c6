package harness

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/tests/bench/harness/memtable"
)

// Call is one request of the function to a backend.
type Call struct {
	// Backend is "dynamodb" or "otlp".
	Backend string
	// Operation is that of DynamoDB, such as GetItem, or the path of an export.
	Operation string
	// Began is when the request was read, Ended when its answer was about to be written.
	Began, Ended time.Time
	// Bytes is the size of the request's body.
	Bytes int
}

// The backends.
const (
	DynamoDB = "dynamodb"
	OTLP     = "otlp"
)

// Backends are a DynamoDB and a sink of OTLP on the loopback interface. They note every call.
type Backends struct {
	// Store has DynamoDB's items.
	Store *memtable.Store

	delay    time.Duration
	fixed    []Fixed
	dynamo   *listener
	otlp     *listener
	scheme   string
	mu       sync.Mutex
	calls    []Call
	refusals []error
}

// BackendConfig describes backends. Its zero value answers at once, without TLS, from an empty store.
type BackendConfig struct {
	// Store has DynamoDB's items; nil is an empty one.
	Store *memtable.Store
	// Delay is how long each request waits for its answer.
	Delay time.Duration
	// TLS encrypts connections with it. Nil is plain text.
	TLS *Authority
	// Fixed are answers that do not come from the store.
	Fixed []Fixed
}

// Fixed is DynamoDB's one answer to an operation whose request contains a text.
type Fixed struct{ Operation, Contains, Answer string }

// StartBackends starts both backends.
func StartBackends(ctx context.Context, cfg BackendConfig) (*Backends, error) {
	b := &Backends{Store: cfg.Store, delay: cfg.Delay, fixed: cfg.Fixed, scheme: "http"}
	if b.Store == nil {
		b.Store = memtable.New()
	}
	var secure *tls.Config
	if cfg.TLS != nil {
		b.scheme, secure = "https", cfg.TLS.server
	}
	var err error
	if b.dynamo, err = listen(ctx, secure, b.serve(DynamoDB, b.answerDynamoDB)); err != nil {
		return nil, err
	}
	if b.otlp, err = listen(ctx, secure, b.serve(OTLP, answerOTLP)); err != nil {
		b.dynamo.close()
		return nil, err
	}
	return b, nil
}

// Close ends the backends.
func (b *Backends) Close() {
	b.dynamo.close()
	b.otlp.close()
}

// DynamoDBEndpoint and OTLPEndpoint are the base URLs.
func (b *Backends) DynamoDBEndpoint() string { return b.endpoint(b.dynamo) }

// OTLPEndpoint is the base URL of the sink.
func (b *Backends) OTLPEndpoint() string { return b.endpoint(b.otlp) }

// endpoint names the host: certificates are for names, and localhost needs no resolver.
func (b *Backends) endpoint(l *listener) string {
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	return b.scheme + "://localhost:" + port
}

// Take returns the calls since the last Take, and an error if DynamoDB has refused one: then the function did not do the
// work that it is measured for.
func (b *Backends) Take() ([]Call, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls, err := b.calls, errors.Join(b.refusals...)
	b.calls, b.refusals = nil, nil
	return calls, err
}

// answer is what a backend answers to a request.
type answer struct {
	operation, status string
	header            []field
	body              []byte
}

// serve returns what serves a connection of one backend.
func (b *Backends) serve(backend string, respond func(*request) answer) func(*wire) {
	return func(w *wire) {
		for {
			q, err := w.read()
			if err != nil {
				return // the client has closed it
			}
			call := Call{Backend: backend, Began: time.Now(), Bytes: len(q.body)}
			if b.delay > 0 {
				time.Sleep(b.delay)
			}
			a := respond(q)
			// Before the answer is written: after it the function may answer, and the call must be known by then.
			call.Operation, call.Ended = a.operation, time.Now()
			b.mu.Lock()
			b.calls = append(b.calls, call)
			b.mu.Unlock()
			if w.write(a.status, a.header, a.body) != nil {
				return
			}
		}
	}
}

func (b *Backends) answerDynamoDB(q *request) answer {
	_, operation, _ := strings.Cut(get(q.header, "X-Amz-Target"), ".")
	a := answer{
		operation: operation, status: "200 OK",
		header: []field{{"Content-Type", "application/x-amz-json-1.0"}, {"X-Amzn-Requestid", "BENCH"}},
	}
	for _, f := range b.fixed {
		if f.Operation == operation && bytes.Contains(q.body, []byte(f.Contains)) {
			a.body = []byte(f.Answer)
			return a
		}
	}
	var err error
	a.body, err = b.Store.Do(operation, q.body)
	if err == nil {
		return a
	}
	refused, ok := errors.AsType[*memtable.Error](err)
	if !ok {
		refused = &memtable.Error{Type: "InternalServerError", Message: err.Error()}
	}
	if !strings.Contains(refused.Type, "#") { // not one that the function may expect
		b.mu.Lock()
		b.refusals = append(b.refusals, fmt.Errorf("%s: %w", operation, refused))
		b.mu.Unlock()
	}
	a.status = "400 Bad Request"
	a.body, _ = json.Marshal(refused) // it has texts and items only
	return a
}

func answerOTLP(q *request) answer {
	a := answer{operation: q.path, status: "200 OK", header: []field{{"Content-Type", get(q.header, "Content-Type")}}}
	if strings.HasPrefix(get(q.header, "Content-Type"), "application/json") {
		a.body = []byte("{}")
	} // else an empty message of protobuf: everything was accepted
	return a
}

// Trips describes the calls of one invocation.
type Trips struct {
	// Before is how many calls ended before the response, and Sequence how many of them one after the other: two that were
	// under way at the same time count once.
	Before, Sequence int
	// Telemetry is how many exports began before the response.
	Telemetry int
	// All is how many calls there were until the environment was idle.
	All int
}

// TripsOf describes an invocation by the calls of its time.
func TripsOf(i Invocation, calls []Call) Trips {
	var t Trips
	var before []Call
	for _, c := range calls {
		if c.Began.Before(i.Sent) || c.Began.After(i.Idle) {
			continue
		}
		t.All++
		if c.Backend == OTLP && c.Began.Before(i.Answered) {
			t.Telemetry++
		}
		if !c.Ended.After(i.Answered) {
			before = append(before, c)
		}
	}
	t.Before, t.Sequence = len(before), sequence(before)
	return t
}

// sequence returns the greatest number of calls of which no two overlap.
func sequence(calls []Call) int {
	byEnd := slices.Clone(calls)
	slices.SortFunc(byEnd, func(a, b Call) int { return a.Ended.Compare(b.Ended) })
	count, end := 0, time.Time{}
	for _, c := range byEnd {
		if !c.Began.Before(end) {
			count, end = count+1, c.Ended
		}
	}
	return count
}

// Package runtime runs Lambda functions on this machine: the real bootstrap binaries, each in its
// own process, over its own Runtime API and Extensions API, with Lambda's rules for how
// environments start, serve and end.
//
// One environment serves one event at a time. A request that finds no free environment starts another
// one, up to the function's reserved concurrency. Lambda would start one for each of a thousand requests at once;
// this machine has less memory, so requests past Config.Processes wait in order until a process is free. An environment is free again when the runtime, and
// every internal extension that registered for INVOKE, has asked for the next event. One that has been
// free for a minute is ended. External extensions are not supported.
//
// Sources: "Lambda runtime API", "Lambda Extensions API" and "Lambda quotas" of the AWS Lambda
// developer guide.
package runtime

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// What Lambda sets or allows.
const (
	// DefaultTimeout is a function's timeout when it names none.
	DefaultTimeout = 3 * time.Second
	// DefaultMemoryMB is a function's memory when it names none, in MB.
	DefaultMemoryMB = 128
	// DefaultInitTimeout is how long INIT may take.
	DefaultInitTimeout = 10 * time.Second
	// DefaultIdleTimeout is how long a free environment is kept. AWS keeps one for some minutes, without
	// documenting how many; here they take the memory of somebody's desk.
	DefaultIdleTimeout = time.Minute
	// DefaultConcurrency is how many events an account may have in flight.
	DefaultConcurrency = 1000
	// DefaultProcesses is how many environments exist at one time. One takes some 20 MB.
	DefaultProcesses = 48
	// MaxRequestBytes is the largest event of a synchronous invocation.
	MaxRequestBytes = 6 << 20
	// MaxResponseBytes is the largest answer of a synchronous invocation: 6 MB and 100 bytes.
	MaxResponseBytes = 6<<20 + 100
)

// settleGrace is how long a request waits for an environment that has answered but not yet asked for its
// next event, before it starts another environment. On AWS the network between an answer and the next
// request hides this gap.
const settleGrace = 100 * time.Millisecond

// What functions are told about their account.
const (
	region    = "us-east-1"
	accountID = "123456789012"
)

// Function is one Lambda function.
type Function struct {
	// Name is unique in a Runtime. It becomes AWS_LAMBDA_FUNCTION_NAME and the end of the ARN.
	Name string
	// Binary is the path of the bootstrap for this host.
	Binary string
	// Late is true when Binary may be missing at New. It must be there at the first Invoke.
	Late bool
	// Env is the function's environment. The names that Lambda reserves are refused.
	Env map[string]string
	// MemoryMB is the memory in MB that the function is told about. It is not enforced. 0 is 128.
	MemoryMB int
	// Timeout limits one invocation. 0 is 3 s.
	Timeout time.Duration
	// ReservedConcurrency is how many events may be in flight; nil leaves it to the account.
	ReservedConcurrency *int
}

// Config configures a Runtime. Only Functions is required.
type Config struct {
	// Functions are the functions that can be invoked.
	Functions []Function
	// InitTimeout limits INIT. 0 is 10 s.
	InitTimeout time.Duration
	// IdleTimeout is how long a free environment waits for its next event before it is ended, as at
	// Close. 0 is a minute.
	IdleTimeout time.Duration
	// Concurrency is how many events may be in flight over all functions. 0 is 1000.
	Concurrency int
	// Processes is how many environments exist at one time over all functions. Events past it wait in
	// order for one, as long as their context allows; a free environment of another function makes room. 0 is 48.
	Processes int
	// Log receives every line that a function writes to stdout or stderr. Calls do not overlap. A line may
	// arrive after the invocation that wrote it has answered; after Close none arrives. Nil drops the lines.
	Log func(Line)
	// Complete receives the id of every invocation when it is over and Log has received its last line. Calls
	// do not overlap with those of Log. Nil drops the ids.
	Complete func(requestID string)
}

// Line is a line of a function's output.
type Line struct {
	// Function is the name of the function.
	Function string
	// RequestID is the id of the invocation that the line is about: the one that started the environment, or
	// the one that it works on. It is empty when the environment is free.
	RequestID string
	// Text has no line break.
	Text string
}

// Result is the outcome of an invocation that the function answered.
type Result struct {
	// RequestID is Lambda's id of the invocation, a UUID.
	RequestID string
	// Payload is what the function answered: its response, or with FunctionError the error as
	// JSON (errorMessage, errorType).
	Payload []byte
	// FunctionError is true when the handler returned an error or panicked.
	FunctionError bool
	// ErrorType is the error's type with FunctionError, such as "errorString".
	ErrorType string
	// Cold is true when the invocation had to start an environment.
	Cold bool
	// InitDuration is how long INIT took when Cold, otherwise 0.
	InitDuration time.Duration
	// Duration is the time from handing over the event to the answer, INIT not included.
	Duration time.Duration
	// MaxMemoryMB is the most memory that the process has used, in MB, rounded up; 0 where the system does
	// not report it.
	MaxMemoryMB int
}

// Runtime runs functions. Build it with New and end it with Close; it is safe for concurrent use.
type Runtime struct {
	initTimeout time.Duration
	idleTimeout time.Duration
	concurrency int

	functions map[string]*pool
	logLock   sync.Mutex
	log       func(Line)
	completed func(requestID string)
	// room has a place for each process that may work at one time; processes is their number.
	room      *semaphore.Weighted
	processes int

	mu      sync.Mutex
	busy    int
	live    int // environments that have started and not ended
	closed  bool
	closing context.Context //nolint:containedctx // it ends at Close, and with it every wait
	close   context.CancelFunc
	working sync.WaitGroup
}

// New checks cfg and returns a Runtime. No process starts before the first Invoke. It refuses a
// function without a name, a duplicate, a binary that is not an executable file, a negative limit
// and an environment variable that Lambda reserves.
func New(cfg Config) (*Runtime, error) {
	r := &Runtime{
		initTimeout: or(cfg.InitTimeout, DefaultInitTimeout),
		idleTimeout: or(cfg.IdleTimeout, DefaultIdleTimeout),
		concurrency: or(cfg.Concurrency, DefaultConcurrency),
		functions:   make(map[string]*pool, len(cfg.Functions)),
		log:         cfg.Log,
		completed:   cfg.Complete,
		processes:   or(cfg.Processes, DefaultProcesses),
	}
	if r.processes < 0 {
		return nil, fmt.Errorf("the number of processes is negative: %d", r.processes)
	}
	r.room = semaphore.NewWeighted(int64(r.processes))
	r.closing, r.close = context.WithCancel(context.Background())
	if r.idleTimeout < 0 {
		return nil, fmt.Errorf("the idle timeout is negative: %s", r.idleTimeout)
	}
	for _, fn := range cfg.Functions {
		if _, taken := r.functions[fn.Name]; taken {
			return nil, fmt.Errorf("function %s: defined twice", fn.Name)
		}
		fn, err := check(fn)
		if err != nil {
			return nil, err
		}
		r.functions[fn.Name] = newPool(r, fn)
	}
	return r, nil
}

// check fills the defaults of fn and refuses what cannot run.
func check(fn Function) (Function, error) {
	if fn.Name == "" {
		return fn, fmt.Errorf("function with binary %q: no name", fn.Binary)
	}
	if fn.MemoryMB < 0 || fn.Timeout < 0 {
		return fn, fmt.Errorf("function %s: negative memory or timeout", fn.Name)
	}
	if fn.ReservedConcurrency != nil && *fn.ReservedConcurrency < 0 {
		return fn, fmt.Errorf("function %s: negative reserved concurrency", fn.Name)
	}
	for name := range fn.Env {
		if reserved(name) {
			return fn, fmt.Errorf("function %s: environment variable %s is reserved by Lambda", fn.Name, name)
		}
	}

	binary, err := executable(fn.Binary)
	if err != nil && (!fn.Late || !errors.Is(err, os.ErrNotExist)) {
		return fn, fmt.Errorf("function %s: %w", fn.Name, err)
	}
	fn.Binary = binary
	fn.MemoryMB = or(fn.MemoryMB, DefaultMemoryMB)
	fn.Timeout = or(fn.Timeout, DefaultTimeout)
	return fn, nil
}

// executable returns the absolute path of an executable file, also when the file does not exist.
func executable(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(absolute)
	if err != nil {
		return absolute, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return "", fmt.Errorf("%s is not an executable file", absolute)
	}
	return absolute, nil
}

// Invoke passes payload, a JSON document, to the function and waits for its answer. A failure of
// the platform is an *Error whose Kind errors.Is finds: NotFound, Throttled, RequestTooLarge,
// ResponseTooLarge, Timeout, Exit, Init, Closed. An error that the function reports is a Result
// with FunctionError.
//
// When ctx ends first, Invoke returns its error and the invocation goes on, as it does on AWS.
func (r *Runtime) Invoke(ctx context.Context, function string, payload []byte) (Result, error) {
	p, ok := r.functions[function]
	if !ok {
		return Result{}, &Error{Kind: NotFound, Function: function, Message: "no such function"}
	}
	inv := newInvocation(payload, traceID(ctx))
	if len(payload) > MaxRequestBytes {
		r.complete(inv.id)
		return Result{RequestID: inv.id}, p.failure(inv, RequestTooLarge, fmt.Sprintf(
			"the event has %d bytes, Lambda takes at most %d", len(payload), MaxRequestBytes))
	}
	if err := p.dispatch(ctx, inv); err != nil {
		r.complete(inv.id)
		return Result{RequestID: inv.id}, err
	}

	select {
	case <-inv.answered:
		return inv.result, inv.err
	case <-ctx.Done():
		return Result{RequestID: inv.id}, ctx.Err()
	}
}

// Close ends every environment: an invocation in flight fails with Closed, and processes get SIGTERM if
// they have registered an extension, then SIGKILL. It returns when nothing runs, after half a second or
// so. Calling it again does nothing.
func (r *Runtime) Close() {
	r.mu.Lock()
	first := !r.closed
	if first {
		r.closed = true
		r.close()
	}
	r.mu.Unlock()

	if first {
		for _, p := range r.functions {
			p.closeIdle()
		}
	}
	r.working.Wait()
}

// admit counts one more event in flight, or returns why it is refused. The caller calls over when the
// event is answered, and working.Done when all work on it is done.
func (r *Runtime) admit() (Kind, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return Closed, false
	case r.busy >= r.concurrency:
		return Throttled, false
	}
	r.busy++
	r.working.Add(1)
	return "", true
}

// over ends the count of an event that admit counted.
func (r *Runtime) over() {
	r.mu.Lock()
	r.busy--
	r.mu.Unlock()
}

// makeRoom counts one more environment. If there are too many, it ends the one that has been free for
// longest, whatever its function.
func (r *Runtime) makeRoom() {
	r.mu.Lock()
	r.live++
	tooMany := r.live > r.processes
	r.mu.Unlock()
	for ended := false; tooMany && !ended; {
		var in *pool
		var oldest *environment
		var since time.Time
		for _, p := range r.functions {
			if env, t := p.oldest(); env != nil && (oldest == nil || t.Before(since)) {
				in, oldest, since = p, env, t
			}
		}
		if oldest == nil {
			return // the one too many is ending
		}
		ended = in.evict(oldest)
	}
}

// ended counts one environment less.
func (r *Runtime) ended() {
	r.mu.Lock()
	r.live--
	r.mu.Unlock()
}

// complete reports the end of an invocation to the Complete callback.
func (r *Runtime) complete(requestID string) {
	if r.completed == nil {
		return
	}
	r.logLock.Lock()
	defer r.logLock.Unlock()
	r.completed(requestID)
}

// line hands one line of a function's output to the Log callback.
func (r *Runtime) line(line Line) {
	if r.log == nil {
		return
	}
	r.logLock.Lock()
	defer r.logLock.Unlock()
	r.log(line)
}

// traceKey is the context key of WithTraceID.
type traceKey struct{}

// WithTraceID returns a context whose invocations carry id, an X-Amzn-Trace-Id header such as
// "Root=1-5759e988-bd862e3fe1be46a994272793". Without it every invocation gets a new one.
func WithTraceID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, traceKey{}, id)
}

// traceID returns the id of WithTraceID, or a new one.
func traceID(ctx context.Context) string {
	if id, ok := ctx.Value(traceKey{}).(string); ok && id != "" {
		return id
	}
	return fmt.Sprintf("Root=1-%08x-%s", uint32(time.Now().Unix()&math.MaxUint32), randomHex(12))
}

// randomHex returns n random bytes as 2n hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

// newUUID returns a random (version 4) UUID, the form of Lambda's request ids.
func newUUID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// or returns v, or fallback when v is its zero value.
func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

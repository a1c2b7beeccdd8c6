// Package pump invokes functions by what is not a request: the records of DynamoDB Local's streams, the messages of
// local/queues, and schedules, with the rules of Lambda's event source mappings and asynchronous invocations:
// filters, batches and windows, partial failures, bisection, retries, maximum ages and on-failure queues.
//
// It differs from AWS in times. A failed batch or message is tried again after Config.RetryDelay at most, where
// SQS hides a message for its visibility timeout and Lambda waits for minutes. A shard is read in one lane,
// whatever ParallelizationFactor is. (AWS Lambda developer guide, "Event source mappings", "Asynchronous
// invocation".)
package pump

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/template"
)

const (
	defaultRetryDelay = time.Second
	// stopPatience is how long Stop waits for invocations in flight.
	stopPatience = 2 * time.Second
	// queueConcurrency is how many batches of a queue without MaximumConcurrency are in flight.
	queueConcurrency = 5
	// maxPayload is the largest event that Lambda takes, in bytes.
	maxPayload = 6 << 20
)

// Call is an invocation.
type Call struct {
	// Function is what is invoked.
	Function template.Function
	// Event is the name of the event in the template. Scheduled is true when it is a schedule.
	Event     string
	Scheduled bool
	// Payload is the event, as JSON.
	Payload []byte
}

// Answer is how a function answered.
type Answer struct {
	// Payload is the answer, or the error as JSON.
	Payload []byte
	// Failed is true when the handler returned an error or panicked.
	Failed bool
}

// StreamCaller sends an operation of the DynamoDB Streams API, as *awsjson.Client does.
type StreamCaller interface {
	Call(ctx context.Context, target string, body []byte) ([]byte, error)
}

// Config configures a Pump. Template, Queues and Invoke are required, and Streams for a template with streams.
type Config struct {
	// Template has the functions and what invokes them.
	Template *template.Template
	// Queues are the queues of the template.
	Queues *queues.Server
	// Streams is the engine whose streams are read.
	Streams StreamCaller
	// Invoke invokes a function of the template. An error is a failure of the platform, such as a timeout.
	Invoke func(ctx context.Context, c Call) (Answer, error)
	// FromLatest begins every stream at its end, for a database that others write to.
	FromLatest bool
	// Positions continue an earlier Pump's streams.
	Positions Positions
	// RetryDelay is the longest wait before something is tried again. 0 is 1 s.
	RetryDelay time.Duration
	// Note receives a sentence when a source cannot be read or something is given up. Nil drops it.
	Note func(sentence string)
}

// Positions are the sequence numbers up to which streams were read, by function, event and shard.
type Positions map[string]string

// Fault is what happens to a delivery, for tests.
type Fault int

// The faults.
const (
	// NoFault delivers once.
	NoFault Fault = iota
	// Lost fails the delivery before the function is invoked.
	Lost
	// Unanswered invokes the function and fails the delivery, as when the answer is lost.
	Unanswered
	// Twice invokes the function twice, one after the other. The second answer counts.
	Twice
)

// Delivery is an event that is about to invoke a function.
type Delivery struct {
	// Function is the function's name, "advance-orders"; Event the name of the event in the template.
	Function, Event string
	// Payload is the event, as JSON.
	Payload []byte
}

// Pump delivers until Stop. It is safe for concurrent use.
type Pump struct {
	cfg     Config
	streams []*stream
	loops   sync.WaitGroup
	flight  sync.WaitGroup
	stop    context.CancelFunc // ends the loops
	cut     context.CancelFunc // ends the invocations
	invokes context.Context    //nolint:containedctx // it ends when Stop has waited long enough
	begun   atomic.Int64       // deliveries

	mu       sync.Mutex
	busy     int
	fault    func(Delivery) Fault
	resumed  chan struct{}      // closed unless paused
	active   context.Context    //nolint:containedctx // it ends at Pause
	deactive context.CancelFunc // ends active
	all      context.Context    //nolint:containedctx // it ends at Stop
}

// Start finds the place in every stream from which it reads, and delivers from then on.
func Start(ctx context.Context, cfg Config) (*Pump, error) {
	if cfg.Template == nil || cfg.Queues == nil || cfg.Invoke == nil {
		return nil, errors.New("pump: a template, queues and an invoker are required")
	}
	if cfg.RetryDelay == 0 {
		cfg.RetryDelay = defaultRetryDelay
	}
	if cfg.Note == nil {
		cfg.Note = func(string) {}
	}
	p := &Pump{cfg: cfg, resumed: make(chan struct{})}
	close(p.resumed)
	p.all, p.stop = context.WithCancel(context.Background())
	p.invokes, p.cut = context.WithCancel(context.Background())
	p.active, p.deactive = context.WithCancel(p.all)
	var loops []func(context.Context)
	for _, f := range cfg.Template.Functions {
		for _, s := range f.Sources {
			if s.Queue != "" {
				q, _ := cfg.Template.Queue(s.Queue)
				loops = append(loops, (&queueSource{p: p, function: f, source: s, queue: q}).run)
				continue
			}
			reader, err := p.openStream(ctx, f, s)
			if err != nil {
				p.stop()
				p.cut()
				return nil, fmt.Errorf("the event %s of %s: %w", s.Name, f.LogicalID, err)
			}
			p.streams = append(p.streams, reader)
			loops = append(loops, reader.run)
		}
		for _, s := range f.Schedules {
			loops = append(loops, (&scheduled{p: p, function: f, schedule: s}).run)
		}
	}
	for _, run := range loops {
		p.loops.Go(func() { run(p.all) })
	}
	return p, nil
}

// Stop ends the deliveries and waits for those in flight, two seconds at most. It may be called twice.
func (p *Pump) Stop() {
	p.stop()
	timer := time.AfterFunc(stopPatience, p.cut)
	defer timer.Stop()
	p.loops.Wait()
	p.flight.Wait()
	p.cut()
}

// Positions returns how far the streams are read. Call it after Stop.
func (p *Pump) Positions() Positions {
	positions := Positions{}
	for _, s := range p.streams {
		s.positions(positions)
	}
	return positions
}

// Pause lets no delivery begin until Resume. Those in flight go on.
func (p *Pump) Pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active.Err() == nil {
		p.resumed = make(chan struct{})
		p.deactive()
	}
}

// Resume ends Pause.
func (p *Pump) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active.Err() != nil && p.all.Err() == nil {
		p.active, p.deactive = context.WithCancel(p.all)
		close(p.resumed)
	}
}

// SetFault asks choose what happens to each delivery, from many goroutines. Nil delivers all.
func (p *Pump) SetFault(choose func(Delivery) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = choose
}

// running waits while the pump is paused, and returns a context that ends at Pause and at Stop.
func (p *Pump) running(ctx context.Context) (context.Context, error) {
	for {
		p.mu.Lock()
		active, resumed := p.active, p.resumed
		p.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if active.Err() == nil {
			return active, nil
		}
		select {
		case <-resumed:
		case <-ctx.Done():
		}
	}
}

// Errors of a delivery that the function did not cause.
var (
	errLost       = errors.New("the delivery was lost by a fault")
	errUnanswered = errors.New("the answer was lost by a fault")
)

// deliver invokes the function once, as the fault of the delivery allows.
func (p *Pump) deliver(c Call) (Answer, error) {
	p.begun.Add(1)
	p.mu.Lock()
	choose := p.fault
	p.busy++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.busy--
		p.mu.Unlock()
	}()
	fault := NoFault
	if choose != nil {
		fault = choose(Delivery{Function: c.Function.Name, Event: c.Event, Payload: c.Payload})
	}
	if fault == Lost {
		return Answer{}, errLost
	}
	answer, err := p.cfg.Invoke(p.invokes, c)
	switch fault {
	case Unanswered:
		return Answer{}, errUnanswered
	case Twice:
		return p.cfg.Invoke(p.invokes, c)
	default:
		return answer, err
	}
}

// retryDelay is the wait before the next attempt, after attempt failures.
func (p *Pump) retryDelay(attempt int) time.Duration {
	return min(p.cfg.RetryDelay, 50*time.Millisecond<<min(attempt, 10))
}

// sleep returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

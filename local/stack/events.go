package stack

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/local/pump"
	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/awsjson"
)

// EnvQueues is the variable with the URL of SQS, for the functions that declare it.
const EnvQueues = "AWS_ENDPOINT_URL_SQS"

// events is what invokes functions besides requests.
type events struct {
	config pump.Config // without a template; zero with NoEvents

	mu   sync.Mutex
	pump *pump.Pump
}

// Pump returns what invokes the functions of streams, queues and schedules. It is nil when the template has none,
// and with NoEvents. Watch may replace it.
func (s *Stack) Pump() *pump.Pump {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	return s.events.pump
}

// QueuesOf returns the queues of the template for a queues.Server.
func QueuesOf(t *template.Template) []queues.Queue {
	var list []queues.Queue
	for _, q := range t.Queues {
		dead, _ := t.Queue(q.DeadLetter)
		list = append(list, queues.Queue{
			Name: q.Name, FIFO: q.FIFO, ContentDeduplication: q.ContentDeduplication, GroupDeduplication: q.GroupDeduplication,
			VisibilityTimeout: q.VisibilityTimeout, Retention: q.Retention, Delay: q.Delay,
			DeadLetter: dead.Name, MaxReceives: q.MaxReceives,
		})
	}
	return list
}

// ServeQueues serves the queues on the listeners until the stop that it returns.
func ServeQueues(server *queues.Server, listeners []net.Listener) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	served := &http.Server{
		Handler: server, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	var running sync.WaitGroup
	for _, l := range listeners {
		running.Go(func() { _ = served.Serve(l) }) // it ends when the server is closed below
	}
	return func() {
		cancel()
		_ = served.Close()
		running.Wait()
	}
}

// serveQueues starts the queues of the template, if it has any or may get some by Watch.
func (s *Stack) serveQueues(ctx context.Context, opts Options) error {
	var err error
	if s.Queues, err = queues.New(queues.Config{Queues: QueuesOf(s.Template)}); err != nil {
		return err
	}
	if len(s.Template.Queues) == 0 && !opts.Watch {
		return nil
	}
	listeners, err := Listen(ctx, "")
	if err != nil {
		return err
	}
	s.stops = append(s.stops, ServeQueues(s.Queues, listeners))
	s.SQS = "http://" + listeners[0].Addr().String()
	return nil
}

// StreamsOf returns a client of the streams of a DynamoDB on this machine, and what closes its connections.
func StreamsOf(endpoint string) (*awsjson.Client, func(), error) {
	transport := &http.Transport{}
	client, err := awsjson.New(awsjson.Config{
		Config: awsclient.Config{
			Region: region, AccessKeyID: "local", SecretAccessKey: "local", HTTP: &http.Client{Transport: transport},
		},
		Service: "dynamodb", Version: "1.0", Endpoint: endpoint,
	})
	return client, transport.CloseIdleConnections, err
}

// startEvents starts the pump, which invokes the functions of the current generation.
func (s *Stack) startEvents(ctx context.Context, opts Options, api *live, out *printer) error {
	if opts.NoEvents {
		return nil
	}
	streams, closeStreams, err := StreamsOf(s.Endpoint)
	if err != nil {
		return err
	}
	s.events.config = pump.Config{
		Queues: s.Queues, Streams: streams, Invoke: api.invoker(out), FromLatest: opts.DynamoDBEndpoint != "",
		RetryDelay: opts.RetryDelay, Note: opts.Note,
	}
	s.stops = append(s.stops, func() {
		if p := s.Pump(); p != nil {
			p.Stop()
		}
		closeStreams()
	})
	return s.replaceEvents(ctx, s.Template)
}

// replaceEvents lets the pump follow a template. The new one goes on where the old one stopped.
func (s *Stack) replaceEvents(ctx context.Context, t *template.Template) error {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	if s.events.config.Invoke == nil { // NoEvents
		return nil
	}
	cfg := s.events.config
	if old := s.events.pump; old != nil {
		old.Stop()
		cfg.Positions = old.Positions()
	}
	s.events.pump = nil
	if err := s.Queues.Configure(QueuesOf(t)); err != nil {
		return err
	}
	if !t.Asynchronous() {
		return nil
	}
	cfg.Template = t
	next, err := pump.Start(ctx, cfg)
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	s.events.pump = next
	return nil
}

// invoker returns what invokes a function of the current generation and prints it.
func (l *live) invoker(out *printer) func(ctx context.Context, c pump.Call) (pump.Answer, error) {
	return func(ctx context.Context, c pump.Call) (pump.Answer, error) {
		g := l.enter()
		defer g.flight.Done()
		result, err := g.Invoke(ctx, c.Function.Name, c.Payload)
		out.event(event{function: c.Function.Name, name: c.Event, scheduled: c.Scheduled, result: result, err: err})
		return pump.Answer{Payload: result.Payload, Failed: result.FunctionError}, err
	}
}

// Idle waits until every event of what happened before is worked off. It returns at once where nothing is
// asynchronous.
func (s *Stack) Idle(ctx context.Context) error {
	if p := s.Pump(); p != nil {
		return p.Idle(ctx)
	}
	return nil
}

// Depth counts the messages of the queue with the logical id.
func (s *Stack) Depth(logicalID string) (queues.Depth, error) {
	q, ok := s.Template.Queue(logicalID)
	if !ok {
		return queues.Depth{}, fmt.Errorf("the template has no queue %s", logicalID)
	}
	return s.Queues.Depth(q.Name)
}

// Redrive moves the messages of the dead-letter queue with the logical id back, as `make redrive` does, and returns
// their number.
func (s *Stack) Redrive(logicalID string) (int, error) {
	q, ok := s.Template.Queue(logicalID)
	if !ok {
		return 0, fmt.Errorf("the template has no queue %s", logicalID)
	}
	sources, err := s.Queues.Sources(q.Name)
	switch {
	case err != nil:
		return 0, err
	case len(sources) == 1: // what was sent to it directly moves too
		return s.Queues.Redrive(q.Name, sources[0])
	default:
		return s.Queues.Redrive(q.Name, "")
	}
}

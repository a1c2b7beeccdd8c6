// Package stack runs the whole API on this machine: it reads the template, starts DynamoDB, makes
// tables and secrets, and puts the gateway in front of the functions' own binaries.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/local/builder"
	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/localddb"
	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/record"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/local/token"
)

const (
	region = "us-east-1"
	// envEndpoint is the variable with the URL of DynamoDB.
	envEndpoint = "AWS_ENDPOINT_URL_DYNAMODB"
	// envLogLevel is the variable that Lambda sets to ApplicationLogLevel.
	envLogLevel = "AWS_LAMBDA_LOG_LEVEL"

	setupTimeout    = 60 * time.Second
	shutdownTimeout = 2 * time.Second
	// maxHeaderBytes lets the gateway, not net/http, refuse headers that are too large.
	maxHeaderBytes = 64 << 10
)

// Options configure a Stack. Only Root is required.
type Options struct {
	// Root is the repository's folder.
	Root string
	// Template is the template's path. Empty is template.yaml in Root.
	Template string
	// BinDir holds <function>/bootstrap for this machine. Empty is .cache/run in Root.
	BinDir string
	// Builder builds the functions, instead of BinDir: those behind the routes First before the API answers,
	// the others when a request asks for them and in the background. Nil uses BinDir.
	Builder *builder.Builder
	// First are route keys, such as "POST /v1/products".
	First []string
	// Watch builds again what a changed source reaches, and serves it; a changed template too. It needs
	// Builder.
	Watch bool
	// Data is a folder that keeps the tables. Empty is in memory.
	Data string
	// DynamoDBEndpoint is a DynamoDB that runs already. Empty starts one.
	DynamoDBEndpoint string
	// Parameters override the template's.
	Parameters map[string]string
	// Env overrides variables that functions declare. Others are ignored, as in sam local.
	Env map[string]string
	// Addr is where the API listens, as Listen takes it. Empty is 127.0.0.1 on a free port.
	Addr string
	// Listeners, if any, are used instead of Addr. Start closes them when it fails.
	Listeners []net.Listener
	// Prepare is called when everything works but Addr does not answer yet: its connections wait. url answers,
	// without throttles, until Prepare returns. Its error is that of Start. Nil prepares nothing.
	Prepare func(ctx context.Context, s *Stack, url string) error
	// Pages wraps the API by pages of this machine, which the API itself does not have. Nil has none.
	Pages func(api http.Handler) http.Handler
	// Unlimited leaves out the throttles of the stage and of routes, for load tests.
	Unlimited bool
	// CheckInit starts every function once before the API is served, so that a function that cannot start
	// is an error of Start and not a 500 later.
	CheckInit bool
	// IdleTimeout is how long a function's process waits for its next event before it ends. 0 is
	// runtime.DefaultIdleTimeout.
	IdleTimeout time.Duration
	// Record is called with every action that a function asks of DynamoDB, from many goroutines. Nil
	// records nothing.
	Record func(record.Action)
	// Telemetry is where the functions' telemetry is sent, besides GET /metrics.
	Telemetry Telemetry
	// NoEvents leaves streams, queues and schedules without a reader.
	NoEvents bool
	// RetryDelay is the longest wait before a failed event is tried again. 0 is 1 s.
	RetryDelay time.Duration
	// Out receives a line per request, and lines of the functions. Nil drops them.
	Out io.Writer
	// Logs selects them, and Color colours them for a terminal.
	Logs  Logs
	Color bool
	// Note receives a message when something takes long, such as a download. Nil drops it.
	Note func(sentence string)
}

// RateLimitsOff is the template's parameter that names the rate limits that are off.
const RateLimitsOff = "RateLimitsOff"

// Stack is the running API.
type Stack struct {
	// URL is where it answers, without a slash at the end.
	URL string
	// Endpoint is its DynamoDB's URL.
	Endpoint string
	// OTLP is where the functions send their telemetry, as OTLP over HTTP.
	OTLP string
	// Stripe is the URL of the simulated Stripe; empty when the template does not use Stripe.
	Stripe string
	// SQS is the URL of its queues; empty when the template has none.
	SQS string
	// Queues are its queues.
	Queues *queues.Server
	// Tables maps logical ids to the names of the tables.
	Tables map[string]string
	// KeysPath is the file of the token keys; empty when the template has none.
	KeysPath string
	// Template is what is served at the start; Watch can serve a later one.
	Template *template.Template

	events   events
	metrics  http.Handler
	cacheDir string
	failed   chan error
	stopping sync.Once
	stops    []func()
}

// Start starts everything and returns when the API answers. When it fails, nothing is left running, and
// its error is a sentence for the user. When ctx is cancelled, the error is that of ctx.
func Start(ctx context.Context, opts Options) (*Stack, error) {
	s := &Stack{cacheDir: filepath.Join(opts.Root, ".cache"), failed: make(chan error, 1)}
	if err := s.start(ctx, opts); err != nil {
		s.Stop()
		if errors.Is(ctx.Err(), context.Canceled) {
			err = fmt.Errorf("the start was interrupted: %w", ctx.Err())
		}
		return nil, err
	}
	return s, nil
}

// Stop ends everything that Start started and waits for it. It may be called twice.
func (s *Stack) Stop() {
	s.stopping.Do(func() {
		for _, stop := range slices.Backward(s.stops) {
			stop()
		}
	})
}

// Failed receives an error when the API stops serving without Stop, or when its DynamoDB ends.
func (s *Stack) Failed() <-chan error { return s.failed }

// fail reports an error; the first one counts.
func (s *Stack) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// Token mints an access token for subject, valid for an hour.
func (s *Stack) Token(subject string, roles ...string) (string, error) {
	return token.Mint(s.Template, s.cacheDir, subject, roles, time.Now)
}

func (s *Stack) start(ctx context.Context, opts Options) error {
	abs, err := filepath.Abs(opts.Root)
	if err != nil {
		return err
	}
	opts.Root, s.cacheDir = abs, filepath.Join(abs, ".cache")
	out := newPrinter(opts.Out, opts.Logs, opts.Color)

	listeners := opts.Listeners
	if len(listeners) == 0 {
		if listeners, err = Listen(ctx, opts.Addr); err != nil {
			return err
		}
	}
	for _, l := range listeners {
		s.stops = append(s.stops, func() { _ = l.Close() })
	}
	if s.Template, err = ReadTemplate(opts); err != nil {
		return err
	}
	if s.Template.API == nil {
		return errors.New("the template has no HTTP API to serve")
	}
	if err := s.simulate(ctx, &opts, "http://"+listeners[0].Addr().String()); err != nil {
		return err
	}
	functions, err := functionsOf(s.Template, opts)
	if err != nil {
		return err
	}
	watch, err := s.watchSources(opts)
	if err != nil {
		return err
	}
	first, built := s.buildFirst(ctx, opts)
	if err := s.data(ctx, opts); err != nil {
		return err
	}

	endpoint, err := s.endpoints(ctx, opts)
	if err != nil {
		return err
	}
	if err := s.receive(ctx, opts); err != nil {
		return err
	}
	if err := s.serveQueues(ctx, opts); err != nil {
		return err
	}
	connect(functions, endpoint, s.SQS)
	observe(functions, s.OTLP, opts.Telemetry.BusyInterval)
	lambda, err := newGeneration(s.Template, functions, opts, out)
	if err != nil {
		return err
	}
	api := &live{current: lambda}
	s.stops = append(s.stops, api.drained.Wait, api.Close)
	if err := built(); err != nil {
		return err
	}
	if opts.CheckInit {
		if opts.Builder != nil {
			functions = lambda.chosen(first)
		}
		if err := checkInit(ctx, functions); err != nil {
			return err
		}
	}
	if err := s.startEvents(ctx, opts, api, out); err != nil {
		return err
	}
	if opts.Prepare != nil {
		if err := s.prepare(ctx, opts, lambda, out); err != nil {
			return err
		}
	}
	if opts.Builder != nil {
		(&development{stack: s, opts: opts, out: out, live: api, endpoint: endpoint}).start(watch)
	}
	served := withMetrics(s.metrics, api)
	if opts.Pages != nil {
		served = opts.Pages(served)
	}
	s.serve(listeners, served, api.Close)
	s.URL = "http://" + listeners[0].Addr().String()
	return ctx.Err()
}

// prepare calls Prepare with an address of its own, which nobody else knows. If it fails, what the functions
// wrote is printed.
func (s *Stack) prepare(ctx context.Context, opts Options, lambda *generation, out *printer) error {
	api, err := gateway.New(gatewayConfig(s.Template, true, lambda, out.keep))
	if err != nil {
		return err
	}
	private, err := Listen(ctx, "")
	if err != nil {
		return err
	}
	stop := s.serve(private, api, func() {
		if err != nil { // otherwise nothing is in flight, and the functions go on
			lambda.Close()
		}
	})
	err = opts.Prepare(ctx, s, "http://"+private[0].Addr().String())
	if err != nil && ctx.Err() == nil {
		out.show()
	}
	stop()
	select {
	case failure := <-s.failed: // it has the reason
		return failure
	default:
		return err
	}
}

// data makes secrets and tables.
func (s *Stack) data(ctx context.Context, opts Options) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()

	if err := token.EnsureSecrets(s.cacheDir, s.Template.Secrets); err != nil {
		return err
	}
	for _, f := range s.Template.Functions {
		if path, ok := strings.CutPrefix(f.Environment[token.EnvKeys], "file:"); ok {
			s.KeysPath = path
		}
	}

	db, err := localddb.Start(ctx, localddb.Config{
		CacheDir: s.cacheDir, DataDir: opts.Data, Endpoint: opts.DynamoDBEndpoint, Note: opts.Note,
	})
	if err != nil {
		return err
	}
	s.stops = append(s.stops, db.Stop)
	s.watch(db)
	s.Endpoint = db.Endpoint
	switch err := localddb.CreateTables(ctx, db.Endpoint, region, s.Template.Tables); {
	case errors.Is(err, localddb.ErrBroken) && opts.Data != "" && opts.DynamoDBEndpoint == "":
		return fmt.Errorf("the database in the data folder %s cannot be read: move it away, or choose another DATA folder (%w)", opts.Data, err)
	case err != nil:
		return err
	}
	s.Tables = map[string]string{}
	for _, t := range s.Template.Tables {
		s.Tables[t.LogicalID] = t.Name
	}
	return nil
}

// watch reports the end of DynamoDB, unless Stop caused it.
func (s *Stack) watch(db *localddb.Server) {
	over, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-db.Ended():
			s.fail(fmt.Errorf("%w, and the API cannot go on without it", db.Err()))
		case <-over:
		}
	}()
	s.stops = append(s.stops, func() {
		close(over)
		<-watched
	})
}

// endpoints returns the URL of DynamoDB for each function: the engine, or a recorder before it that knows
// which function asks.
func (s *Stack) endpoints(ctx context.Context, opts Options) (func(function string) string, error) {
	if opts.Record == nil {
		return func(string) string { return s.Endpoint }, nil
	}
	proxy, err := record.New(s.Endpoint, opts.Record)
	if err != nil {
		return nil, err
	}
	listeners, err := Listen(ctx, "")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listeners[0]) }() // it ends when the server is closed below
	s.stops = append(s.stops, func() {
		_ = server.Close()
		proxy.Close()
	})
	base := "http://" + listeners[0].Addr().String()
	return func(function string) string { return record.Endpoint(base, function) }, nil
}

// serve answers on the listeners until Stop, or until the stop that it returns. Stop waits for requests in
// flight, and then calls cut, which ends the rest of them with an answer.
func (s *Stack) serve(listeners []net.Listener, api http.Handler, cut func()) (stop func()) {
	server := &http.Server{Handler: api, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: maxHeaderBytes}
	var served sync.WaitGroup
	for _, l := range listeners {
		served.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				s.fail(fmt.Errorf("the API stopped: %w", err))
			}
		})
	}
	shutdown := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		return server.Shutdown(ctx)
	}
	stop = sync.OnceFunc(func() {
		if shutdown() != nil {
			cut()
			if shutdown() != nil { // a request that never ends
				_ = server.Close()
			}
		}
		served.Wait()
	})
	s.stops = append(s.stops, stop)
	return stop
}

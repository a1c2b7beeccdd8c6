package stack

import (
	"context"
	"slices"
	"sync"

	"github.com/tienda-dev/tienda/local/localddb"
	"github.com/tienda-dev/tienda/local/runtime"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/local/token"
)

// firstFunctions are the functions behind the routes that must answer first, with their authorizers.
func firstFunctions(t *template.Template, routes []string) []string {
	checkers := map[string]string{} // logical ids by authorizer
	for _, a := range t.API.Authorizers {
		checkers[a.Name] = a.Function
	}
	wanted := map[string]bool{}
	for _, f := range t.Functions {
		for _, r := range f.Routes {
			if slices.Contains(routes, r.Key()) {
				wanted[f.LogicalID], wanted[checkers[r.Authorizer]] = true, true
			}
		}
	}
	var names []string
	for _, f := range t.Functions {
		if wanted[f.LogicalID] {
			names = append(names, f.Name)
		}
	}
	return names
}

// buildFirst starts the build of the functions that must answer first. wait returns its error.
func (s *Stack) buildFirst(ctx context.Context, opts Options) (names []string, wait func() error) {
	if opts.Builder == nil {
		return nil, func() error { return nil }
	}
	names = firstFunctions(s.Template, opts.First)
	ctx, cancel := context.WithCancel(ctx)
	built := make(chan struct{})
	var err error
	go func() {
		defer close(built)
		err = opts.Builder.Build(ctx, names)
	}()
	s.stops = append(s.stops, func() {
		cancel()
		<-built
	})
	return names, func() error {
		<-built
		return err
	}
}

// development builds the rest of the functions in the background, and follows changes of the sources if
// Watch is set.
type development struct {
	stack    *Stack
	opts     Options
	out      *printer
	live     *live
	endpoint func(function string) string
	// more asks for another round of builds.
	more chan struct{}
}

// start runs until the stop that it adds to the stack.
func (d *development) start(w *watcher) {
	d.more = make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { d.buildRest(ctx) })
	if w != nil {
		running.Go(func() { d.follow(ctx, w) })
	}
	d.stack.stops = append(d.stack.stops, func() {
		cancel()
		running.Wait()
	})
}

// buildRest builds what is not built, and starts each function once.
func (d *development) buildRest(ctx context.Context) {
	for {
		d.opts.Builder.Rest(ctx, d.live.now().names(), func(names []string) {
			if !d.opts.CheckInit {
				return
			}
			if err := checkInit(ctx, d.live.now().chosen(names)); err != nil && ctx.Err() == nil {
				d.note(err.Error())
			}
		}, func(err error) { d.note(err.Error()) })
		select {
		case <-d.more:
		case <-ctx.Done():
			return
		}
	}
}

func (d *development) note(sentence string) {
	if d.opts.Note != nil {
		d.opts.Note(sentence)
	}
}

// prepare returns the functions of a template, with the data that they need.
func (d *development) prepare(ctx context.Context, t *template.Template) ([]runtime.Function, error) {
	if err := token.EnsureSecrets(d.stack.cacheDir, t.Secrets); err != nil {
		return nil, err
	}
	if err := localddb.CreateTables(ctx, d.stack.Endpoint, region, t.Tables); err != nil {
		return nil, err
	}
	functions, err := functionsOf(t, d.opts)
	if err != nil {
		return nil, err
	}
	connect(functions, d.endpoint, d.stack.SQS)
	observe(functions, d.stack.OTLP, d.opts.Telemetry.BusyInterval)
	return functions, nil
}

// connect gives functions the addresses of their DynamoDB and of the queues.
func connect(functions []runtime.Function, endpoint func(function string) string, sqs string) {
	for i := range functions {
		if _, declared := functions[i].Env[envEndpoint]; declared {
			functions[i].Env[envEndpoint] = endpoint(functions[i].Name)
		}
		if _, declared := functions[i].Env[EnvQueues]; declared {
			functions[i].Env[EnvQueues] = sqs
		}
	}
}

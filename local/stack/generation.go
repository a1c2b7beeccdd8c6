package stack

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/tienda-dev/tienda/local/builder"
	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
	"github.com/tienda-dev/tienda/local/template"
)

// generation is one state of the template and of the functions' binaries.
type generation struct {
	*runtime.Runtime
	template  *template.Template
	functions []runtime.Function
	builder   *builder.Builder // nil: everything is built
	api       http.Handler
	flight    sync.WaitGroup // requests
	closed    chan struct{}  // closed by Close, which ends every wait for a build
	closing   sync.Once
}

// Close ends every process, and the wait for a build.
func (g *generation) Close() {
	g.closing.Do(func() { close(g.closed) })
	g.Runtime.Close()
}

// Invoke invokes a function when it is built.
func (g *generation) Invoke(ctx context.Context, function string, payload []byte) (runtime.Result, error) {
	if g.builder != nil {
		if err := g.builder.Await(ctx, g.closed, function); err != nil {
			return runtime.Result{}, fmt.Errorf("wait for the build of %s: %w", function, err)
		}
	}
	return g.Runtime.Invoke(ctx, function, payload)
}

// newGeneration makes a generation that has not started anything yet. The functions are the template's.
func newGeneration(t *template.Template, functions []runtime.Function, opts Options, out *printer) (*generation, error) {
	if err := checkMetricsPath(t); err != nil {
		return nil, err
	}
	lambda, err := runtime.New(runtime.Config{
		Functions: functions, IdleTimeout: opts.IdleTimeout, Log: out.function, Complete: out.complete,
	})
	if err != nil {
		return nil, err
	}
	g := &generation{Runtime: lambda, template: t, functions: functions, builder: opts.Builder, closed: make(chan struct{})}
	if g.api, err = gateway.New(gatewayConfig(t, opts.Unlimited, g, out.access)); err != nil {
		lambda.Close()
		return nil, fmt.Errorf("the template's API cannot be served: %w", err)
	}
	return g, nil
}

// names lists the generation's functions.
func (g *generation) names() []string {
	names := make([]string, 0, len(g.functions))
	for _, f := range g.functions {
		names = append(names, f.Name)
	}
	return names
}

// chosen returns the generation's functions with the given names.
func (g *generation) chosen(names []string) []runtime.Function {
	return slices.DeleteFunc(slices.Clone(g.functions), func(f runtime.Function) bool {
		return !slices.Contains(names, f.Name)
	})
}

// live serves the current generation, and changes to the next one between two requests: each request is
// served by one generation from its start to its end.
type live struct {
	mu       sync.Mutex
	current  *generation
	draining []*generation
	drained  sync.WaitGroup
}

// ServeHTTP implements http.Handler.
func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g := l.enter()
	defer g.flight.Done()
	g.api.ServeHTTP(w, r)
}

// enter returns the current generation with one more request in flight.
func (l *live) enter() *generation {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current.flight.Add(1)
	return l.current
}

// now returns the current generation.
func (l *live) now() *generation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current
}

// swap makes next the current generation. When the last request of the old one has its answer, its
// processes end and over is called.
func (l *live) swap(next *generation, over func()) {
	l.mu.Lock()
	old := l.current
	l.current = next
	l.draining = append(l.draining, old)
	l.mu.Unlock()
	l.drained.Go(func() {
		old.flight.Wait()
		old.Close()
		over()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.draining = slices.DeleteFunc(l.draining, func(g *generation) bool { return g == old })
	})
}

// Close ends every process, with an answer for each request in flight.
func (l *live) Close() {
	l.mu.Lock()
	all := append(slices.Clone(l.draining), l.current)
	l.mu.Unlock()
	for _, g := range all {
		g.Close()
	}
}

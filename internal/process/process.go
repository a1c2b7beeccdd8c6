// Package process is what every program of this repository shares: telemetry, one HTTP client towards AWS, and whatever
// else a process opens once. Functions of routes start through backend or meta, which add the rate limits.
//
// Everything that a function links makes its cold start longer. So what only some functions need has its own
// package: tables, secret, cursors, tokenkeys, sessions.
package process

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/awsclient"
)

// Func serves a function that is not an HTTP route: the authorizer, a worker. It does not return.
func Func[In, Out any](build func(context.Context, *app.Setup) (func(context.Context, In) (Out, error), error)) {
	app.Func(With(traced(build)))
}

// Handler returns the handler of a route without rate limits, as app.Handler does.
func Handler(ctx context.Context, route api.Route, build app.Build, environ map[string]string) (http.Handler, error) {
	return app.Handler(ctx, route, Route(build), environ)
}

// Route runs the build of a route with telemetry and with what the process shares.
func Route(build app.Build, opts ...TelemetryOption) app.Build {
	return With(withTelemetry(build, opts))
}

// With runs build with what the process shares in its context.
func With[T any](build func(context.Context, *app.Setup) (T, error)) func(context.Context, *app.Setup) (T, error) {
	return func(ctx context.Context, s *app.Setup) (T, error) {
		return build(context.WithValue(ctx, onceKey{}, &once{values: map[any]any{}}), s)
	}
}

type onceKey struct{}

// once holds what was opened, by its key.
type once struct {
	mu     sync.Mutex
	values map[any]any
}

// Once returns what open has returned for the key in this process, and calls it the first time. The key is of a
// type of the caller's own. ctx is the context of a build.
func Once[T any](ctx context.Context, key any, open func() (T, error)) (T, error) {
	var none T
	o, ok := ctx.Value(onceKey{}).(*once)
	if !ok {
		return none, errors.New("process: this is not the context of a build that With runs")
	}
	o.mu.Lock()
	value, ok := o.values[key].(T)
	o.mu.Unlock()
	if ok {
		return value, nil
	}
	value, err := open()
	if err != nil {
		return none, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.values[key] = value
	return value, nil
}

type httpKey struct{}

// HTTP returns the process's one HTTP client towards AWS. ctx is the context of a build.
func HTTP(ctx context.Context) (*http.Client, error) {
	return Once(ctx, httpKey{}, func() (*http.Client, error) { return awsclient.NewHTTP(), nil })
}

// Package backend is the door through which every program of this repository starts. What all functions share
// is added here and not in each main.
//
// Everything that a function links makes its cold start longer. So what only some functions need has its own
// package: tables, secret, cursors, tokenkeys, sessions.
package backend

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/awsclient"
)

// Main serves one HTTP route. It does not return.
func Main(route api.Route, build app.Build) { app.Main(route, withTelemetry(withClient(build))) }

// Func serves a function that is not an HTTP route: the authorizer, a worker. It does not return.
func Func[In, Out any](build func(context.Context, *app.Setup) (func(context.Context, In) (Out, error), error)) {
	app.Func(traced(withClient(build)))
}

// Handler returns the handler that Main would serve, as app.Handler does.
func Handler(ctx context.Context, route api.Route, build app.Build, environ map[string]string) (http.Handler, error) {
	return app.Handler(ctx, route, withTelemetry(withClient(build)), environ)
}

// withClient runs build with the process's one HTTP client in its context. The client is made when it is first
// asked for.
func withClient[T any](build func(context.Context, *app.Setup) (T, error)) func(context.Context, *app.Setup) (T, error) {
	return func(ctx context.Context, s *app.Setup) (T, error) {
		return build(context.WithValue(ctx, clientKey{}, sync.OnceValues(awsclient.NewHTTP)), s)
	}
}

type clientKey struct{}

// HTTP returns the process's one HTTP client towards AWS. ctx is the context of a build.
func HTTP(ctx context.Context) (*http.Client, error) {
	client, ok := ctx.Value(clientKey{}).(func() (*http.Client, error))
	if !ok {
		return nil, errors.New("backend: this is not the context of a build that Main, Func or Handler runs")
	}
	return client()
}

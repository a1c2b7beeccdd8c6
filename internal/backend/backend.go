// Package backend is the door through which every program of this repository starts. What all functions share
// enters here, so that a new concern of all of them is an edit in this package and in no main.
//
// What a function links is its cold start. So what only some of them need has a package of its own beside this
// one: tables, secret, cursors, tokenkeys, sessions.
package backend

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/awsclient"
)

// Main serves one HTTP route. It does not return.
func Main(route api.Route, build app.Build) { app.Main(route, through(build)) }

// Handler returns what Main would serve, as app.Handler does.
func Handler(ctx context.Context, route api.Route, build app.Build, environ map[string]string) (http.Handler, error) {
	return app.Handler(ctx, route, through(build), environ)
}

// Func serves a function that is not an HTTP route: the authorizer, a worker. It does not return.
func Func[In, Out any](build func(context.Context, *app.Setup) (func(context.Context, In) (Out, error), error)) {
	app.Func(through(build))
}

// through opens what every function shares and runs build with it.
func through[T any](build func(context.Context, *app.Setup) (T, error)) func(context.Context, *app.Setup) (T, error) {
	return func(ctx context.Context, s *app.Setup) (built T, err error) {
		client, err := awsclient.NewHTTP()
		if err != nil {
			return built, err
		}
		return build(context.WithValue(ctx, clientKey{}, client), s)
	}
}

type clientKey struct{}

// AWS returns who calls AWS, from the environment, with the process's one HTTP client: the context is that of a
// build. Its error names every variable that is missing.
func AWS(ctx context.Context, s *app.Setup) (cfg awsclient.Config, err error) {
	if err := s.Env(&cfg); err != nil {
		return cfg, err
	}
	cfg.HTTP, _ = ctx.Value(clientKey{}).(*http.Client)
	return cfg, nil
}

// Package backend is the door through which every program of this repository starts. What all functions share
// is added here and not in each main.
//
// Everything that a function links makes its cold start longer. So what only some functions need has its own
// package: tables, secret, cursors, tokenkeys, sessions.
package backend

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/awsclient"
)

// Main serves one HTTP route. It does not return.
func Main(route api.Route, build app.Build) { app.Main(route, withClient(build)) }

// Func serves a function that is not an HTTP route: the authorizer, a worker. It does not return.
func Func[In, Out any](build func(context.Context, *app.Setup) (func(context.Context, In) (Out, error), error)) {
	app.Func(withClient(build))
}

// withClient runs build with the process's one HTTP client in its context.
func withClient[T any](build func(context.Context, *app.Setup) (T, error)) func(context.Context, *app.Setup) (T, error) {
	return func(ctx context.Context, s *app.Setup) (built T, err error) {
		client, err := awsclient.NewHTTP()
		if err != nil {
			return built, err
		}
		return build(context.WithValue(ctx, clientKey{}, client), s)
	}
}

type clientKey struct{}

// AWS returns the region and credentials from the environment, and the process's one HTTP client from ctx, the
// context of a build. Its error names every missing variable.
func AWS(ctx context.Context, s *app.Setup) (cfg awsclient.Config, err error) {
	if err := s.Env(&cfg); err != nil {
		return cfg, err
	}
	cfg.HTTP, _ = ctx.Value(clientKey{}).(*http.Client)
	return cfg, nil
}

package app

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/middleware"
)

// BuildMux makes the endpoints of a function with several routes. It runs once, in INIT; an error ends the process,
// and Lambda reports it.
type BuildMux func(ctx context.Context, s *Setup) ([]middleware.Endpoint, error)

// MainMux serves several routes as one Lambda function: behind a Function URL, or behind the routes of an HTTP API,
// one by one or as $default or ANY /{proxy+}. Environment, logger, CORS, loads and warm-ups are as with Main. It does
// not return.
func MainMux(build BuildMux) {
	run(api.Route{}, lambdahttp.Config{}, func(ctx context.Context, s *Setup) (http.Handler, error) {
		return muxHandler(ctx, s, build)
	})
}

// MuxHandler returns the handler that MainMux would serve, as Handler does for Main.
func MuxHandler(ctx context.Context, build BuildMux, environ map[string]string) (http.Handler, error) {
	s, err := newSetup(api.Route{}, environ)
	if err != nil {
		return nil, err
	}
	h, err := muxHandler(ctx, s, build)
	if err != nil {
		return nil, err
	}
	return h, s.load(ctx)
}

func muxHandler(ctx context.Context, s *Setup, build BuildMux) (http.Handler, error) {
	endpoints, err := build(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	return middleware.Mux(s.chain, endpoints...)
}

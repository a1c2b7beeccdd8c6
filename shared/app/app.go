// Package app runs one Lambda process: it reads the environment, builds the function's handler, warms it
// up, and serves events until Lambda ends the environment.
package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/internal/after"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
)

// Build makes a function's handler from what it needs. It runs once, in INIT; an error ends the
// process, and Lambda reports it.
type Build func(ctx context.Context, s *Setup) (api.Handler, error)

// buildTimeout bounds a Build and its loads. If a dependency hangs, the process ends with an error that names it;
// Lambda ends INIT after 10 s without one.
const buildTimeout = 5 * time.Second

// Main serves one HTTP route as a Lambda function. It does not return.
func Main(route api.Route, build Build) {
	run(route, lambdahttp.Config{RouteKey: route.Key()}, func(ctx context.Context, s *Setup) (http.Handler, error) {
		return handler(ctx, s, build)
	})
}

// run builds the handler, runs loads and warm-ups, and serves.
func run(route api.Route, cfg lambdahttp.Config, build func(context.Context, *Setup) (http.Handler, error)) {
	s := mustSetup(route)
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	h, err := build(ctx, s)
	if err == nil {
		err = s.start(ctx)
	}
	cancel()
	if err != nil {
		fail(s, err)
	}
	serve(s, events(s, h, cfg))
}

// events serves events with h, the preflights of a route among them if there is a CORS policy.
func events(s *Setup, h http.Handler, cfg lambdahttp.Config) *lambdahttp.Handler {
	cfg.Preflight = len(s.chain.CORS.AllowOrigins) > 0
	return lambdahttp.New(h, cfg)
}

// Func serves a Lambda function that is not an HTTP route: an authorizer, a worker. In and Out are the event and the answer,
// as encoding/json reads and writes them; it is not asked about an In that is a json.Unmarshaler, nor an Out that is a
// json.Marshaler. Every invocation writes one line, with what f adds to the context's log entry: after its response, or
// before it if f fails. A panic is returned as an error, so that the process lives on. Func does not return.
func Func[In, Out any](build func(ctx context.Context, s *Setup) (func(context.Context, In) (Out, error), error)) {
	s := mustSetup(api.Route{})
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	f, err := build(ctx, s)
	if err == nil {
		err = s.start(ctx)
	}
	cancel()
	if err != nil {
		fail(s, err)
	}
	serve(s, typed(logged(s.logger, f)))
}

// logged runs f with a logger and a log entry in its context, recovers it, and writes the
// invocation's line.
func logged[In, Out any](logger *zap.Logger, f func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	fields := invocationFields()
	return func(ctx context.Context, in In) (out Out, err error) {
		start := time.Now()
		id := ""
		if lc, ok := lambdacontext.FromContext(ctx); ok {
			id = lc.AwsRequestID
		}
		ctx, entry := logging.Begin(ctx, logger, id, fields(ctx)...)
		defer func() {
			logger := logging.From(ctx)
			if value := recover(); value != nil {
				err = logging.Panicked(value)
			}
			took := zap.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000)
			if err != nil {
				line, _ := entry.Snapshot()
				logger.Error("invocation", append(line, took, logging.Error(err))...)
				entry.End()
				return
			}
			line := logger.Check(zap.InfoLevel, "invocation")
			after.Response(ctx, func() {
				defer entry.End()
				fields, _ := entry.Snapshot()
				line.Write(append(fields, took)...)
			})
		}()
		return f(ctx, in)
	}
}

// Handler returns the handler of a route as Main would serve it, with the same chain and loads but without
// warm-ups, for tests and for servers outside Lambda. environ replaces the process's environment. The caller's
// identity comes from identity.WithAuthorizer in the request's context.
func Handler(ctx context.Context, route api.Route, build Build, environ map[string]string) (http.Handler, error) {
	s, err := newSetup(route, environ)
	if err != nil {
		return nil, err
	}
	h, err := handler(ctx, s, build)
	if err != nil {
		return nil, err
	}
	return h, s.load(ctx)
}

func handler(ctx context.Context, s *Setup, build Build) (http.Handler, error) {
	h, err := build(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", s.route.Name, err)
	}
	return middleware.Chain(s.route, s.chain, h)
}

func mustSetup(route api.Route) *Setup {
	s, err := newSetup(route, environment())
	var k knobs
	if err == nil {
		err = s.Env(&k)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "init failed: %v\n", err)
		os.Exit(1)
	}
	k.tune()
	return s
}

func fail(s *Setup, err error) {
	s.logger.Error("init failed", logging.Error(err))
	os.Exit(1)
}

func serve(s *Setup, h lambda.Handler) {
	options := []lambda.Option{lambda.WithContext(after.Base(func(value any) {
		s.logger.Error("work after the response panicked", logging.Error(logging.Panicked(value)))
	}))}
	switch {
	case len(s.shutdown) == 0:
	case s.extended.Load():
		onSIGTERM(s.shutdown)
	default:
		options = append(options, lambda.WithEnableSIGTERM(s.shutdown...))
	}
	lambda.StartWithOptions(s.wrapped(h), options...)
}

// onSIGTERM runs all functions when SIGTERM comes, as lambda.WithEnableSIGTERM does.
func onSIGTERM(all []func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		<-signals
		for _, f := range all {
			f()
		}
	}()
}

// environment returns the process's environment as a map.
func environment() map[string]string {
	m := map[string]string{}
	for _, pair := range os.Environ() {
		if name, value, ok := strings.Cut(pair, "="); ok {
			m[name] = value
		}
	}
	return m
}

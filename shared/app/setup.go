package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/caarlos0/env/v11"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
)

// Setup gives a Build the environment, the logger and the hooks of the process. It imports no store, client or
// exporter, so a function links only what its Build names.
type Setup struct {
	environ  map[string]string
	logger   *zap.Logger
	route    api.Route
	chain    middleware.Config
	loads    []func(context.Context) error
	init     []func(context.Context) error
	shutdown []func()
	extended atomic.Bool
	wrap     []func(lambda.Handler) lambda.Handler
}

// newSetup reads the configuration of the logger and of CORS, and nothing else.
func newSetup(route api.Route, environ map[string]string) (*Setup, error) {
	s := &Setup{environ: environ, route: route}
	var cfg logging.Config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	logger, err := logging.New(cfg, os.Stdout)
	if err != nil {
		return nil, err
	}
	s.logger = logger
	fields := invocationFields()
	s.chain = middleware.Config{
		Logger:        logger,
		LogFields:     func(r *http.Request) []zap.Field { return fields(r.Context()) },
		Authenticator: middleware.GatewayAuthenticator(time.Now),
	}
	if err := s.Env(&s.chain.CORS); err != nil {
		return nil, err
	}
	return s, nil
}

// Env fills dst, a pointer to a struct with `env:"NAME"` tags, from the environment. Its error
// names every variable that is missing or malformed, never a value.
func (s *Setup) Env(dst any) error {
	err := env.ParseWithOptions(dst, env.Options{Environment: s.environ})
	if err == nil {
		return nil
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		return fmt.Errorf("environment: %w", err)
	}
	named := make([]error, 0, len(all.Errors))
	for _, one := range all.Errors {
		named = append(named, describe(one, reflect.TypeOf(dst)))
	}
	return errors.Join(named...)
}

// describe names the variable that is wrong without repeating its value.
func describe(err error, config reflect.Type) error {
	if missing, ok := errors.AsType[env.VarIsNotSetError](err); ok {
		return fmt.Errorf("environment: %s is not set", missing.Key)
	}
	if empty, ok := errors.AsType[env.EmptyVarError](err); ok {
		return fmt.Errorf("environment: %s is empty", empty.Key)
	}
	if malformed, ok := errors.AsType[env.ParseError](err); ok {
		return fmt.Errorf("environment: %s is not a valid %s",
			strings.Join(variables(config, malformed.Name), " or "), malformed.Type)
	}
	return fmt.Errorf("environment: %w", err)
}

// variables returns the names of the variables that fill the fields called field in config and
// the structs inside it.
func variables(config reflect.Type, field string) []string {
	for config.Kind() == reflect.Pointer {
		config = config.Elem()
	}
	if config.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for f := range config.Fields() {
		if tag, ok := f.Tag.Lookup("env"); ok && f.Name == field {
			name, _, _ := strings.Cut(tag, ",")
			names = append(names, name)
		}
		names = append(names, variables(f.Type, field)...)
	}
	return names
}

// Logger returns the process's logger.
func (s *Setup) Logger() *zap.Logger { return s.logger }

// SetLogger replaces the process's logger and the chain's, such as by one that also writes to a collector.
func (s *Setup) SetLogger(logger *zap.Logger) { s.logger, s.chain.Logger = logger, logger }

// Route returns the route that the process serves: the zero Route under Func and MainMux.
func (s *Setup) Route() api.Route { return s.route }

// Chain returns the places of the route's chain, of every route's under MainMux, which a Build may fill or change.
// Logger, log fields, CORS from the environment and the gateway's authenticator are filled. Func makes no chain.
func (s *Setup) Chain() *middleware.Config { return &s.chain }

// Load adds a step that must succeed before the process serves, such as reading a secret. After Build, all loads
// and warm-ups run in parallel; an error of a load ends the process.
func (s *Setup) Load(load func(context.Context) error) { s.loads = append(s.loads, load) }

// OnInit adds a warm-up: a read-only call that is slow the first time, such as the first TLS connection. Warm-ups
// run in parallel in INIT, where the CPU is not throttled, for at most one second. Failures are only logged, at
// debug level.
func (s *Setup) OnInit(warm func(context.Context) error) { s.init = append(s.init, warm) }

// OnShutdown adds a function that runs when Lambda ends the environment. It has less than 500 ms.
func (s *Setup) OnShutdown(f func()) { s.shutdown = append(s.shutdown, f) }

// SetExtended notes that the process has registered an extension of Lambda's. Lambda then sends SIGTERM, and the process
// needs no extension for that alone.
func (s *Setup) SetExtended() { s.extended.Store(true) }

// Wrap puts w around the Lambda handler. The first one added is the outermost.
func (s *Setup) Wrap(w func(lambda.Handler) lambda.Handler) { s.wrap = append(s.wrap, w) }

// initTimeout bounds all warm-ups together. INIT may take 10 s in all.
const initTimeout = time.Second

// start runs the loads and the warm-ups in parallel, and returns the first error of a load.
func (s *Setup) start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	warmed := make(chan struct{})
	go func() {
		defer close(warmed)
		s.warm(ctx)
	}()
	err := s.load(ctx)
	if err != nil {
		cancel()
	}
	<-warmed
	return err
}

func (s *Setup) load(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, load := range s.loads {
		group.Go(func() error { return load(ctx) })
	}
	return group.Wait()
}

func (s *Setup) warm(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()
	var group errgroup.Group
	for _, warm := range s.init {
		group.Go(func() error {
			if err := warm(ctx); err != nil {
				s.logger.Debug("warm-up failed", logging.Error(err))
			}
			return nil
		})
	}
	_ = group.Wait() // every warm-up logs its own failure
}

func (s *Setup) wrapped(h lambda.Handler) lambda.Handler {
	for _, v := range slices.Backward(s.wrap) {
		h = v(h)
	}
	return h
}

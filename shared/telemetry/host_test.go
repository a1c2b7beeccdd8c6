package telemetry_test

import (
	"context"
	"io"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/caarlos0/env/v11"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/telemetry"
)

// host is a process that Start is called in.
type host struct {
	environ  map[string]string
	chain    middleware.Config
	wrap     func(lambda.Handler) lambda.Handler
	shutdown []func()
	warm     []func(context.Context) error
	extended bool
}

var _ telemetry.Host = (*host)(nil)

func newHost(environ map[string]string) *host {
	logger, err := logging.New(logging.Config{}, io.Discard)
	if err != nil {
		panic(err)
	}
	return &host{environ: environ, chain: middleware.Config{Logger: logger}}
}

func (h *host) Env(dst any) error {
	return env.ParseWithOptions(dst, env.Options{Environment: h.environ})
}
func (h *host) SetLogger(l *zap.Logger)                    { h.chain.Logger = l }
func (h *host) Route() api.Route                           { return api.Route{} }
func (h *host) Chain() *middleware.Config                  { return &h.chain }
func (h *host) Wrap(w func(lambda.Handler) lambda.Handler) { h.wrap = w }
func (h *host) OnShutdown(f func())                        { h.shutdown = append(h.shutdown, f) }
func (h *host) OnInit(warm func(context.Context) error)    { h.warm = append(h.warm, warm) }
func (h *host) SetExtended()                               { h.extended = true }

// init runs the warm-ups.
func (h *host) init(t *testing.T) {
	t.Helper()
	for _, warm := range h.warm {
		if err := warm(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

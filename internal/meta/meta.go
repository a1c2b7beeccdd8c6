// Package meta is the door through which functions of class policy.RateMeta start: probes, public keys, routes that do not
// exist. They must answer without a database, so each instance counts its requests in memory.
package meta

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/internal/observe"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
)

// Main serves one HTTP route. It does not return.
func Main(route api.Route, build app.Build) { app.Main(route, process.Route(limited(build))) }

// Handler returns the handler that Main would serve, as app.Handler does.
func Handler(ctx context.Context, route api.Route, build app.Build, environ map[string]string) (http.Handler, error) {
	return app.Handler(ctx, route, process.Route(limited(build)), environ)
}

func limited(build app.Build) app.Build {
	return func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		if err := limit(s); err != nil {
			return nil, err
		}
		return build(ctx, s)
	}
}

// limit fills the chain's place for the limit of addresses.
func limit(s *app.Setup) error {
	class, ok := policy.ClassOf(s.Route().Rate)
	if !ok || class.Rate != policy.RateMeta {
		return fmt.Errorf("route %q: the rate class %q is not the one of package meta", s.Route().Name, s.Route().Rate)
	}
	var switches ratelimit.Switches
	cfg := ratelimithttp.Config{}
	if err := s.Env(&switches); err != nil {
		return err
	}
	if err := s.Env(&cfg); err != nil {
		return err
	}
	limiter := ratelimit.Disabled()
	if policies := switches.Apply(class.IP); len(policies) > 0 {
		memory, err := ratelimitmem.New(policies, ratelimitmem.Config{})
		if err != nil {
			return err
		}
		limiter = ratelimit.Observe(memory, observe.Decisions(policies), time.Now)
	}
	cfg.Rules = []ratelimithttp.Rule{{Key: ratelimithttp.IPKey(), Limiter: limiter}}
	layer, err := ratelimithttp.Middleware(cfg)
	if err != nil {
		return err
	}
	s.Chain().RateLimitIP = layer
	return nil
}

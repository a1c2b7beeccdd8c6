// Package backend is the door through which every function of a route starts, except those of class policy.RateMeta. What
// all of them share is added here and not in each main: the route's rate limits, and the records of its idempotency keys.
package backend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencyddb"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
)

// Main serves one HTTP route. It does not return. opts are for a route that shows telemetry.
func Main(route api.Route, build app.Build, opts ...process.TelemetryOption) {
	app.Main(route, process.Route(guarded(build), opts...))
}

// Handler returns the handler that Main would serve, as app.Handler does.
func Handler(ctx context.Context, route api.Route, build app.Build, environ map[string]string) (http.Handler, error) {
	return app.Handler(ctx, route, process.Route(guarded(build)), environ)
}

// guarded runs build after it has filled the chain's places for the route's rate limits and idempotency keys.
func guarded(build app.Build) app.Build {
	return func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		if err := errors.Join(limit(ctx, s), remember(ctx, s)); err != nil {
			return nil, err
		}
		return build(ctx, s)
	}
}

// remember fills the place of a route whose requests have idempotency keys. The records are in the commerce table, so that
// they can be in the transactions of the effects.
func remember(ctx context.Context, s *app.Setup) error {
	if s.Route().Idempotency == api.KeyIgnored {
		return nil
	}
	table, err := tables.Shared(ctx, s)
	if err != nil {
		return err
	}
	s.Chain().Idempotency = idempotency.Middleware(idempotencyddb.New(table), time.Now)
	return nil
}

// limit fills the place before the caller is known for a limit of addresses only, and otherwise the one after: API
// Gateway has authenticated the caller before the function runs, so both limits are asked in parallel.
func limit(ctx context.Context, s *app.Setup) error {
	class, ok := policy.ClassOf(s.Route().Rate)
	if !ok || class.Rate == policy.RateMeta {
		return fmt.Errorf("route %q: the rate class %q is not one of package backend", s.Route().Name, s.Route().Rate)
	}
	cfg := ratelimithttp.Config{}
	if err := s.Env(&cfg); err != nil {
		return err
	}
	ip, closed := ratelimithttp.IPKey(), class.OnError == ratelimit.Closed
	if class.IP != nil {
		limiter, err := Limiter(ctx, s, class.IP, class.OnError)
		if err != nil {
			return err
		}
		cfg.Rules = append(cfg.Rules, ratelimithttp.Rule{Key: ip, Limiter: limiter, Closed: closed, Hide: class.Hide})
	}
	if class.User != nil {
		limiter, err := Limiter(ctx, s, class.User, class.OnError)
		if err != nil {
			return err
		}
		cfg.Rules = append(cfg.Rules, ratelimithttp.Rule{Key: ratelimithttp.UserKey(ip), Limiter: limiter, Closed: closed})
	}
	layer, err := ratelimithttp.Middleware(cfg)
	if err != nil {
		return err
	}
	if class.User == nil {
		s.Chain().RateLimitIP = layer
	} else {
		s.Chain().RateLimitSubject = layer
	}
	return nil
}

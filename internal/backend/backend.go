// Package backend is the door through which every function of a route starts, except those of class policy.RateMeta. What
// all of them share is added here and not in each main: the route's rate limits.
package backend

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
)

// Main serves one HTTP route. It does not return. opts are for a route that shows telemetry.
func Main(route api.Route, build app.Build, opts ...process.TelemetryOption) {
	app.Main(route, process.Route(limited(build), opts...))
}

// Handler returns the handler that Main would serve, as app.Handler does.
func Handler(ctx context.Context, route api.Route, build app.Build, environ map[string]string) (http.Handler, error) {
	return app.Handler(ctx, route, process.Route(limited(build)), environ)
}

// limited runs build after it has filled the chain's places for the route's rate limits.
func limited(build app.Build) app.Build {
	return func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		if err := limit(ctx, s); err != nil {
			return nil, err
		}
		return build(ctx, s)
	}
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

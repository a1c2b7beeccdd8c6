// Package health answers probes: whether the API works, whether a function is alive, and whether
// it is ready to serve.
package health

import (
	"context"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/healthcheck"
)

// The routes of the probes. They are public and tell no internals.
var (
	GetHealthRoute = api.Route{
		Name: "get-health", Method: http.MethodGet, Path: "/health", Auth: api.Public,
	}
	GetLivenessRoute = api.Route{
		Name: "get-liveness", Method: http.MethodGet, Path: "/health/live", Auth: api.Public,
	}
	GetReadinessRoute = api.Route{
		Name: "get-readiness", Method: http.MethodGet, Path: "/health/ready", Auth: api.Public,
	}
)

// Routes returns every route of the package.
func Routes() []api.Route {
	return []api.Route{GetHealthRoute, GetLivenessRoute, GetReadinessRoute}
}

// minTempSpace is the space in /tmp, in bytes, below which the service is degraded. Lambda gives
// 512 MB.
const minTempSpace = 16 << 20

// Table is a table that can be read.
type Table interface {
	// Warm reads from the table and changes nothing.
	Warm(ctx context.Context) error
}

// GetHealth answers with the state of everything the API stands on: 503 when the commerce table
// cannot be read (DOWN), 200 with DEGRADED when only /tmp is full, else 200 with UP.
func GetHealth(commerce Table, now func() time.Time) (api.Handler, error) {
	return probe(now, tableCheck(commerce), healthcheck.Check{
		Name: "tmp", Run: healthcheck.TempSpace(minTempSpace),
	})
}

// GetLiveness answers 200 as long as the process can answer at all. It asks nobody.
func GetLiveness(now func() time.Time) (api.Handler, error) {
	return probe(now)
}

// GetReadiness answers 503 when a request could not be served: the commerce table cannot be read.
func GetReadiness(commerce Table, now func() time.Time) (api.Handler, error) {
	return probe(now, tableCheck(commerce))
}

func tableCheck(commerce Table) healthcheck.Check {
	return healthcheck.Check{Name: "commerce_table", Critical: true, Timeout: 2 * time.Second, Run: commerce.Warm}
}

func probe(now func() time.Time, checks ...healthcheck.Check) (api.Handler, error) {
	checker, err := healthcheck.New(checks, healthcheck.Config{}, now)
	if err != nil {
		return nil, err
	}
	return checker.Handler(), nil
}

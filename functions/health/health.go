// Package health answers probes: whether the API works, whether a function is alive, and whether
// it is ready to serve. It shows the metrics of one process, too.
package health

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/healthcheck"
)

// minTempSpace is the space in /tmp, in bytes, below which the service is degraded. Lambda gives
// 512 MB.
const minTempSpace = 16 << 20

// Table is a table that can be read.
type Table interface {
	// Warm reads from the table and changes nothing.
	Warm(ctx context.Context) error
}

// Tables are the tables that the API needs.
type Tables struct {
	// Commerce holds what is sold.
	Commerce Table
	// Auth holds users and sessions: without it no token can be checked.
	Auth Table
}

// GetHealth answers with the state of everything the API needs: 503 when a table cannot be read
// (DOWN), 200 with DEGRADED when only /tmp is full, else 200 with UP.
func GetHealth(tables Tables, now func() time.Time) (api.Handler, error) {
	return probe(now, append(tables.checks(), healthcheck.Check{
		Name: "tmp", Run: healthcheck.TempSpace(minTempSpace),
	})...)
}

// GetLiveness answers 200 as long as the process can answer at all. It checks nothing else.
func GetLiveness(now func() time.Time) (api.Handler, error) {
	return probe(now)
}

// GetReadiness answers 503 when a request could not be served: a table cannot be read.
func GetReadiness(tables Tables, now func() time.Time) (api.Handler, error) {
	return probe(now, tables.checks()...)
}

func (t Tables) checks() []healthcheck.Check {
	check := func(name string, table Table) healthcheck.Check {
		return healthcheck.Check{Name: name, Critical: true, Timeout: 2 * time.Second, Run: table.Warm}
	}
	return []healthcheck.Check{check("commerce_table", t.Commerce), check("auth_table", t.Auth)}
}

func probe(now func() time.Time, checks ...healthcheck.Check) (api.Handler, error) {
	checker, err := healthcheck.New(checks, healthcheck.Config{}, now)
	if err != nil {
		return nil, err
	}
	return checker.Handler(), nil
}

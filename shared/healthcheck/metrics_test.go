package healthcheck_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/healthcheck"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// TestChecksAndTheirReportAreMeasured has one caller that runs the checks, one that waits for them, one that waits too
// long, and one that gets the kept report.
func TestChecksAndTheirReportAreMeasured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, recorded := metricstest.New(t)
		c := newChecker(t, healthcheck.Config{}, healthcheck.Check{Name: "table", Run: deaf(100 * time.Millisecond)}, healthcheck.Check{Name: "disk", Run: fails})
		for _, patience := range []time.Duration{time.Second, time.Second, time.Millisecond} {
			go func() {
				limited, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				_, _ = c.Report(limited)
			}()
			synctest.Wait()
		}
		time.Sleep(time.Second)
		if _, err := c.Report(ctx); err != nil {
			t.Fatal(err)
		}

		want := map[string]float64{
			metrics.CacheRequests + " health_report hit":   1,
			metrics.CacheRequests + " health_report miss":  2,
			metrics.CacheRequests + " health_report error": 1,
			metrics.CacheLoadDuration + " health_report":   1,
			metrics.CacheEntries + " health_report":        1,
			metrics.CacheEvictions + " health_report":      0,
			metrics.HealthCheckStatus + " table":           1,
			metrics.HealthCheckStatus + " disk":            0,
			metrics.HealthCheckDuration + " table":         1,
			metrics.HealthCheckDuration + " disk":          1,
		}
		got := recorded.Series(t, metrics.CacheRequests, metrics.CacheLoadDuration, metrics.CacheEntries, metrics.CacheEvictions, metrics.HealthCheckStatus, metrics.HealthCheckDuration)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("series (-want +got):\n%s", diff)
		}
	})
}

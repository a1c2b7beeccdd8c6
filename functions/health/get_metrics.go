package health

import (
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

// Metrics are those of a process.
type Metrics interface {
	// Scrape answers with all of them. It writes nothing if it returns an error.
	Scrape(w http.ResponseWriter, r *http.Request) error
}

// GetMetrics answers 200 with the metrics of the process that the request happens to reach, in Prometheus' text format
// or in OpenMetrics. The sums over all processes are in the collector.
func GetMetrics(metrics Metrics) api.Handler { return metrics.Scrape }

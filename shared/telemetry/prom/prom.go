// Package prom serves the metrics of this process to Prometheus. It is for servers and for a look at one process: on
// Lambda a request reaches one of many environments, so the truth about all of them is in the collector. It has its
// own package because client_golang costs a function 2 MB and 1 ms of INIT.
package prom

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// Endpoint is a registry and what fills it.
type Endpoint struct {
	// Reader is what telemetry.WithReader takes.
	Reader sdkmetric.Reader
	// Registry takes further collectors.
	Registry *prometheus.Registry
}

// New returns an endpoint with a registry of its own.
func New() (*Endpoint, error) {
	registry := prometheus.NewRegistry()
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, fmt.Errorf("prom: %w", err)
	}
	return &Endpoint{Reader: reader, Registry: registry}, nil
}

// Handler answers a scrape in Prometheus' text format, or in OpenMetrics, with exemplars, to a client that accepts
// it. Let only roles that may see all numbers of the shop call it. X-Metrics-Scope says that they are one process's.
func (e *Endpoint) Handler() http.Handler {
	scrape := promhttp.HandlerFor(e.Registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Metrics-Scope", "instance")
		w.Header().Set("Cache-Control", "no-store")
		scrape.ServeHTTP(w, r)
	})
}

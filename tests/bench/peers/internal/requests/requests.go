// Package requests counts requests and their durations with client_golang.
package requests

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are the metrics of all requests.
type Metrics struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// New returns metrics in the registry.
// https://prometheus.io/docs/guides/go-application/#adding-your-own-metrics
func New(registry *prometheus.Registry) Metrics {
	factory := promauto.With(registry) // https://pkg.go.dev/github.com/prometheus/client_golang/prometheus/promauto#With
	return Metrics{
		total: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Requests by route and status.",
		}, []string{"method", "route", "status"}),
		duration: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "Durations of requests.", Buckets: prometheus.DefBuckets,
		}, []string{"method", "route"}),
	}
}

// Observe counts a request.
// https://pkg.go.dev/github.com/prometheus/client_golang/prometheus#CounterVec.WithLabelValues
func (m Metrics) Observe(method, route string, status int, took time.Duration) {
	m.total.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(method, route).Observe(took.Seconds())
}

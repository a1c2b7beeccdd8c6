// Package prom serves the metrics of this process to Prometheus. It is for servers and for a look at one process: on
// Lambda a request reaches one of many environments, so the truth about all of them is in the collector. It has its
// own package because client_golang costs a function 2 MB and 1 ms of INIT.
package prom

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// HeaderScope says whose metrics an answer has.
const HeaderScope = "X-Metrics-Scope"

// ScopeInstance is the HeaderScope of metrics of one process.
const ScopeInstance = "instance"

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

// Scrape answers in Prometheus' text format, or in OpenMetrics, with exemplars, to a client that accepts it. Let only
// roles that may see all numbers of the shop call it. X-Metrics-Scope says that they are one process's. It writes
// nothing if it returns an error. It is an api.Handler.
func (e *Endpoint) Scrape(w http.ResponseWriter, r *http.Request) error {
	families, err := e.Registry.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	// Not Protobuf, which API Gateway would need as base64, and no compression: the client of one process's metrics
	// is a person.
	format := expfmt.NegotiateAccept(r.Header, expfmt.FmtOpenMetrics_1_0_0, expfmt.FmtOpenMetrics_0_0_1, expfmt.FmtText)
	var body bytes.Buffer
	enc := expfmt.NewEncoder(&body, format)
	for _, family := range families {
		if err := enc.Encode(family); err != nil {
			return fmt.Errorf("encode %s: %w", family.GetName(), err)
		}
	}
	if end, ok := enc.(expfmt.Closer); ok { // OpenMetrics ends with a line of its own
		if err := end.Close(); err != nil {
			return fmt.Errorf("encode metrics: %w", err)
		}
	}
	h := w.Header()
	h.Set("Content-Type", string(format))
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept")
	h.Set(HeaderScope, ScopeInstance)
	_, _ = w.Write(body.Bytes())
	return nil
}

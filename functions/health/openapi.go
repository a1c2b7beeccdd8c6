//go:build openapi

package health

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/healthcheck"
)

// OpenAPI describes the probes for the API's document.
func OpenAPI() openapi.Resource {
	probe := func(route api.Route, summary string) openapi.Operation {
		return openapi.Operation{
			Route: route, Summary: summary,
			Responses: []openapi.Response{
				{Status: http.StatusOK, Description: "The service can work.", Body: healthcheck.Report{}, Example: true},
				{Status: http.StatusServiceUnavailable, Description: "The service cannot work.", Body: healthcheck.Report{}},
			},
		}
	}
	return openapi.Resource{
		Name:        "health",
		Description: "Probes for load balancers and people, and metrics.",
		Schemas: []openapi.Schema{
			{Name: "HealthReport", Value: healthcheck.Report{}},
			{Name: "HealthCheck", Value: healthcheck.Result{}},
			{Name: "HealthStatus", Value: healthcheck.Up, Members: map[string]openapi.Rules{
				"": openapi.OneOf(healthcheck.Up, healthcheck.Degraded, healthcheck.Down),
			}},
		},
		Operations: []openapi.Operation{
			probe(GetHealthRoute, "Check everything that the API needs"),
			probe(GetLivenessRoute, "Check that a function can answer"),
			probe(GetReadinessRoute, "Check that requests can be served"),
			{
				Route: GetMetricsRoute, Summary: "Read the metrics of one instance",
				Description: "Those of the instance that the request happens to reach. The sums over all instances are in the collector.",
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The metrics, in Prometheus' text format, or in OpenMetrics if Accept prefers it.", Body: "",
					Types: []string{"text/plain", "application/openmetrics-text"},
					Headers: []openapi.ResponseHeader{{
						Name: "X-Metrics-Scope", Description: "Whose metrics they are.", Rules: openapi.Rules{Enum: []any{"instance"}},
					}},
				}},
			},
		},
	}
}

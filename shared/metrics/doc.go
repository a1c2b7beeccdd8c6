// Package metrics holds the catalogue of the metrics and records them with the OpenTelemetry API. Where they go
// is shared/telemetry's concern; without it they go nowhere and cost a few nanoseconds.
//
// Every attribute has a bounded set of values: a route's template, a status, a name from the code. What a client
// sends never becomes one. Other values are recorded as [Other].
package metrics

//go:generate go run ../../tools/metricspage

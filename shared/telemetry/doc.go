// Package telemetry exports spans, metrics and log records, and is the only importer of the OpenTelemetry SDK.
//
// [Start] builds everything once, in INIT. An internal Lambda extension exports after the response has left, so that
// no response waits for a collector; an environment that is busy exports once per second (TELEMETRY_BUSY_INTERVAL). After an
// error, before the deadline, after a panic and at SIGTERM the export happens at once.
// Every export is bounded in time. A collector that is slow, dead or refusing fails no request: what cannot be kept
// is counted (telemetry.dropped) and logged once.
//
// Without an endpoint there is no exporter, no extension and no goroutine; requests still have ids of traces.
package telemetry

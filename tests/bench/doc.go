// Package bench measures the cost of identity as ratios: a bad token against a good one, a decision with a
// session check against one without, a public-key algorithm against HS256. Both sides run in one benchmark, so
// that other load on the machine affects them equally. `make bench-code` prints the ratios.
//
// It measures telemetry too: `make bench-telemetry`. Short calls are compared by medians; INIT by CPU time of built
// functions as processes, with the same main without telemetry, and with OpenTelemetry's own exporters.
//
// It also counts what rate limits write to DynamoDB, on simulated traffic: `make bench-ratelimit` prints it.
package bench

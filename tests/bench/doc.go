// Package bench measures the cost of identity as ratios: a bad token against a good one, a decision with a
// session check against one without, a public-key algorithm against HS256. Both sides run in one benchmark, so
// that other load on the machine affects them equally. `make bench` prints the ratios.
//
// It also counts what rate limits write to DynamoDB, on simulated traffic: `make bench-ratelimit` prints it.
package bench

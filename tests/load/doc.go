// Package load drives the running API as shops do, at rising rates: the whole stack on this machine, with vegeta as its
// client. `make load` runs it (build tag load). It asserts counts and never times: what a rate limit admits, and that the
// functions' metrics equal what the client has counted. It reports where latency leaves its floor, and which process used
// the processors then.
package load

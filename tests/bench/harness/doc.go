// Package harness runs built Lambda functions as processes, and measures them: their INIT, the time from an event to its
// response, the CPU time of all their threads, their memory, and the requests that they send to backends.
//
// Its Runtime API, Extensions API and backends are written by hand on TCP connections: net/http in this process would
// take processor time from the function, and add its own variance to what is measured.
package harness

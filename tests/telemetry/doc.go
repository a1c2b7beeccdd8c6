// Package telemetry tests what leaves a function's process: built binaries run under the emulated Runtime API, are
// frozen and killed, and export to a receiver that decodes OTLP.
package telemetry

package metrics

import (
	"context"
	"time"
)

// Invocation is one invocation of the function.
type Invocation struct {
	// Trigger is "http" or "other".
	Trigger string
	// Failed is set when it returned an error.
	Failed bool
	// Took is its time, CPU the process's CPU time during it; 0 is unknown.
	Took, CPU time.Duration
	// Memory is what the process has from the system, in bytes; 0 is unknown.
	Memory int64
}

// Invoked records an invocation that has ended.
func (m *Metrics) Invoked(ctx context.Context, i Invocation) {
	v := values{i.Trigger}
	m.observe(ctx, FaaSInvokeDuration, seconds(i.Took), v)
	if i.Failed {
		m.count(ctx, FaaSErrors, 1, v)
	} else {
		m.count(ctx, FaaSInvocations, 1, v)
	}
	if i.CPU > 0 {
		m.observe(ctx, FaaSCPUUsage, seconds(i.CPU), v)
	}
	if i.Memory > 0 {
		m.observe(ctx, FaaSMemUsage, float64(i.Memory), v)
	}
}

// ColdStart records the first invocation of an environment and how long INIT took.
func (m *Metrics) ColdStart(ctx context.Context, trigger string, initialised time.Duration) {
	m.count(ctx, FaaSColdstarts, 1, values{trigger})
	m.observe(ctx, FaaSInitDuration, seconds(initialised), values{trigger})
}

// TimedOut counts an invocation that is about to run into the function's timeout.
func (m *Metrics) TimedOut(ctx context.Context, trigger string) {
	m.count(ctx, FaaSTimeouts, 1, values{trigger})
}

// Flushed records an export of telemetry: post_response, inline, deadline or shutdown.
func (m *Metrics) Flushed(ctx context.Context, mode string, took time.Duration) {
	m.observe(ctx, TelemetryFlushDuration, seconds(took), values{mode})
}

// FlushFailed counts an export that failed. signal is traces, metrics or logs; reason is a name from the code.
func (m *Metrics) FlushFailed(ctx context.Context, signal, reason string) {
	m.count(ctx, TelemetryFlushFailures, 1, values{signal, reason})
}

// Dropped counts items of a signal that were dropped.
func (m *Metrics) Dropped(ctx context.Context, signal, reason string, n int) {
	m.count(ctx, TelemetryDropped, int64(n), values{signal, reason})
}

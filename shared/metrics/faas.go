package metrics

import (
	"context"
	"time"
)

// Outcome is how an invocation ended.
type Outcome int

// The outcomes. Each invocation has one.
const (
	// Succeeded is an invocation that returned an answer, whatever its HTTP status.
	Succeeded Outcome = iota
	// Failed is one that returned an error to Lambda, or panicked.
	Failed
	// TimedOut is one that had not ended shortly before the function's timeout.
	TimedOut
)

// Invocation is one invocation of the function.
type Invocation struct {
	// Trigger is "http" or "other".
	Trigger string
	Outcome Outcome
	// Took is its time, CPU the process's CPU time during it; 0 is unknown.
	Took, CPU time.Duration
	// Memory is what the process has from the system, in bytes; 0 is unknown.
	Memory int64
}

// Invoked records an invocation that has ended, or that Lambda is about to end. Call it once for each.
func (m *Metrics) Invoked(ctx context.Context, i Invocation) {
	v := values{i.Trigger}
	m.in().faasInvokeDuration.record(ctx, seconds(i.Took), v)
	switch i.Outcome {
	case Succeeded:
		m.in().faasInvocations.add(ctx, 1, v)
	case Failed:
		m.in().faasErrors.add(ctx, 1, v)
	case TimedOut:
		m.in().faasTimeouts.add(ctx, 1, v)
	}
	if i.CPU > 0 {
		m.in().faasCPUUsage.record(ctx, seconds(i.CPU), v)
	}
	if i.Memory > 0 {
		m.in().faasMemUsage.record(ctx, float64(i.Memory), v)
	}
}

// ColdStart records the first invocation of an environment and how long INIT took.
func (m *Metrics) ColdStart(ctx context.Context, trigger string, initialised time.Duration) {
	m.in().faasColdstarts.add(ctx, 1, values{trigger})
	m.in().faasInitDuration.record(ctx, seconds(initialised), values{trigger})
}

// Flushed records an export of telemetry: post_response, inline, panic, deadline or shutdown.
func (m *Metrics) Flushed(ctx context.Context, mode string, took time.Duration) {
	m.in().telemetryFlushDuration.record(ctx, seconds(took), values{mode})
}

// FlushFailed counts an export that failed. signal is traces, metrics or logs; reason is a name from the code.
func (m *Metrics) FlushFailed(ctx context.Context, signal, reason string) {
	m.in().telemetryFlushFailures.add(ctx, 1, values{signal, reason})
}

// Dropped counts items of a signal that were dropped.
func (m *Metrics) Dropped(ctx context.Context, signal, reason string, n int) {
	m.in().telemetryDropped.add(ctx, int64(n), values{signal, reason})
}

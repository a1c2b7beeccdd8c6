package telemetry

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/shared/telemetry/internal/otlp"
)

// The values of telemetry.flush.mode.
const (
	// modePost is after the response, from the extension.
	modePost = "post_response"
	// modeInline is before the response: without an extension, and after a panic.
	modeInline = "inline"
	// modeDeadline is shortly before Lambda ends the invocation.
	modeDeadline = "deadline"
	// modeShutdown is at SIGTERM.
	modeShutdown = "shutdown"
)

const (
	firstPause = 250 * time.Millisecond
	longPause  = 30 * time.Second
)

// Flush exports everything that has been recorded, within ctx and the configured timeout. It is for servers outside
// Lambda; on Lambda it happens by itself.
func (t *Telemetry) Flush(ctx context.Context) { t.flush(ctx, modeInline, t.cfg.timeout()) }

// flush exports all signals in parallel, for at most limit. After a failure, exports pause: a collector that hangs
// would otherwise occupy the environment for the whole limit after every invocation. Nothing is lost by the pause
// while there is room. The last exports of an environment do not wait for it.
func (t *Telemetry) flush(ctx context.Context, mode string, limit time.Duration) {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	last := mode == modeDeadline || mode == modeShutdown
	start := t.now()
	if !last && start.Before(t.resumeAt) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	var group sync.WaitGroup
	failed := make([]bool, 3)
	group.Go(func() { failed[0] = t.flushSpans(ctx) })
	group.Go(func() { failed[1] = t.flushMetrics(ctx, start, last) })
	group.Go(func() { failed[2] = t.flushLogs(ctx) })
	group.Wait()

	end := t.now()
	t.Metrics.Flushed(ctx, mode, end.Sub(start))
	if failed[0] || failed[1] || failed[2] {
		t.resumeAt = end.Add(min(longPause, firstPause<<min(t.failures, 10)))
		t.failures++
		return
	}
	t.failures = 0
}

func (t *Telemetry) flushSpans(ctx context.Context) (failed bool) {
	if t.spans == nil {
		return false
	}
	items, dropped := t.spans.take()
	t.drop(ctx, signalTraces, "queue_full", dropped)
	if len(items) == 0 {
		return false
	}
	retry, failed := t.deliver(ctx, signalTraces, t.encoderOf(signalTraces).Spans(items), len(items))
	if retry {
		t.spans.giveBack(items)
	}
	return failed
}

func (t *Telemetry) flushLogs(ctx context.Context) (failed bool) {
	if t.records == nil {
		return false
	}
	items, dropped := t.records.take()
	t.drop(ctx, signalLogs, "queue_full", dropped)
	if len(items) == 0 {
		return false
	}
	retry, failed := t.deliver(ctx, signalLogs, t.encoderOf(signalLogs).Logs(items), len(items))
	if retry {
		t.records.giveBack(items)
	}
	return failed
}

// flushMetrics exports the metrics. They are cumulative: the next export repairs one that failed.
func (t *Telemetry) flushMetrics(ctx context.Context, now time.Time, last bool) (failed bool) {
	if t.reader == nil {
		return false
	}
	interval := time.Duration(t.cfg.MetricIntervalMS) * time.Millisecond
	if !last && now.Sub(t.metricsAt) < interval {
		return false
	}
	collected := t.collect(ctx)
	if t.emf != nil {
		if err := t.emf.write(ctx, collected, now); err != nil {
			t.report(signalMetrics, "emf", err)
		}
		t.metricsAt = now
		return false
	}
	request, points := t.encoderOf(signalMetrics).Metrics(collected)
	if points == 0 {
		return false
	}
	retry, failed := t.deliver(ctx, signalMetrics, request, points)
	if !failed && !retry {
		t.metricsAt = now
	}
	return failed
}

// deliver sends a request with n items. It returns whether the items should be sent again, and whether the collector
// should be left alone for a while.
func (t *Telemetry) deliver(ctx context.Context, signal string, request []byte, n int) (retry, failed bool) {
	err := t.sinks[signal].send(ctx, request)
	if err == nil {
		return false, false
	}
	if rejected, ok := errors.AsType[*partialError](err); ok {
		t.report(signal, "rejected", err)
		t.drop(ctx, signal, "rejected", rejected.rejected)
		return false, false
	}
	reason := "error"
	if sent, ok := errors.AsType[*sendError](err); ok {
		reason, retry = sent.reason, sent.retry
	}
	t.report(signal, reason, err)
	t.Metrics.FlushFailed(ctx, signal, reason)
	if !retry && signal != signalMetrics {
		t.drop(ctx, signal, reason, n)
	}
	return retry, retry
}

// drop counts and logs what is lost.
func (t *Telemetry) drop(ctx context.Context, signal, reason string, n int) {
	if n == 0 {
		return
	}
	t.Metrics.Dropped(ctx, signal, reason, n)
	t.report(signal, "dropped", errors.New(reason))
}

// encoderOf returns the encoder of a signal: what goes to stdout is JSON, whatever the protocol.
func (t *Telemetry) encoderOf(signal string) otlp.Encoder {
	e := t.encoder
	if _, ok := t.sinks[signal].(*writerSink); ok {
		e.JSON = true
	}
	return e
}

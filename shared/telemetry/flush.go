package telemetry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/shared/telemetry/internal/otlp"
	"github.com/tienda-dev/tienda/shared/tracing"
)

// The values of telemetry.flush.mode.
const (
	// modePost is after the response, from the extension.
	modePost = "post_response"
	// modeInline is in the invocation itself, in a process without an extension.
	modeInline = "inline"
	// modePanic is before the process ends with a panic.
	modePanic = "panic"
	// modeDeadline is shortly before Lambda ends the invocation.
	modeDeadline = "deadline"
	// modeShutdown is at SIGTERM.
	modeShutdown = "shutdown"
)

const (
	firstPause = 250 * time.Millisecond
	longPause  = 30 * time.Second
	// askedPause is the longest pause that a collector may ask for.
	askedPause = 5 * time.Minute
	// idleLimit is how long a connection is used again. The environment may have been frozen for hours, and the
	// transport's own timer stands still meanwhile.
	idleLimit = 10 * time.Second
)

// pause is what a signal waits for after exports that failed.
type pause struct {
	failures int
	until    time.Time
}

// outcome is how an export ended.
type outcome struct {
	// retry is whether the same items should be sent again.
	retry bool
	// failed is whether the collector should be left alone for a while, at least for as long as it asked for.
	failed bool
	asked  time.Duration
}

// Flush exports everything that has been recorded, within ctx and the configured timeout. It is for servers outside
// Lambda; on Lambda it happens by itself.
func (t *Telemetry) Flush(ctx context.Context) { t.flush(ctx, modeInline, t.cfg.timeout()) }

// flush exports all signals in parallel, and returns after limit at the latest. After a failure, a signal pauses: a
// collector that hangs would otherwise occupy the environment for the whole limit after every invocation. Nothing is
// lost by the pause while there is room. The last exports of a process do not wait for it.
func (t *Telemetry) flush(ctx context.Context, mode string, limit time.Duration) {
	if limit <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	last := mode == modeDeadline || mode == modePanic || mode == modeShutdown
	if !t.turn.take(ctx, cancel, last, limit/4) {
		return
	}
	defer t.turn.leave()

	start := t.now()
	if t.client != nil && start.Sub(t.exportedAt) > idleLimit {
		t.client.CloseIdleConnections()
	}
	exports := map[string]func(context.Context) outcome{
		signalTraces:  t.flushSpans,
		signalMetrics: func(ctx context.Context) outcome { return t.flushMetrics(ctx, start, last) },
		signalLogs:    t.flushLogs,
	}
	var group sync.WaitGroup
	for signal, export := range exports {
		p := t.pauses[signal]
		if !last && start.Before(p.until) {
			continue
		}
		group.Go(func() {
			o := t.guarded(ctx, signal, export)
			switch {
			case !o.failed:
				p.failures = 0
				return
			case last: // it had little time, and where invocations run in parallel it is not the last
				return
			}
			p.until = t.now().Add(max(min(longPause, firstPause<<min(p.failures, 10)), min(askedPause, o.asked)))
			p.failures++
		})
	}
	group.Wait()
	t.exportedAt = t.now()
	t.Metrics.Flushed(ctx, mode, t.exportedAt.Sub(start))
}

// guarded runs an export. A fault in one must not end the function.
func (t *Telemetry) guarded(ctx context.Context, signal string, export func(context.Context) outcome) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			t.report(signal, "panic", fmt.Errorf("panic with a %T", p))
			o = outcome{failed: true}
		}
	}()
	return export(ctx)
}

func (t *Telemetry) flushSpans(ctx context.Context) outcome {
	if t.spans == nil {
		return outcome{}
	}
	return flushQueue(ctx, t, signalTraces, &t.spans.queue, t.encoderOf(signalTraces).Spans)
}

func (t *Telemetry) flushLogs(ctx context.Context) outcome {
	if t.records == nil {
		return outcome{}
	}
	encoder := t.encoderOf(signalLogs)
	return flushQueue(ctx, t, signalLogs, t.records.queue, func(part []otlp.Record) []byte {
		return encoder.Logs(t.resource, tracing.Scope, part)
	})
}

func flushQueue[T any](ctx context.Context, t *Telemetry, signal string, q *queue[T], encode func([]T) []byte) outcome {
	items, dropped := q.take()
	t.drop(ctx, signal, "queue_full", dropped)
	if len(items) == 0 {
		return outcome{}
	}
	sent, o := deliverParts(ctx, t, signal, items, encode)
	if sent < len(items) {
		q.giveBack(items[sent:])
	}
	return o
}

// The limits of one request. Collectors refuse large ones: the one of observability/collector.yaml, those above 5 MiB.
const (
	maxItems   = 256
	maxRequest = 1 << 20 // bytes
)

// deliverParts sends items in as many requests as their size needs, until one fails. It returns how many items need not
// be sent again.
func deliverParts[T any](ctx context.Context, t *Telemetry, signal string, items []T, encode func([]T) []byte) (sent int, o outcome) {
	for sent < len(items) {
		part := items[sent:min(len(items), sent+maxItems)]
		request := encode(part)
		for len(request) > maxRequest && len(part) > 1 {
			part = part[:len(part)/2]
			request = encode(part)
		}
		o = t.deliver(ctx, signal, request, len(part))
		if o.retry {
			return sent, o
		}
		sent += len(part)
		if o.failed {
			return sent, o
		}
	}
	return sent, o
}

// flushMetrics exports the metrics. They are cumulative: the next export repairs one that failed.
func (t *Telemetry) flushMetrics(ctx context.Context, now time.Time, last bool) outcome {
	if t.reader == nil {
		return outcome{}
	}
	interval := time.Duration(t.cfg.MetricIntervalMS) * time.Millisecond
	if !last && now.Sub(t.metricsAt) < interval {
		return outcome{}
	}
	collected := t.collect(ctx)
	if t.emf != nil {
		if err := t.emf.write(ctx, collected, now); err != nil {
			t.report(signalMetrics, "emf", err)
		}
		t.metricsAt = now
		return outcome{}
	}
	request, points := t.encoderOf(signalMetrics).Metrics(collected)
	if points == 0 {
		return outcome{}
	}
	o := t.deliver(ctx, signalMetrics, request, points)
	if !o.failed {
		t.metricsAt = now
	}
	return o
}

// deliver sends a request with n items, and counts and logs what fails.
func (t *Telemetry) deliver(ctx context.Context, signal string, request []byte, n int) outcome {
	err := t.sinks[signal].send(ctx, request)
	if err == nil {
		return outcome{}
	}
	if rejected, ok := errors.AsType[*partialError](err); ok {
		t.report(signal, "rejected", err)
		t.drop(ctx, signal, "rejected", rejected.rejected)
		return outcome{}
	}
	sent, ok := errors.AsType[*sendError](err)
	if !ok {
		sent = &sendError{reason: "error", cause: err}
	}
	t.report(signal, sent.reason, err)
	t.Metrics.FlushFailed(ctx, signal, sent.reason)
	if !sent.retry && !sent.accepted && signal != signalMetrics {
		t.drop(ctx, signal, sent.reason, n)
	}
	return outcome{retry: sent.retry, failed: sent.retry || sent.accepted, asked: retryAfter(sent.after, t.now())}
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

package telemetry

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tienda-dev/tienda/shared/metrics"

	"go.opentelemetry.io/otel/trace"
)

const (
	// guardMargin is how long before the deadline an invocation counts as timed out. Handlers that respect their
	// context have answered by then: middleware.Deadline keeps back 250 ms.
	guardMargin = 150 * time.Millisecond
	// exitMargin is kept free of exports before the deadline and before the end of a shutdown.
	exitMargin = 20 * time.Millisecond
	// shutdownLimit bounds the export at SIGTERM: Lambda sends SIGKILL after 500 ms.
	shutdownLimit = 400 * time.Millisecond
	// periodicInterval is the pause between exports where invocations run in parallel and nothing is frozen.
	periodicInterval = time.Second
)

// serve ties exports to the life of the process.
func (t *Telemetry) serve(ctx context.Context, host Host) {
	host.Wrap(func(next lambda.Handler) lambda.Handler {
		t.initialised = t.now().Sub(t.started)
		return &handler{t, next}
	})
	if len(t.sinks) == 0 && t.emf == nil {
		return // only a reader that somebody else asks
	}
	host.OnShutdown(func() { t.flush(context.Background(), modeShutdown, shutdownLimit) })
	switch {
	case t.cfg.RuntimeAPI == "":
	case t.cfg.MaxConcurrency > 1: // Lambda Managed Instances: no INVOKE events and no freeze
		t.extension = periodic(t)
	default:
		x, err := register(ctx, t)
		if err != nil {
			t.report("all", "extension", err)
			return // exports are inline then
		}
		t.extension = x
	}
}

// handler is the outermost handler of the process.
type handler struct {
	*Telemetry

	next lambda.Handler
}

// Invoke implements lambda.Handler.
func (h *handler) Invoke(ctx context.Context, event []byte) (answer []byte, err error) {
	ctx = metrics.With(ctx, h.Metrics)
	id := ""
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		id = lc.AwsRequestID
	}
	if !h.served.Swap(true) {
		h.Metrics.ColdStart(ctx, h.trigger, h.initialised)
	}
	start, cpu := h.now(), processCPU()
	stop := h.guard(ctx)
	finished := false
	defer func() {
		stop()
		h.Metrics.Invoked(ctx, metrics.Invocation{
			Trigger: h.trigger, Failed: err != nil || !finished, Took: h.now().Sub(start), CPU: processCPU() - cpu, Memory: processMemory(),
		})
		if !finished { // a panic: aws-lambda-go ends the process
			h.failOpen(ctx, metrics.ErrorPanic)
			h.flush(context.WithoutCancel(ctx), modeInline, h.left(ctx))
			return
		}
		if !h.extension.done(id) {
			h.flush(context.WithoutCancel(ctx), modeInline, h.left(ctx))
		}
	}()
	answer, err = h.next.Invoke(ctx, event)
	finished = true
	return answer, err
}

// failOpen ends the open spans of the invocation; where only one runs at a time, every open one.
func (h *handler) failOpen(_ context.Context, errorType string) {
	if h.spans != nil && h.cfg.MaxConcurrency <= 1 {
		h.spans.fail(trace.TraceID{}, errorType)
	}
}

// left returns how long an export may take: the configured timeout, or what the deadline leaves of it.
func (h *handler) left(ctx context.Context) time.Duration {
	limit := h.cfg.timeout()
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, deadline.Sub(h.now())-exitMargin)
	}
	return max(0, limit)
}

// guard watches the deadline: Lambda kills a process that does not answer in time, and with it everything that was
// not exported. Call the function that it returns when the invocation has ended.
func (h *handler) guard(ctx context.Context) (stop func()) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return func() {}
	}
	timer := time.AfterFunc(deadline.Sub(h.now())-guardMargin, func() {
		h.failOpen(ctx, metrics.ErrorTimeout)
		h.Metrics.TimedOut(ctx, h.trigger)
		h.flush(context.WithoutCancel(ctx), modeDeadline, h.left(ctx))
	})
	return func() { timer.Stop() }
}

package telemetry

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/internal/after"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
)

const (
	// guardMargin is how long before the deadline an invocation counts as timed out. Handlers that respect their
	// context have answered by then: middleware.Deadline keeps back 250 ms.
	guardMargin = 150 * time.Millisecond
	// exitMargin is kept free of exports before the deadline.
	exitMargin = 20 * time.Millisecond
	// shutdownLimit bounds the export at SIGTERM. Lambda sends SIGKILL after 500 ms, or after 300 ms where the
	// environment has external extensions.
	shutdownLimit = 250 * time.Millisecond
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
	if t.cfg.RuntimeAPI != "" {
		t.extend(ctx, host)
	}
	host.OnShutdown(func() {
		t.extension.stop()
		t.flush(context.Background(), modeShutdown, shutdownLimit)
	})
}

// extend starts what exports after the response.
func (t *Telemetry) extend(ctx context.Context, host Host) {
	forever := context.WithoutCancel(ctx) // INIT's context ends with INIT
	if t.parallel() {                     // Lambda Managed Instances: no INVOKE events and no freeze
		t.extension = periodic(forever, t)
		return
	}
	host.OnInit(func(ctx context.Context) error {
		x, err := register(ctx, t)
		if err != nil {
			t.report("all", "extension", err)
			return nil // exports are inline then
		}
		host.SetExtended()
		t.extension = x
		go x.loop(forever)
		return nil
	})
}

// parallel reports whether the process runs several invocations at a time.
func (t *Telemetry) parallel() bool { return t.cfg.MaxConcurrency > 1 }

// handler is the outermost handler of the process.
type handler struct {
	*Telemetry

	next lambda.Handler
}

// Invoke implements lambda.Handler.
func (h *handler) Invoke(ctx context.Context, event []byte) (answer []byte, err error) {
	of := &invocation{}
	ctx, request := metrics.WithPending(withInvocation(metrics.With(ctx, h.Metrics), of))
	id := ""
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		id = lc.AwsRequestID
	}
	if !h.served.Swap(true) {
		h.Metrics.ColdStart(ctx, h.trigger, h.initialised)
	}
	start, cpu := h.now(), processCPU()
	count := func(outcome metrics.Outcome, took time.Duration) bool {
		if !of.count() {
			return false
		}
		i := metrics.Invocation{Trigger: h.trigger, Outcome: outcome, Took: took, Memory: processMemory()}
		if !h.parallel() { // the process's time is one invocation's only if there is one; it includes the response
			i.CPU = processCPU() - cpu
		}
		h.Metrics.Invoked(ctx, i)
		return true
	}
	stop := h.guard(ctx, func() bool {
		if !count(metrics.TimedOut, h.now().Sub(start)) {
			return false // it has just ended
		}
		request.TimedOut()
		h.end(of, metrics.ErrorTimeout)
		h.logger.Error("the invocation runs into its timeout", zap.String(logging.KeyFunctionRequestID, id))
		return true
	})
	finished := false
	defer func() {
		took := h.now().Sub(start)
		if !finished { // a panic: aws-lambda-go ends the process
			stop()
			h.end(of, metrics.ErrorPanic)
			count(metrics.Failed, took)
			h.flush(context.WithoutCancel(ctx), modePanic, h.left(ctx))
			return
		}
		after.Response(ctx, func() { // behind the invocation's line
			stop() // not before: the response may hang
			defer func() {
				if !h.extension.done(ended{id, err != nil}) {
					h.flush(context.WithoutCancel(ctx), modeInline, h.left(ctx))
				}
			}()
			outcome := metrics.Succeeded
			if err != nil {
				outcome = metrics.Failed
			}
			count(outcome, took)
			h.end(of, "")
		})
	}()
	answer, err = h.next.Invoke(ctx, event)
	finished = true
	return answer, err
}

// end ends the open spans of an invocation with the error type. "" leaves them to those who work on after the answer.
func (h *handler) end(of *invocation, errorType string) {
	switch {
	case h.spans == nil:
	case errorType == "":
		h.spans.release(of)
	default:
		h.spans.fail(of, errorType)
	}
}

// left returns how long an export may take: the configured timeout, or what the deadline leaves of it.
func (h *handler) left(ctx context.Context) time.Duration {
	limit := h.cfg.timeout()
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, deadline.Sub(h.now())-exitMargin)
	}
	return limit
}

// guard watches the deadline: Lambda kills a process that does not answer in time, and with it everything that was
// not exported. timedOut ends the invocation's telemetry, and returns false if the invocation has just ended. Call
// the function that guard returns when the invocation has ended.
func (h *handler) guard(ctx context.Context, timedOut func() bool) (stop func()) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return func() {}
	}
	timer := time.AfterFunc(deadline.Sub(h.now())-guardMargin, func() {
		if !timedOut() {
			return
		}
		h.flush(context.WithoutCancel(ctx), modeDeadline, h.left(ctx))
	})
	return func() { timer.Stop() }
}

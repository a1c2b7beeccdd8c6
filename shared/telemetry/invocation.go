package telemetry

import (
	"context"
	"sync/atomic"
)

// invocation is one run of the function's handler. Its context carries it, so that spans know to which of several
// parallel ones they belong.
type invocation struct{ counted atomic.Bool }

// count reports whether the caller is the first to say how the invocation ended: the guard, shortly before the
// deadline, or the handler. An invocation is a success, an error or a timeout, and never two of them.
func (i *invocation) count() bool { return i.counted.CompareAndSwap(false, true) }

type invocationKey struct{}

func withInvocation(ctx context.Context, i *invocation) context.Context {
	return context.WithValue(ctx, invocationKey{}, i)
}

// invocationFrom returns the invocation of ctx, or nil in INIT and outside Lambda.
func invocationFrom(ctx context.Context) *invocation {
	i, _ := ctx.Value(invocationKey{}).(*invocation)
	return i
}

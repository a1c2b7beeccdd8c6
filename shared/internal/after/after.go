// Package after runs work when the response of a Lambda invocation has been sent: what the client need not wait for.
package after

import (
	"context"
	"sync"
)

// Base returns the context for lambda.WithContext: the parent of every invocation's context. report is called with the
// value of a panic in work after a response.
//
// aws-lambda-go gives every invocation a context with a deadline, and cancels it when the response has been sent and
// before it asks for the next event. Package context then calls the function that AfterFunc returned to it, and waits
// for it. Lambda freezes the environment only when the next event is asked for, so nothing is lost.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func Base(report func(panicked any)) context.Context {
	return &base{Context: context.Background(), never: make(chan struct{}), report: report}
}

// Response runs work after the response to the invocation of ctx, in the order of the calls. ctx has ended by then.
// It runs work at once if ctx has ended already, and outside Lambda, where ctx does not come from Base. On Lambda Managed
// Instances, work may run earlier: after the response to another invocation.
func Response(ctx context.Context, work func()) {
	b, ok := ctx.Value(key{}).(*base)
	if !ok {
		work()
		return
	}
	b.mu.Lock()
	b.work = append(b.work, work)
	b.mu.Unlock()
	if ctx.Err() != nil { // package context tells nobody of the end of a context that began after its deadline
		b.run()
	}
}

type key struct{}

// base implements context.Context, and the method AfterFunc that package context looks for.
type base struct {
	context.Context //nolint:containedctx // it is a context

	never  chan struct{}
	report func(any)

	mu   sync.Mutex
	work []func()
}

// Done implements context.Context. Package context does not register children with a context that cannot end.
func (b *base) Done() <-chan struct{} { return b.never }

// Value implements context.Context.
func (b *base) Value(k any) any {
	if k == (key{}) {
		return b
	}
	return b.Context.Value(k)
}

// AfterFunc is called by package context for each child. stop is called when the child is cancelled.
func (b *base) AfterFunc(func()) (stop func() bool) {
	return func() bool {
		b.run()
		return true
	}
}

// run runs all work that waits.
func (b *base) run() {
	b.mu.Lock()
	work := b.work
	b.work = nil
	b.mu.Unlock()
	for _, f := range work {
		b.guarded(f)
	}
}

// guarded runs f. A fault in it must not end the process, whose response has been sent.
func (b *base) guarded(f func()) {
	defer func() {
		if value := recover(); value != nil {
			b.report(value)
		}
	}()
	f()
}

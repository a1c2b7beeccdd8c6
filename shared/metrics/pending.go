package metrics

import (
	"context"
	"sync"
)

// Pending is the request that a Lambda invocation is answering. Lambda ends an invocation at its deadline, so HTTP
// would never record a request whose handler ignores it.
type Pending struct {
	mu     sync.Mutex
	record func()
	ended  bool
}

type pendingKey struct{}

// WithPending returns a context whose request can be recorded before it is answered.
func WithPending(ctx context.Context) (context.Context, *Pending) {
	p := &Pending{}
	return context.WithValue(ctx, pendingKey{}, p), p
}

func pendingFrom(ctx context.Context) *Pending {
	p, _ := ctx.Value(pendingKey{}).(*Pending)
	return p
}

// TimedOut records the request as one that ran into the function's timeout: with 503, which API Gateway then answers.
// It does nothing if the request has been answered, or if the invocation has none.
func (p *Pending) TimedOut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.record != nil && !p.ended {
		p.ended = true
		p.record()
	}
}

func (p *Pending) begin(record func()) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record, p.ended = record, false
}

// end reports whether the request is still to be recorded.
func (p *Pending) end() bool {
	if p == nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	open := !p.ended
	p.ended = true
	return open
}

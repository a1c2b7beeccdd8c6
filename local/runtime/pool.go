package runtime

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// pool holds the environments of one function.
type pool struct {
	r  *Runtime
	fn Function

	mu sync.Mutex
	// idle are the free environments, the one used last at the end.
	idle []*environment
	// busy counts environments with an event, settling those of them that have answered, and waiting the
	// requests that wait for one of these.
	busy, settling, waiting int
	// freed is closed, and replaced, whenever an environment becomes free or ends.
	freed  chan struct{}
	closed bool
}

// newPool returns a pool without environments.
func newPool(r *Runtime, fn Function) *pool {
	return &pool{r: r, fn: fn, freed: make(chan struct{})}
}

// failure returns an *Error about an invocation of the pool's function.
func (p *pool) failure(inv *invocation, kind Kind, message string) error {
	return &Error{Kind: kind, Function: p.fn.Name, RequestID: inv.id, Message: message}
}

// dispatch gives inv to a free environment or to a new one. It does not wait for the answer.
func (p *pool) dispatch(ctx context.Context, inv *invocation) error {
	if kind, ok := p.r.admit(); !ok {
		return p.failure(inv, kind, "the runtime takes no more events")
	}
	env, err := p.await(ctx, inv)
	if err != nil {
		p.r.over()
		p.r.working.Done()
		return err
	}
	go p.serve(env, inv)
	return nil
}

// await waits for room among the processes, and then acquires.
func (p *pool) await(ctx context.Context, inv *invocation) (*environment, error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.r.closing, cancel)()
	if err := p.r.room.Acquire(waiting, 1); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, p.failure(inv, Closed, "stopped before it started")
	}
	env, err := p.acquire(ctx, inv)
	if err != nil {
		p.r.room.Release(1)
	}
	return env, err
}

// acquire takes a free environment, or returns nil when a new one may be started.
func (p *pool) acquire(ctx context.Context, inv *invocation) (*environment, error) {
	patience := time.NewTimer(settleGrace)
	defer patience.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for patient := true; ; {
		if last := len(p.idle) - 1; last >= 0 {
			env := p.idle[last]
			p.idle = p.idle[:last]
			p.wake(env)
			if !env.usable() {
				p.r.working.Go(env.close)
				continue
			}
			p.busy++
			return env, nil
		}
		if patient && p.settling > p.waiting {
			freed := p.freed
			p.waiting++
			p.mu.Unlock()
			var err error
			select {
			case <-freed:
			case <-patience.C:
				patient = false
			case <-p.r.closing.Done():
				patient = false
			case <-ctx.Done():
				err = ctx.Err()
			}
			p.mu.Lock()
			p.waiting--
			if err != nil {
				return nil, err
			}
			continue
		}
		if limit := p.fn.ReservedConcurrency; limit != nil && p.busy >= *limit {
			return nil, p.failure(inv, Throttled, fmt.Sprintf(
				"reserved concurrency is %d and %d events are in flight", *limit, p.busy))
		}
		p.busy++
		return nil, nil
	}
}

// serve runs inv in env, or in a new environment when env is nil, and then frees or ends it.
func (p *pool) serve(env *environment, inv *invocation) {
	defer p.r.working.Done()
	if env == nil {
		began := time.Now()
		started, err := p.r.start(p.fn, inv.id)
		if err != nil {
			err.RequestID = inv.id
			p.r.over()
			p.r.complete(inv.id)
			inv.finish(Result{}, err)
			p.release(nil, false)
			return
		}
		env = started
		inv.result.Cold, inv.result.InitDuration = true, time.Since(began)
	}

	began := time.Now()
	timeout := time.NewTimer(p.fn.Timeout)
	defer timeout.Stop()
	out, alive := env.deliver(inv, timeout.C)
	inv.result.Duration = time.Since(began)
	p.r.over()
	if !alive {
		inv.finish(inv.result, out.err)
		env.close()
		p.r.complete(inv.id)
		p.release(nil, false)
		return
	}

	inv.result.MaxMemoryMB = env.main.memoryMB()
	inv.result.Payload, inv.result.FunctionError, inv.result.ErrorType = out.payload, out.failed, out.errorType
	p.mu.Lock()
	p.settling++ // before the caller gets the answer, so that its next request waits for this environment
	p.mu.Unlock()
	inv.finish(inv.result, out.err)
	if !env.settle(timeout.C) {
		env.close()
		env = nil
	} else {
		env.rest()
	}
	p.r.complete(inv.id)
	p.release(env, true)
}

// release ends an event: env, unless nil, is free.
func (p *pool) release(env *environment, settled bool) {
	p.mu.Lock()
	p.busy--
	if settled {
		p.settling--
	}
	if env != nil && !p.closed {
		p.rest(env)
		env = nil
	}
	close(p.freed)
	p.freed = make(chan struct{})
	p.mu.Unlock()
	if env != nil {
		env.close()
	}
	p.r.room.Release(1)
}

// closeIdle ends the free environments in parallel, and every other one as soon as it is released. The
// Runtime's closed flag is set, so no further event is admitted.
func (p *pool) closeIdle() {
	p.mu.Lock()
	p.closed = true
	idle := slices.Clone(p.idle)
	p.idle = nil
	for _, env := range idle {
		p.wake(env)
	}
	p.mu.Unlock()
	for _, env := range idle {
		p.r.working.Go(env.close)
	}
}

// rest keeps env for the next event, and ends it after the idle timeout. The caller holds the lock.
func (p *pool) rest(env *environment) {
	p.idle = append(p.idle, env)
	env.rests++
	env.rested = time.Now()
	rest := env.rests
	p.r.working.Add(1)
	env.reaper = time.AfterFunc(p.r.idleTimeout, func() {
		defer p.r.working.Done()
		p.reap(env, rest)
	})
}

// wake stops the reaper of env. The caller holds the lock and has removed env from the idle ones.
func (p *pool) wake(env *environment) {
	if env.reaper.Stop() {
		p.r.working.Done()
	}
}

// reap ends env, unless it has been taken since it became free for the rest-th time.
func (p *pool) reap(env *environment, rest int) {
	p.mu.Lock()
	i := slices.Index(p.idle, env)
	if i < 0 || env.rests != rest {
		p.mu.Unlock()
		return
	}
	p.idle = slices.Delete(p.idle, i, i+1)
	p.mu.Unlock()
	env.close()
}

// oldest returns the environment that has been free for longest, nil if none is free.
func (p *pool) oldest() (env *environment, since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil, time.Time{}
	}
	return p.idle[0], p.idle[0].rested
}

// evict ends env if it is still free, and reports whether it did.
func (p *pool) evict(env *environment) bool {
	p.mu.Lock()
	i := slices.Index(p.idle, env)
	if i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
		p.wake(env)
	}
	p.mu.Unlock()
	if i >= 0 {
		env.close()
	}
	return i >= 0
}

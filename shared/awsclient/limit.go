package awsclient

import (
	"context"
	"net/http/httptrace"
	"sync"
	"time"
)

// limitSteps is in how many steps a read's limit is counted.
const limitSteps = 20

// LimitRead returns a context that is cancelled when a read has taken longer than limit. The limit bounds the
// read and not the queue in front of it: it begins anew when the first request of the context is on its way,
// and does not run while a connection is opened, which has limits of its own. It is counted in steps, so that
// a process that got no CPU meanwhile, or was frozen, loses one step and reads the answer that has come.
// Call cancel when the read is over.
func LimitRead(ctx context.Context, limit time.Duration) (limited context.Context, cancel context.CancelFunc) {
	limited, stop := context.WithCancel(ctx)
	l := &readLimit{step: limit / limitSteps, left: limitSteps, expire: stop}
	l.mu.Lock() // the first tick may come before AfterFunc returns
	l.timer = time.AfterFunc(l.step, l.tick)
	l.mu.Unlock()
	trace := httptrace.ClientTrace{}
	if outer, ok := ctx.Value(limitKey{}).(*readLimit); ok && httptrace.ContextClientTrace(ctx) == outer.trace {
		trace = *outer.trace // its hooks are called below: httptrace would join them by reflection
		limited = untraced{limited}
	}
	l.hook(&trace)
	limited = httptrace.WithClientTrace(context.WithValue(limited, limitKey{}, l), &trace)
	return limited, func() {
		l.end()
		stop()
	}
}

// hook adds what the limit needs to know to the hooks of a trace.
func (l *readLimit) hook(trace *httptrace.ClientTrace) {
	l.trace = trace
	getConn, gotConn, wrote := trace.GetConn, trace.GotConn, trace.WroteRequest
	trace.GetConn = func(address string) {
		l.pause()
		if getConn != nil {
			getConn(address)
		}
	}
	trace.GotConn = func(info httptrace.GotConnInfo) {
		l.resume(false)
		if gotConn != nil {
			gotConn(info)
		}
	}
	trace.WroteRequest = func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			l.resume(true)
		}
		if wrote != nil {
			wrote(info)
		}
	}
}

// limitKey is the key of the innermost readLimit of a context.
type limitKey struct{}

// untraced is a context without its hooks.
type untraced struct {
	context.Context //nolint:containedctx // it is a context
}

// Value implements context.Context.
func (c untraced) Value(key any) any {
	value := c.Context.Value(key)
	if _, ok := value.(*httptrace.ClientTrace); ok {
		return nil
	}
	return value
}

// readLimit counts the steps of a read.
type readLimit struct {
	step   time.Duration
	expire context.CancelFunc
	trace  *httptrace.ClientTrace

	mu            sync.Mutex
	timer         *time.Timer // nil at the end
	left          int         // steps
	dialling, out bool        // out: a request was sent
}

func (l *readLimit) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer == nil {
		return
	}
	if !l.dialling {
		l.left--
	}
	if l.left == 0 {
		l.expire()
		return
	}
	l.timer.Reset(l.step)
}

func (l *readLimit) pause() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dialling = true
}

func (l *readLimit) resume(wrote bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dialling = false
	if wrote && !l.out && l.left > 0 {
		l.out, l.left = true, limitSteps
	}
}

func (l *readLimit) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}

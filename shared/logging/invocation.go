package logging

import (
	"context"
	"hash/fnv"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// flushMargin is how long before the deadline of its context an invocation writes what it holds back: Lambda ends a
// process that does not answer in time. Handlers that respect their context have answered by then
// (middleware.Deadline keeps back 250 ms).
const flushMargin = 150 * time.Millisecond

// detail says what happens to lines from DEBUG that are below the level.
type detail struct {
	level     zapcore.Level
	threshold uint64 // of the 53 bits of a key's hash
	limit     int    // bytes
}

func newDetail(level zapcore.Level, rate float64, limit int) *detail {
	return &detail{level: level, threshold: uint64(math.Round(rate * (1 << 53))), limit: limit}
}

// samples reports whether the invocation with the key writes all lines. Every process with the same rate decides alike.
func (d *detail) samples(key []byte) bool {
	hash := fnv.New64a()
	_, _ = hash.Write(key) // never fails
	h := hash.Sum64()
	// FNV leaves the highest bits of short keys alike, so all bits are mixed (the finalizer of MurmurHash3).
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return h>>11 < d.threshold
}

// fate is what happens to a line.
type fate int

const (
	fateDropped fate = iota
	fateHeld
	fateWritten
)

// fate returns what happens to a line of the level. i is nil outside an invocation.
func (d *detail) fate(i *invocation, level zapcore.Level) fate {
	switch {
	case level >= d.level:
		return fateWritten
	case i == nil:
		return fateDropped
	case i.writesAll():
		return fateWritten
	case d.limit > 0:
		return fateHeld
	default:
		return fateDropped
	}
}

// The values of invocation.mode.
const (
	modeUndecided int32 = iota
	modeQuiet           // lines below the level are held or dropped
	modeAll             // they are written
)

// invocation holds back the lines of one invocation that are below the level. It is safe for concurrent use; a nil
// one holds nothing.
type invocation struct {
	*detail

	key   string
	mode  atomic.Int32
	timer *time.Timer // nil without a deadline

	mu      sync.Mutex
	lines   []line // oldest first
	size    int    // bytes of lines
	dropped int    // how many lines did not fit
	lost    line   // the last of them, without its fields
	ended   bool
}

// Begin returns the context of an invocation: with a logger whose lines have the fields, and an empty log entry. With
// Config.SampleRate or Config.Buffer, its lines below the level share one fate, whichever logger of the context writes
// them. The id of the invocation decides whether it is sampled, unless Entry.SampleBy does. Call End on its entry when
// it is over.
func Begin(ctx context.Context, l *zap.Logger, id string, fields ...zap.Field) (context.Context, *Entry) {
	begun := &invocationContext{Context: ctx}
	if c, ok := l.Core().(*core); ok && c.detail != nil {
		begun.entry.invocation = &invocation{detail: c.detail, key: id}
		begun.entry.invocation.watch(ctx)
	}
	begun.logger = extend(l, begun.entry.invocation, fields)
	return begun, &begun.entry
}

// invocationContext is the context of an invocation. It is WithEntry and With in one.
type invocationContext struct {
	context.Context //nolint:containedctx // it is a context

	logger *zap.Logger
	entry  Entry
}

// Value implements context.Context.
func (c *invocationContext) Value(key any) any {
	switch key.(type) {
	case loggerKey:
		return c.logger
	case entryKey:
		return &c.entry
	default:
		return c.Context.Value(key)
	}
}

// WithFields returns a context whose logger has the fields on all its lines. It is for the few lines of a request:
// the fields are encoded with each of them.
func WithFields(ctx context.Context, fields ...zap.Field) context.Context {
	return With(ctx, extend(From(ctx), nil, fields))
}

// extend returns l with the fields, and with the invocation unless it is nil.
func extend(l *zap.Logger, of *invocation, fields []zap.Field) *zap.Logger {
	if _, ok := l.Core().(*core); !ok {
		return l.WithLazy(fields...)
	}
	return l.WithOptions(zap.WrapCore(func(own zapcore.Core) zapcore.Core {
		n := own.(*core).with(fields) //nolint:forcetypeassert // it is one
		if of != nil {
			n.invocation = of
		}
		return n
	}))
}

// watch makes the invocation write what it holds shortly before the deadline.
func (i *invocation) watch(ctx context.Context) {
	if deadline, ok := ctx.Deadline(); ok && i.limit > 0 {
		i.timer = time.AfterFunc(time.Until(deadline)-flushMargin, i.release)
	}
}

// SampleBy lets the id of the trace decide whether the invocation is sampled, so that all functions that a request
// passes decide alike. It has no effect once a line below the level was written or held.
func (e *Entry) SampleBy(traceID [16]byte) {
	if e != nil && e.invocation != nil {
		e.invocation.decide(traceID[:])
	}
}

// End drops what the invocation holds back, and nothing is held from now on. It belongs after the last line that may be
// held; the access line of a request that did not fail may follow it.
func (e *Entry) End() {
	if e == nil || e.invocation == nil {
		return
	}
	i := e.invocation
	if i.timer != nil {
		i.timer.Stop()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.empty()
	i.ended = true
}

func (i *invocation) decide(key []byte) {
	mode := modeQuiet
	if i.samples(key) {
		mode = modeAll
	}
	i.mode.CompareAndSwap(modeUndecided, mode)
}

func (i *invocation) writesAll() bool {
	if i.mode.Load() == modeUndecided {
		i.decide([]byte(i.key))
	}
	return i.mode.Load() == modeAll
}

package logging

import (
	"context"
	"slices"
	"sync"

	"go.uber.org/zap"
)

// Entry collects the fields of the one access line of a request. Any layer below the access
// log may add to it. It is safe for concurrent use; a nil Entry takes fields and drops them.
type Entry struct {
	mu     sync.Mutex
	fields []zap.Field
	err    error

	invocation *invocation // nil without sampling and buffering
}

// Add appends fields to the request's access line.
func (e *Entry) Add(fields ...zap.Field) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fields = append(e.fields, fields...)
}

// SetError keeps the private cause of a failed request for the access line. The last one wins.
func (e *Entry) SetError(err error) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

// Snapshot returns the fields added so far, and the error when one was set.
func (e *Entry) Snapshot() ([]zap.Field, error) {
	if e == nil {
		return nil, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.fields), e.err
}

type entryKey struct{}

// WithEntry returns a context that carries the request's log entry.
func WithEntry(ctx context.Context, e *Entry) context.Context {
	return context.WithValue(ctx, entryKey{}, e)
}

// EntryFrom returns the request's log entry. It is nil, and safe to use, where there is none.
func EntryFrom(ctx context.Context) *Entry {
	e, _ := ctx.Value(entryKey{}).(*Entry)
	return e
}

type loggerKey struct{}

// With returns a context that carries the logger.
func With(ctx context.Context, l *zap.Logger) context.Context {
	return context.WithValue(ctx, loggerKey{}, l)
}

// From returns the logger of the context, or one that discards everything.
func From(ctx context.Context) *zap.Logger {
	if l, ok := ctx.Value(loggerKey{}).(*zap.Logger); ok {
		return l
	}
	return zap.NewNop()
}

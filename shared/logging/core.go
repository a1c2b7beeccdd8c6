package logging

import (
	"runtime"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// core prepares every entry for the cores below it: errors become objects, the caller is looked up
// only where it is worth the price, and secrets are hidden.
type core struct {
	next zapcore.Core
	// extra are fields of every line, with their secrets. They are prepared and encoded with each line: a request has few
	// lines, most of them after its response, and to encode fields for a core costs as much as a line.
	extra  *extra
	redact *redactor // nil: off
	// detail and invocation decide about lines below the level. Both may be nil.
	detail     *detail
	invocation *invocation
}

func newCore(next zapcore.Core, redact *redactor, d *detail) *core {
	return (&core{redact: redact, detail: d}).over(next)
}

// extra is a list of fields, the last ones first: a request adds to it twice and writes one line.
type extra struct {
	fields []zapcore.Field
	before *extra
	count  int // of all
}

func (e *extra) and(fields []zapcore.Field) *extra {
	n := &extra{fields: fields, before: e, count: len(fields)}
	if e != nil {
		n.count += e.count
	}
	return n
}

// with returns all fields in their order, and then those of a line.
func (e *extra) with(own []zapcore.Field) []zapcore.Field {
	if e == nil {
		return own
	}
	all := make([]zapcore.Field, e.count, e.count+len(own))
	for end := e.count; e != nil; e = e.before {
		end -= copy(all[end-len(e.fields):], e.fields)
	}
	return append(all, own...)
}

// over returns a copy of c that writes to next, without c's extra fields.
func (c *core) over(next zapcore.Core) *core {
	return &core{next: next, redact: c.redact, detail: c.detail, invocation: c.invocation}
}

// with returns a copy of c whose lines have the fields too.
func (c *core) with(fields []zapcore.Field) *core {
	n := c.over(c.next)
	n.extra = c.extra.and(slices.Clone(fields)) // the caller may use its slice again
	return n
}

// below returns next with the extra fields.
func (c *core) below() zapcore.Core {
	if c.extra == nil {
		return c.next
	}
	return c.next.With(c.fields(c.extra.with(nil)))
}

// Tee returns a logger that also writes to second. l is a logger of New: what second gets is redacted
// like l's own lines. Fields that l has already are not on second's lines.
func Tee(l *zap.Logger, second zapcore.Core) *zap.Logger {
	return l.WithOptions(zap.WrapCore(func(own zapcore.Core) zapcore.Core {
		c, ok := own.(*core)
		if !ok {
			panic("logging: Tee needs a logger that New returned")
		}
		return c.over(zapcore.NewTee(c.below(), second))
	}))
}

// Split returns a logger whose lines go to second, and to l's own core only from WARN up: nobody should pay for the
// same line twice, and a warning must not depend on a collector. l is a logger of New.
func Split(l *zap.Logger, second zapcore.Core) *zap.Logger {
	return l.WithOptions(zap.WrapCore(func(own zapcore.Core) zapcore.Core {
		c, ok := own.(*core)
		if !ok {
			panic("logging: Split needs a logger that New returned")
		}
		own = c.below()
		level := zapcore.LevelOf(own)
		first, err := zapcore.NewIncreaseLevelCore(own, max(level, zapcore.WarnLevel))
		if err != nil { // its level is higher already
			first = own
		}
		return c.over(zapcore.NewTee(first, leveled{second, level}))
	}))
}

// leveled is a core with a lowest level.
type leveled struct {
	zapcore.Core

	lowest zapcore.Level
}

// Enabled implements zapcore.LevelEnabler.
func (l leveled) Enabled(level zapcore.Level) bool { return level >= l.lowest && l.Core.Enabled(level) }

// With implements zapcore.Core.
func (l leveled) With(fields []zapcore.Field) zapcore.Core {
	return leveled{l.Core.With(fields), l.lowest}
}

// Check implements zapcore.Core.
func (l leveled) Check(ent zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !l.Enabled(ent.Level) {
		return ce
	}
	return l.Core.Check(ent, ce)
}

// Enabled reports whether a core below writes entries of the level, now or later.
func (c *core) Enabled(level zapcore.Level) bool {
	return c.next.Enabled(level) && (c.detail == nil || c.detail.fate(c.invocation, level) != fateDropped)
}

// With returns a core whose lines carry the fields, encoded once.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	return c.over(c.below().With(c.fields(fields)))
}

// Check adds the cores below that write the entry, and prepares it for them.
func (c *core) Check(ent zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.next.Enabled(ent.Level) {
		return ce
	}
	if c.detail != nil {
		switch c.detail.fate(c.invocation, ent.Level) {
		case fateDropped:
			return ce
		case fateHeld:
			return ce.AddCore(ent, holder{c})
		case fateWritten:
		}
	}
	if ce = c.next.Check(ent, ce); ce != nil {
		ce = ce.Before(ent, c.complete)
	}
	return ce
}

// Write prepares the entry and writes it to the cores below.
func (c *core) Write(ent zapcore.Entry, fields []zapcore.Field) error {
	return c.next.Write(c.complete(ent, fields))
}

// Sync flushes the cores below.
func (c *core) Sync() error { return c.next.Sync() }

// complete prepares an entry, with the fields of every line in front of its own.
func (c *core) complete(ent zapcore.Entry, fields []zapcore.Field) (zapcore.Entry, []zapcore.Field) {
	return c.prepare(ent, c.extra.with(fields))
}

func (c *core) prepare(ent zapcore.Entry, fields []zapcore.Field) (zapcore.Entry, []zapcore.Field) {
	if ent.Level >= zapcore.ErrorLevel {
		c.invocation.release() // what led to the error comes before it
	}
	if ent.Level < zapcore.ErrorLevel {
		ent.Caller = zapcore.EntryCaller{}
	} else if !ent.Caller.Defined {
		ent.Caller = caller()
	}
	if c.redact != nil {
		ent.Message = c.redact.value(ent.Message)
		ent.LoggerName = c.redact.value(ent.LoggerName)
		ent.Stack = c.redact.value(ent.Stack)
	}
	return ent, c.fields(fields)
}

func (c *core) fields(fields []zapcore.Field) []zapcore.Field {
	fields = structured(fields)
	if c.redact != nil {
		fields = c.redact.fields(fields)
	}
	return fields
}

// caller returns the first frame above zap and this package. Counting frames instead would
// break under every wrapper of the core.
func caller() zapcore.EntryCaller {
	var pcs [24]uintptr
	n := runtime.Callers(3, pcs[:])
	frames := runtime.CallersFrames(pcs[:n])
	for {
		frame, more := frames.Next()
		if frame.PC == 0 {
			return zapcore.EntryCaller{}
		}
		if !strings.HasPrefix(frame.Function, "go.uber.org/zap") && !strings.Contains(frame.Function, "shared/logging.(*core)") &&
			!strings.Contains(frame.Function, "shared/logging.holder") {
			return zapcore.EntryCaller{
				Defined:  true,
				PC:       frame.PC,
				File:     frame.File,
				Line:     frame.Line,
				Function: frame.Function,
			}
		}
		if !more {
			return zapcore.EntryCaller{}
		}
	}
}

package logging

import (
	"runtime"
	"strings"
	"unicode/utf8"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// core is zap's own io core with three additions: errors become objects, the caller is looked
// up only where it is worth its price, and the finished line is redacted.
type core struct {
	zapcore.LevelEnabler

	enc     zapcore.Encoder
	out     zapcore.WriteSyncer
	redact  *redactor // nil: off
	console bool
}

// With returns a core whose lines carry the fields, encoded once.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	clone := *c
	clone.enc = c.enc.Clone()
	for _, f := range structured(fields) {
		f.AddTo(clone.enc)
	}
	return &clone
}

// Check adds the core to the entry when its level is enabled.
func (c *core) Check(ent zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(ent.Level) {
		return ce.AddCore(ent, c)
	}
	return ce
}

// Write encodes, redacts and writes one line.
func (c *core) Write(ent zapcore.Entry, fields []zapcore.Field) error {
	if ent.Level < zapcore.ErrorLevel {
		ent.Caller = zapcore.EntryCaller{}
	} else if !ent.Caller.Defined {
		ent.Caller = caller()
	}

	buf, err := c.enc.EncodeEntry(ent, structured(fields))
	if err != nil {
		return err
	}
	defer buf.Free()
	_, err = c.out.Write(c.line(ent, buf))
	if err == nil && ent.Level > zapcore.ErrorLevel {
		_ = c.Sync() // the process may be about to end; stdout does not always support Sync
	}
	return err
}

func (c *core) line(ent zapcore.Entry, buf *buffer.Buffer) []byte {
	line := buf.Bytes()
	if c.redact != nil {
		line = c.redact.line(line)
	}
	if !c.console {
		return line
	}

	message := []byte(ent.Message)
	if c.redact != nil {
		if redacted, changed := c.redact.text(message); changed {
			message = redacted
		}
	}
	prefix := ent.Time.UTC().AppendFormat(nil, timeLayout)
	prefix = append(prefix, ' ')
	prefix = append(prefix, levelName(ent.Level)...)
	prefix = append(prefix, ' ')
	prefix = appendPrintable(prefix, message)
	prefix = append(prefix, ' ')
	return append(prefix, line...)
}

// Sync flushes the writer.
func (c *core) Sync() error { return c.out.Sync() }

// appendPrintable appends s with everything that could start a new line or drive a terminal
// escaped as in a Go string.
func appendPrintable(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		switch {
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029':
			dst = append(dst, '\\', 'u', hex[r>>12&0xf], hex[r>>8&0xf], hex[r>>4&0xf], hex[r&0xf])
		default:
			dst = utf8.AppendRune(dst, r)
		}
		s = s[size:]
	}
	return dst
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
		if !strings.HasPrefix(frame.Function, "go.uber.org/zap") && !strings.Contains(frame.Function, "shared/logging.(*core)") {
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

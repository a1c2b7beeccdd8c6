package logging

import (
	"unicode/utf8"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// consoleEncoder writes time, level and message in front of the fields, which stay JSON.
type consoleEncoder struct {
	zapcore.Encoder

	pool buffer.Pool
}

func newConsoleEncoder() consoleEncoder {
	return consoleEncoder{newUniqueEncoder(zapcore.NewJSONEncoder(consoleConfig())), buffer.NewPool()}
}

// Clone implements zapcore.Encoder.
func (e consoleEncoder) Clone() zapcore.Encoder { return consoleEncoder{e.Encoder.Clone(), e.pool} }

// EncodeEntry implements zapcore.Encoder.
func (e consoleEncoder) EncodeEntry(ent zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	encoded, err := e.Encoder.EncodeEntry(ent, fields)
	if err != nil {
		return nil, err
	}
	defer encoded.Free()

	line := e.pool.Get()
	line.AppendTime(ent.Time.UTC(), timeLayout)
	line.AppendByte(' ')
	line.AppendString(levelName(ent.Level))
	line.AppendByte(' ')
	appendPrintable(line, ent.Message)
	line.AppendByte(' ')
	_, err = line.Write(encoded.Bytes())
	return line, err
}

// appendPrintable appends s with everything that could start a new line or drive a terminal
// escaped as in a Go string.
func appendPrintable(line *buffer.Buffer, s string) {
	const hex = "0123456789abcdef"
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '\n':
			line.AppendString(`\n`)
		case r == '\r':
			line.AppendString(`\r`)
		case r == '\t':
			line.AppendString(`\t`)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029':
			line.AppendBytes([]byte{'\\', 'u', hex[r>>12&0xf], hex[r>>8&0xf], hex[r>>4&0xf], hex[r&0xf]})
		default:
			line.AppendString(string(r))
		}
		s = s[size:]
	}
}

package logging

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// lineCost and fieldCost are what a held line and each of its fields need besides their texts, in bytes: about the
// size of zap's structs.
const (
	lineCost  = 200
	fieldCost = 64
)

// line is a line that is held back. Its fields are as they were when it was logged.
type line struct {
	to     zapcore.Core
	ent    zapcore.Entry
	fields []zapcore.Field
	size   int
}

func (l line) write() {
	if ce := l.to.Check(l.ent, nil); ce != nil {
		ce.Write(l.fields...)
	}
}

// holder is a core whose invocation holds its lines back.
type holder struct{ *core }

// Write implements zapcore.Core.
func (h holder) Write(ent zapcore.Entry, fields []zapcore.Field) error {
	ent, fields = h.prepare(ent, fields)
	f := freezer{size: lineCost + len(ent.Message) + len(ent.LoggerName) + len(ent.Stack)}
	l := line{to: h.below(), ent: ent, fields: f.fields(fields)}
	l.size = f.size
	h.invocation.hold(l)
	return nil
}

// hold keeps a line, and drops the oldest ones if they are too many. If the invocation has released its lines since
// the line was checked, it is written.
func (i *invocation) hold(l line) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.mode.Load() == modeAll:
		l.write()
		return
	case i.ended:
		return
	case l.size > i.limit:
		i.drop(l)
		return
	}
	first := 0
	for ; i.size+l.size > i.limit; first++ {
		i.drop(i.lines[first])
		i.size -= i.lines[first].size
		i.lines[first] = line{} // frees its texts
	}
	i.lines = append(i.lines[first:], l)
	i.size += l.size
}

func (i *invocation) drop(l line) {
	i.dropped++
	i.lost = line{to: l.to}
}

// release writes what is held, in its order, and lets every later line of the invocation be written at once.
func (i *invocation) release() {
	if i == nil || i.limit == 0 || i.mode.Load() == modeAll {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended || i.mode.Load() == modeAll {
		return
	}
	if i.dropped > 0 {
		i.lost.ent = zapcore.Entry{
			Level: zapcore.WarnLevel, Time: time.Now().Round(0), Message: "older lines did not fit into LOG_BUFFER and were dropped",
		}
		i.lost.fields = []zapcore.Field{zap.Int(KeyDropped, i.dropped)}
		i.lost.write()
	}
	for _, l := range i.lines {
		l.write()
	}
	i.empty()
	i.mode.Store(modeAll) // lines of other goroutines have waited in hold: the order is kept
}

func (i *invocation) empty() { i.lines, i.size, i.dropped, i.lost = nil, 0, 0, line{} }

// freezer copies fields with the values that they have now: the caller may change what they point to.
type freezer struct{ size int } // bytes of what it has copied

func (z *freezer) fields(fields []zapcore.Field) []zapcore.Field {
	out := make([]zapcore.Field, 0, len(fields))
	for _, f := range fields {
		switch f.Type {
		case zapcore.ArrayMarshalerType, zapcore.ObjectMarshalerType, zapcore.InlineMarshalerType, zapcore.BinaryType,
			zapcore.ByteStringType, zapcore.ReflectType, zapcore.StringerType, zapcore.ErrorType,
			zapcore.Complex64Type, zapcore.Complex128Type:
			out = append(out, z.encoded(f)...)
		default: // their values cannot change
			z.size += fieldCost + len(f.Key) + len(f.String)
			out = append(out, f)
		}
	}
	return out
}

// encoded returns the field as the members that the JSON of a line has of it: none, one, or with inlining several.
func (z *freezer) encoded(f zapcore.Field) []zapcore.Field {
	text, err := zapcore.NewJSONEncoder(consoleConfig()).EncodeEntry(zapcore.Entry{}, []zapcore.Field{f})
	if err != nil { // zap's own encoders return none
		return nil
	}
	defer text.Free()
	dec := json.NewDecoder(bytes.NewReader(text.Bytes()))
	dec.UseNumber()
	o, _ := z.value(dec).(object)
	return o
}

// value returns the next value: an object, an array, or a scalar.
func (z *freezer) value(dec *json.Decoder) any {
	token, err := dec.Token()
	if err != nil {
		return nil
	}
	z.size += fieldCost
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			var a array
			for dec.More() {
				a = append(a, z.value(dec))
			}
			_, _ = dec.Token() // its end
			return a
		}
		var o object
		for dec.More() {
			key, _ := z.value(dec).(string)
			o = append(o, field(key, z.value(dec)))
		}
		_, _ = dec.Token()
		return o
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return n
		}
		if n, err := strconv.ParseUint(t.String(), 10, 64); err == nil {
			return n
		}
		return t // as it is written: zap and encoding/json write large and small numbers in different ways
	case string:
		z.size += len(t)
		return t
	default:
		return t
	}
}

func field(key string, value any) zapcore.Field {
	switch v := value.(type) {
	case object:
		return zap.Object(key, v)
	case array:
		return zap.Array(key, v)
	case string:
		return zap.String(key, v)
	case int64:
		return zap.Int64(key, v)
	case uint64:
		return zap.Uint64(key, v)
	case bool:
		return zap.Bool(key, v)
	default: // null and json.Number; zap.Any would link zap's code for every list
		return zap.Reflect(key, v)
	}
}

// object is a JSON object with its members in their order.
type object []zapcore.Field

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (o object) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	for _, f := range o {
		f.AddTo(enc)
	}
	return nil
}

// array is a JSON array.
type array []any

// MarshalLogArray implements zapcore.ArrayMarshaler.
func (a array) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	for _, value := range a {
		var err error
		switch v := value.(type) {
		case object:
			err = enc.AppendObject(v)
		case array:
			err = enc.AppendArray(v)
		case string:
			enc.AppendString(v)
		default:
			err = enc.AppendReflected(v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

package logging

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.uber.org/zap/zapcore"
)

// Redacted replaces a secret.
const Redacted = "[REDACTED]"

// redactor hides secrets in the fields of log lines before any core sees them. It is safe for
// concurrent use.
type redactor struct {
	extra map[string]struct{} // normalised names of Config.RedactKeys
}

func newRedactor(keys []string) *redactor {
	r := &redactor{extra: make(map[string]struct{}, len(keys))}
	for _, key := range keys {
		var name keyName
		name.set(key)
		r.extra[string(name.bytes())] = struct{}{}
	}
	return r
}

// fields returns the fields without secrets, and the slice itself if there is nothing to hide. It
// redacts strings and numbers at once, and other values when a core encodes them.
func (r *redactor) fields(fields []zapcore.Field) []zapcore.Field {
	var out []zapcore.Field
	for i, f := range fields {
		switch f.Type {
		case zapcore.SkipType, zapcore.BoolType, zapcore.NamespaceType:
			continue
		case zapcore.StringType: // by far the most common: nothing is allocated if there is no secret
			if key, value := r.key(f.Key), r.named(f.Key, f.String); key != f.Key || value != f.String {
				f.Key, f.String = key, value
				break
			}
			continue
		case zapcore.Int64Type, zapcore.Float64Type:
			pan := isPAN(f.Integer)
			if f.Type == zapcore.Float64Type {
				pan = isPAN(math.Float64frombits(uint64(f.Integer)))
			}
			if !pan && !r.sensitive(f.Key) && r.key(f.Key) == f.Key {
				continue
			}
			f = r.deferred(f)
		default:
			if _, ok := f.Interface.(context.Context); ok {
				f.Type = zapcore.SkipType // a core may read the trace from it, and none writes its values
			} else {
				f = r.deferred(f)
			}
		}
		if out == nil {
			out = slices.Clone(fields)
		}
		out[i] = f
	}
	if out == nil {
		return fields
	}
	return out
}

// deferred returns a field that adds f to a core's encoder through the redacting one.
func (r *redactor) deferred(f zapcore.Field) zapcore.Field {
	return zapcore.Field{Type: zapcore.InlineMarshalerType, Interface: zapcore.ObjectMarshalerFunc(
		func(enc zapcore.ObjectEncoder) error {
			f.AddTo(objectEncoder{enc, r})
			return nil
		})}
}

// named returns the value that has the name, without secrets. An empty value stays visible.
func (r *redactor) named(name, value string) string {
	if value != "" && r.sensitive(name) {
		return Redacted
	}
	return r.value(value)
}

// key returns the name of a field without secrets. Small letters with a low line or a dot, as most names are, hold none:
// no secret that text finds is of these alone, and base64 has neither.
func (r *redactor) key(name string) string {
	separated := false
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_', c == '.':
			separated = true
		case c < 'a', c > 'z':
			return r.value(name)
		}
	}
	if !separated {
		return r.value(name)
	}
	return name
}

// value returns s without secrets. A base64 text is redacted if it encodes a text with a secret:
// encoding/json writes byte slices so.
func (r *redactor) value(s string) string {
	if redacted, changed := r.text(s); changed {
		return redacted
	}
	if !isBase64(s) {
		return s
	}
	if decoded, err := base64.StdEncoding.DecodeString(s); err == nil && r.hidesIn(decoded) {
		return Redacted
	}
	return s
}

// hidesIn reports whether b is a text with a secret.
func (r *redactor) hidesIn(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	_, changed := r.text(string(b))
	return changed
}

// reflected returns v as encoding/json writes it, as maps, slices and scalars without secrets. A core
// never gets v itself, which may hold more than its JSON has.
func (r *redactor) reflected(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	return r.tree(tree), nil
}

func (r *redactor) tree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		clean := make(map[string]any, len(v))
		for name, member := range v {
			if r.sensitive(name) && !absent(member) {
				clean[name] = Redacted
			} else {
				clean[r.value(name)] = r.tree(member)
			}
		}
		return clean
	case []any:
		for i := range v {
			v[i] = r.tree(v[i])
		}
		return v
	case string:
		return r.value(v)
	case json.Number:
		if len(v) >= panMin && panAt(v.String(), 0) == len(v) {
			return Redacted
		}
		return v
	default:
		return v
	}
}

// absent reports whether a value under a secret name holds nothing that could be secret.
func absent(v any) bool {
	switch v := v.(type) {
	case nil, bool:
		return true
	case string:
		return v == ""
	default:
		return false
	}
}

// isPAN reports whether the number is a card number.
func isPAN[T int64 | uint64 | float64](n T) bool {
	const smallest, limit = 1e12, 1e18 * 9
	if n < smallest || n > limit || T(uint64(n)) != n {
		return false
	}
	digits := strconv.FormatUint(uint64(n), 10)
	return panAt(digits, 0) == len(digits)
}

// isBase64 reports whether s may be the base64 of a text that is long enough for a secret.
func isBase64(s string) bool {
	const shortest = 12
	if len(s) < shortest || len(s)%4 != 0 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isWord(c) && c != '+' && c != '/' && c != '=' || c == '_' {
			return false
		}
	}
	return true
}

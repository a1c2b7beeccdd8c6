package logging

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"
)

// Redacted stands where a secret stood.
const Redacted = "[REDACTED]"

// redactor hides secrets in a finished JSON line. Working on the line, and not on zap's fields,
// leaves no kind of field, marshaler or nesting that could pass it by; it costs one scan, and an
// allocation only where something is hidden. It is safe for concurrent use.
type redactor struct {
	extra map[string]struct{} // normalised names of Config.RedactKeys
}

func newRedactor(keys []string) *redactor {
	r := &redactor{extra: make(map[string]struct{}, len(keys))}
	for _, key := range keys {
		var name keyName
		name.set([]byte(key))
		r.extra[string(name.bytes())] = struct{}{}
	}
	return r
}

// splice builds a redacted copy of src, and none while nothing was replaced.
type splice struct {
	src, out []byte
	last     int // src up to here is in out
}

func (s *splice) replace(from, to int, with string) {
	if s.out == nil {
		s.out = make([]byte, 0, len(s.src)+64)
	}
	s.out = append(append(s.out, s.src[s.last:from]...), with...)
	s.last = to
}

func (s *splice) changed() bool { return s.out != nil }

func (s *splice) bytes() []byte {
	if s.out == nil {
		return s.src
	}
	return append(s.out, s.src[s.last:]...)
}

// line returns the JSON of src without secrets; src itself when there are none. Bytes that are
// not JSON pass through unharmed.
func (r *redactor) line(src []byte) []byte {
	out := splice{src: src}
	for i := 0; i < len(src); {
		switch c := src[i]; {
		case c == '"':
			i = r.jsonString(&out, i)
		case c >= '0' && c <= '9':
			end := numberEnd(src, i)
			if end-i >= panMin && panAt(src[:end], i) == end {
				out.replace(i, end, `"`+Redacted+`"`)
			}
			i = end
		default:
			i++
		}
	}
	return out.bytes()
}

// jsonString handles the string that opens at src[i], and when it is the key of a secret its
// value too. It returns where to go on.
func (r *redactor) jsonString(out *splice, i int) int {
	src := out.src
	start := i + 1
	end, seen := stringEnd(src, start)
	if end == len(src) {
		return end
	}

	colon := skipSpace(src, end+1)
	if colon < len(src) && src[colon] == ':' {
		if r.sensitive(unescape(src[start:end], seen)) {
			from := skipSpace(src, colon+1)
			to := valueEnd(src, from)
			if !empty(src[from:to]) {
				out.replace(from, to, `"`+Redacted+`"`)
			}
			return to
		}
	}

	if seen.suspicious(end - start) {
		plain := unescape(src[start:end], seen)
		if redacted, changed := r.value(plain, seen); changed {
			if seen.escape {
				redacted = escape(redacted)
			}
			out.replace(start, end, string(redacted))
		}
	}
	return end + 1
}

// value redacts one string value; also one that is the base64 of a text with a secret, which is
// how byte slices are logged.
func (r *redactor) value(plain []byte, seen features) ([]byte, bool) {
	if redacted, changed := r.text(plain); changed {
		return redacted, true
	}
	if !seen.base64(len(plain)) {
		return plain, false
	}
	decoded, err := base64.StdEncoding.AppendDecode(nil, plain)
	if err != nil || !utf8.Valid(decoded) {
		return plain, false
	}
	if _, changed := r.text(decoded); changed {
		return []byte(Redacted), true
	}
	return plain, false
}

// features is what one pass over a string learned about it.
type features struct {
	escape bool // a backslash
	digits int
	space  bool
	assign bool // "=" or ":"
	dot    bool
	other  bool // a byte outside base64's alphabet
}

// suspicious tells cheaply that a string cannot hold a secret that text would find.
func (f features) suspicious(length int) bool {
	return f.escape || f.space || f.assign || f.dot || f.digits >= panMin || f.base64(length)
}

// base64Min is the shortest base64 text that is looked into.
const base64Min = 12

func (f features) base64(length int) bool {
	return !f.other && length >= base64Min && length%4 == 0
}

// stringEnd returns the index of the closing quote of the string whose first byte is src[i], or
// len(src).
func stringEnd(src []byte, i int) (int, features) {
	var f features
	for ; i < len(src); i++ {
		switch c := src[i]; {
		case c == '"':
			return i, f
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '+' || c == '/':
		case c >= '0' && c <= '9':
			f.digits++
		case c == '=':
			f.assign = true
		case c == '\\':
			f.escape, f.other = true, true
			i++
		case c == ':':
			f.assign, f.other = true, true
		case c == ' ':
			f.space, f.other = true, true
		case c == '.':
			f.dot, f.other = true, true
		default:
			f.other = true
		}
	}
	return len(src), f
}

// unescape returns the text of a JSON string's inside.
func unescape(raw []byte, seen features) []byte {
	if !seen.escape {
		return raw
	}
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return raw
	}
	return []byte(s)
}

// escape is the inverse of unescape.
func escape(plain []byte) []byte {
	quoted, err := json.Marshal(string(plain))
	if err != nil { // a string always marshals
		return []byte(Redacted)
	}
	return quoted[1 : len(quoted)-1]
}

// empty reports whether a JSON value holds nothing that could be secret.
func empty(value []byte) bool {
	switch string(value) {
	case "", `""`, "null", "true", "false", "{}", "[]":
		return true
	default:
		return false
	}
}

func skipSpace(src []byte, i int) int {
	for i < len(src) && (src[i] == ' ' || src[i] == '\t' || src[i] == '\n' || src[i] == '\r') {
		i++
	}
	return i
}

// numberEnd returns the index after the number that starts at src[i].
func numberEnd(src []byte, i int) int {
	for i < len(src) && bytes.IndexByte([]byte("0123456789+-.eE"), src[i]) >= 0 {
		i++
	}
	return i
}

// valueEnd returns the index after the JSON value that starts at src[i].
func valueEnd(src []byte, i int) int {
	depth := 0
	for ; i < len(src); i++ {
		switch src[i] {
		case '"':
			i, _ = stringEnd(src, i+1)
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return min(i+1, len(src))
		}
	}
	return i
}

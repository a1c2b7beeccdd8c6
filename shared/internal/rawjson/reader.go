// Package rawjson reads and writes the JSON of Lambda's events and of DynamoDB by hand. Their shapes are known, and
// encoding/json takes most of the time of a function that does little.
package rawjson

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var (
	errSyntax = errors.New("malformed JSON")
	errType   = errors.New("a field does not have the type of the format")
	errDepth  = errors.New("JSON nested too deeply")
)

// maxDepth is above what any event and DynamoDB's deepest item need (32 levels, 69 of JSON), and keeps a hostile text from
// growing the stack.
const maxDepth = 128

// Reader reads one JSON text, field by field, into what the caller asks for. encoding/json scans a text twice and
// allocates every string. Here strings without escapes are parts of the text.
//
// null reads as the zero value. The first error sticks and makes every later read a no-op.
type Reader struct {
	text     string
	at       int
	depth    int
	err      error
	failedAt int // where err was found
}

// NewReader returns a reader of the text.
func NewReader(text string) *Reader { return &Reader{text: text} }

// Err returns the first error, with its place, or nil.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return fmt.Errorf("%w at byte %d", r.err, r.failedAt)
}

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err, r.failedAt = err, r.at
	}
	r.at = len(r.text) // ends every loop
}

// peek skips white space and returns the next byte, 0 at the end.
func (r *Reader) peek() byte {
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (r *Reader) take(c byte) bool {
	if r.peek() != c || r.at == len(r.text) {
		return false
	}
	r.at++
	return true
}

func (r *Reader) word(word string) {
	if !strings.HasPrefix(r.text[r.at:], word) {
		r.fail(errSyntax)
		return
	}
	r.at += len(word)
}

// Null consumes a null, if one is next.
func (r *Reader) Null() bool {
	if r.peek() != 'n' {
		return false
	}
	r.word("null")
	return true
}

// End fails if anything but white space follows.
func (r *Reader) End() {
	if r.peek() != 0 || r.at < len(r.text) {
		r.fail(errSyntax)
	}
}

// Object calls field with every name; field must read the value.
func (r *Reader) Object(field func(name string)) {
	if !r.open('{') {
		return
	}
	defer func() { r.depth-- }()
	if r.take('}') {
		return
	}
	for r.err == nil {
		if r.peek() != '"' {
			r.fail(errSyntax)
			return
		}
		name := r.Text()
		if !r.take(':') {
			r.fail(errSyntax)
			return
		}
		field(name)
		if r.close('}') {
			return
		}
	}
}

// Array calls element for every element; element must read it.
func (r *Reader) Array(element func()) {
	if !r.open('[') {
		return
	}
	defer func() { r.depth-- }()
	if r.take(']') {
		return
	}
	for r.err == nil {
		element()
		if r.close(']') {
			return
		}
	}
}

func (r *Reader) open(bracket byte) bool {
	if r.Null() {
		return false
	}
	if !r.take(bracket) {
		r.fail(errType)
		return false
	}
	if r.depth++; r.depth > maxDepth {
		r.fail(errDepth)
	}
	return true
}

// close consumes the bracket that ends a list, or the comma before its next element.
func (r *Reader) close(bracket byte) bool {
	if r.take(bracket) {
		return true
	}
	if !r.take(',') {
		r.fail(errSyntax)
	}
	return false
}

// Text reads a string.
func (r *Reader) Text() string {
	if r.Null() {
		return ""
	}
	if !r.take('"') {
		r.fail(errType)
		return ""
	}
	start, ascii := r.at, true
	for r.at = plain(r.text, r.at); r.at < len(r.text); r.at = plain(r.text, r.at+1) {
		switch c := r.text[r.at]; {
		case c == '"':
			s := r.text[start:r.at]
			r.at++
			if !ascii && !utf8.ValidString(s) {
				s = validUTF8(s)
			}
			return s
		case c == '\\':
			return r.unescape(start)
		case c < ' ':
			r.fail(errSyntax)
			return ""
		default:
			ascii = false
		}
	}
	r.fail(errSyntax)
	return ""
}

// unescape reads on from the first backslash of the string that began at start.
func (r *Reader) unescape(start int) string {
	out := make([]byte, 0, 2*(r.at-start)+64)
	out = append(out, r.text[start:r.at]...)
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == '"':
			if s := string(out); utf8.ValidString(s) {
				return s
			}
			return validUTF8(string(out))
		case c < ' ':
			r.fail(errSyntax)
			return ""
		case c != '\\':
			out = append(out, c)
			continue
		}
		if r.at == len(r.text) {
			break
		}
		c = r.text[r.at]
		r.at++
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			out = utf8.AppendRune(out, r.escapedRune())
		default:
			r.fail(errSyntax)
		}
	}
	r.fail(errSyntax)
	return ""
}

// escapedRune reads the four digits after \u, and the second half of a surrogate pair. A lone
// half is U+FFFD, as in encoding/json.
func (r *Reader) escapedRune() rune {
	first, ok := r.hex4(r.at)
	if !ok {
		r.fail(errSyntax)
		return utf8.RuneError
	}
	r.at += 4
	if !utf16.IsSurrogate(first) {
		return first
	}
	if strings.HasPrefix(r.text[r.at:], `\u`) {
		if second, ok := r.hex4(r.at + 2); ok {
			if pair := utf16.DecodeRune(first, second); pair != utf8.RuneError {
				r.at += 6
				return pair
			}
		}
	}
	return utf8.RuneError
}

func (r *Reader) hex4(at int) (rune, bool) {
	if at+4 > len(r.text) {
		return 0, false
	}
	var value rune
	for _, c := range []byte(r.text[at : at+4]) {
		digit := strings.IndexByte(hex, c|0x20)
		if digit < 0 || c < '0' {
			return 0, false
		}
		value = value<<4 | rune(digit)
	}
	return value, true
}

// validUTF8 replaces every byte that is not UTF-8 by U+FFFD.
func validUTF8(s string) string { return string([]rune(s)) }

// Bool reads true or false.
func (r *Reader) Bool() bool {
	switch r.peek() {
	case 'n':
		r.word("null")
	case 't':
		r.word("true")
		return r.err == nil
	case 'f':
		r.word("false")
	default:
		r.fail(errType)
	}
	return false
}

// Integer reads a number and drops its fraction.
func (r *Reader) Integer() int64 {
	if r.Null() {
		return 0
	}
	text := r.number()
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	const exact = 1 << 53
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f > exact || f < -exact {
		r.fail(errType)
		return 0
	}
	return int64(f)
}

// number reads a number's text (RFC 8259 section 6).
func (r *Reader) number() string {
	r.peek()
	start := r.at
	if r.byteIs('-') {
		r.at++
	}
	switch {
	case r.byteIs('0'):
		r.at++
	case !r.digits():
		r.fail(errType)
		return ""
	}
	if r.byteIs('.') {
		r.at++
		if !r.digits() {
			r.fail(errSyntax)
			return ""
		}
	}
	if r.byteIs('e') || r.byteIs('E') {
		r.at++
		if r.byteIs('+') || r.byteIs('-') {
			r.at++
		}
		if !r.digits() {
			r.fail(errSyntax)
			return ""
		}
	}
	return r.text[start:r.at]
}

func (r *Reader) byteIs(c byte) bool { return r.at < len(r.text) && r.text[r.at] == c }

func (r *Reader) digits() bool {
	start := r.at
	for r.at < len(r.text) && '0' <= r.text[r.at] && r.text[r.at] <= '9' {
		r.at++
	}
	return r.at > start
}

// Skip reads any value and returns its text.
func (r *Reader) Skip() string {
	c := r.peek()
	start := r.at
	switch c {
	case '{':
		r.Object(func(string) { r.Skip() })
	case '[':
		r.Array(func() { r.Skip() })
	case '"':
		_ = r.Text()
	case 't', 'f', 'n':
		r.Bool()
	default:
		r.number()
	}
	if r.err != nil {
		return ""
	}
	return r.text[start:r.at]
}

// Scalar reads any value. Strings, numbers and booleans are kept, as text: a number keeps every
// digit. ok is false for objects, lists and null.
func (r *Reader) Scalar() (text string, ok bool) {
	switch r.peek() {
	case '{', '[', 'n':
		r.Skip()
		return "", false
	case '"':
		return r.Text(), r.err == nil
	default:
		return r.Skip(), r.err == nil
	}
}

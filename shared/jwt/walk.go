package jwt

import (
	"bytes"
	"fmt"
)

// members calls fn for every member of a JSON object, in order. data is valid JSON: tokens.decode
// has checked it before it calls UnmarshalJSON. A name with escapes is refused, because we never
// write one and it would be a second spelling.
func members(data []byte, fn func(name, value []byte) error) error {
	i := skipSpace(data, 0)
	if i == len(data) || data[i] != '{' {
		return fmt.Errorf("%w: not an object", errClaims)
	}
	for i = skipSpace(data, i+1); i < len(data) && data[i] != '}'; i = next(data, i) {
		end := valueEnd(data, i)
		name := data[i:end]
		if len(name) < 2 || bytes.IndexByte(name, '\\') >= 0 {
			return fmt.Errorf("%w: an escaped name", errClaims)
		}
		from := skipSpace(data, skipSpace(data, end)+1) // after the colon
		i = valueEnd(data, from)
		if from >= i {
			return fmt.Errorf("%w: a name without a value", errClaims)
		}
		if err := fn(name[1:len(name)-1], data[from:i]); err != nil {
			return err
		}
	}
	return nil
}

// elements calls fn for every element of a JSON list, in order. data is valid JSON.
func elements(data []byte, fn func(element []byte) error) error {
	if data[0] != '[' {
		return fmt.Errorf("%w: not a list", errClaims)
	}
	for i := skipSpace(data, 1); i < len(data) && data[i] != ']'; i = next(data, i) {
		end := valueEnd(data, i)
		if err := fn(data[i:end]); err != nil {
			return err
		}
		i = end
	}
	return nil
}

// next returns the index of what follows the comma behind a value, or of the closing bracket.
func next(data []byte, i int) int {
	if i = skipSpace(data, i); i < len(data) && data[i] == ',' {
		i = skipSpace(data, i+1)
	}
	return i
}

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t' || data[i] == '\n' || data[i] == '\r') {
		i++
	}
	return min(i, len(data))
}

// valueEnd returns the index after the JSON value that starts at data[i].
func valueEnd(data []byte, i int) int {
	depth := 0
	for ; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = quoteEnd(data, i)
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return min(i+1, len(data))
		}
	}
	return min(i, len(data))
}

// quoteEnd returns the index of the quote that ends the string which starts at data[i].
func quoteEnd(data []byte, i int) int {
	for i++; i < len(data); i++ {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return len(data)
		}
		escape := bytes.IndexByte(data[i:i+n], '\\')
		if escape < 0 {
			return i + n
		}
		i += escape + 1 // what it escapes
	}
	return i
}

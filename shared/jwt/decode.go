package jwt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The types of a claim that is a number.
type (
	// seconds is a date in whole seconds since the epoch, after it and of at most eleven digits.
	seconds int64
	// number is a whole number from 0 to maxNumber.
	number int64
)

const (
	// maxNumber is the largest integer that every JSON decoder reads exactly (RFC 8259 section 6).
	maxNumber = 1<<53 - 1
	// maxSeconds has eleven digits: the year 5138.
	maxSeconds = 99_999_999_999
	// maxOtherClaims bounds the work on names that we do not know.
	maxOtherClaims = 32
)

// decode decodes a claim set strictly where encoding/json guesses: a name must be spelled exactly
// ("EXP" and "roleſ" are not other spellings of a claim), stand once, and have a value of its own
// type; times are whole seconds. Claims with other names are skipped: a newer signer may add
// some. target returns where a claim is decoded to, and a bit of its own.
func decode(data []byte, target func(name []byte) (dst any, bit uint32)) error {
	var seen uint32
	var others []string
	return members(data, func(name, value []byte) error {
		dst, bit := target(name)
		if dst == nil {
			if slices.Contains(others, string(name)) || len(others) == maxOtherClaims || almost(name, target) {
				return fmt.Errorf("%w: a name that is repeated or almost one of ours, or too many names", errClaims)
			}
			others = append(others, string(name))
			return nil
		}
		if seen&bit != 0 {
			return fmt.Errorf("%w: %s stands twice", errClaims, name)
		}
		seen |= bit

		var err error
		switch dst := dst.(type) {
		case *string:
			*dst, err = text(value)
		case *[]string:
			*dst, err = texts(value)
		case *seconds:
			var n int64
			n, err = integer(value, 1, maxSeconds)
			*dst = seconds(n)
		case *number:
			var n int64
			n, err = integer(value, 0, maxNumber)
			*dst = number(n)
		}
		if err != nil {
			return fmt.Errorf("%w: %s", err, name)
		}
		return nil
	})
}

// almost reports whether a decoder that ignores case would take the name for one of ours.
func almost(name []byte, target func([]byte) (any, uint32)) bool {
	dst, _ := target([]byte(strings.Map(fold, string(name))))
	return dst != nil
}

// fold maps every rune to the lower-case ASCII letter that it equals under simple folding, as
// encoding/json compares names.
func fold(r rune) rune {
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		if next >= 'a' && next <= 'z' {
			return next
		}
	}
	return r
}

// text decodes a JSON string.
func text(value []byte) (string, error) {
	if len(value) < 2 || value[0] != '"' || !utf8.Valid(value) {
		return "", fmt.Errorf("%w: not a string", errClaims)
	}
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), nil
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return "", fmt.Errorf("%w: not a string", errClaims)
	}
	return s, nil
}

// texts decodes a JSON list of strings.
func texts(value []byte) ([]string, error) {
	list := []string{}
	err := elements(value, func(element []byte) error {
		s, err := text(element)
		list = append(list, s)
		return err
	})
	return list, err
}

// integer decodes a JSON number that is written as a whole one.
func integer(value []byte, least, most int64) (int64, error) {
	// Seventeen digits do not overflow.
	if len(value) == 0 || len(value) > 17 || value[0] == '0' && len(value) > 1 {
		return 0, fmt.Errorf("%w: not a whole number", errClaims)
	}
	var n int64
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%w: not a whole number", errClaims)
		}
		n = n*10 + int64(c-'0')
	}
	if n < least || n > most {
		return 0, fmt.Errorf("%w: a number out of range", errClaims)
	}
	return n, nil
}

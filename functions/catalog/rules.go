package catalog

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Limits of a product's fields; lengths are in characters (Unicode code points).
const (
	MaxName           = 200
	MaxDescription    = 5000
	MaxTags           = 20
	MaxTag            = 50
	MaxAttributes     = 50
	MaxAttributeName  = 64
	MaxAttributeValue = 256
	MaxReason         = 200
	// MaxDelta is the largest stock movement in pieces.
	MaxDelta = 1_000_000
)

var (
	skuPattern      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	categoryPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

// rules collects the fields that break a rule.
type rules struct {
	broken []problem.FieldError
}

func (r *rules) refuse(pointer, format string, args ...any) {
	r.broken = append(r.broken, problem.FieldError{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

func (r *rules) sku(sku string) {
	if !skuPattern.MatchString(sku) {
		r.refuse("/sku", "must be 1 to 64 characters of A-Z a-z 0-9 . _ - and start with a letter or digit")
	}
}

// given notes that a required member is absent, and reports whether it is there.
func (r *rules) given(pointer string, present bool) bool {
	if !present {
		r.refuse(pointer, "is required")
	}
	return present
}

func (r *rules) name(name string) { r.line("/name", name, MaxName) }

func (r *rules) category(category string) {
	if len(category) > 64 || !categoryPattern.MatchString(category) {
		r.refuse("/category", "must be a slug of 1 to 64 characters, such as coffee-beans")
	}
}

func (r *rules) price(price money.Money) {
	r.broken = append(r.broken, price.Validate("/price")...)
	if price.AmountMinor < 0 {
		r.refuse("/price/amount_minor", "must not be negative")
	}
}

func (r *rules) tags(tags []string) {
	if len(tags) > MaxTags {
		r.refuse("/tags", "must not have more than %d entries", MaxTags)
		return
	}
	for i, tag := range tags {
		pointer := fmt.Sprintf("/tags/%d", i)
		r.line(pointer, tag, MaxTag)
	}
}

func (r *rules) attributes(attributes map[string]string) {
	if len(attributes) > MaxAttributes {
		r.refuse("/attributes", "must not have more than %d members", MaxAttributes)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if utf8.RuneCountInString(name) > MaxAttributeName || !visible(name) || !singleLine(name) || strings.ContainsFunc(name, notText) {
			r.refuse("/attributes", "names must be one line of 1 to %d characters without control characters", MaxAttributeName)
			continue
		}
		r.text(problem.Pointer("/attributes", name), attributes[name], MaxAttributeValue)
	}
}

// line is text in one line that shows something.
func (r *rules) line(pointer, s string, limit int) {
	switch {
	case !visible(s):
		r.refuse(pointer, "must not be blank")
	case !singleLine(s):
		r.refuse(pointer, "must be one line")
	default:
		r.text(pointer, s, limit)
	}
}

// text refuses more than limit characters, and characters that are no text: controls other than line
// breaks and tabs, what turns the direction of the text around it, and code points that are no
// characters.
func (r *rules) text(pointer, s string, limit int) {
	if utf8.RuneCountInString(s) > limit {
		r.refuse(pointer, "must not have more than %d characters", limit)
	}
	if strings.ContainsFunc(s, notText) {
		r.refuse(pointer, "must not contain control characters")
	}
}

func notText(c rune) bool {
	switch {
	case c == '\n', c == '\r', c == '\t':
		return false
	case c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069: // bidirectional overrides and isolates
		return true
	case c >= 0xfdd0 && c <= 0xfdef, c&0xfffe == 0xfffe: // noncharacters (Unicode section 23.7)
		return true
	default:
		return unicode.IsControl(c)
	}
}

// visible reports whether s has a character that is seen: a letter, digit, mark on one, symbol or
// punctuation.
func visible(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool {
		return unicode.IsLetter(c) || unicode.IsNumber(c) || unicode.IsSymbol(c) || unicode.IsPunct(c)
	})
}

func singleLine(s string) bool { return !strings.ContainsAny(s, "\n\r\u2028\u2029") }

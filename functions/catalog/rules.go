package catalog

import (
	"fmt"
	"regexp"
	"strings"
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

func (r *rules) name(name string) {
	r.text("/name", name, MaxName)
	if strings.TrimSpace(name) == "" {
		r.refuse("/name", "must not be blank")
	}
}

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
		r.text(pointer, tag, MaxTag)
		if strings.TrimSpace(tag) == "" {
			r.refuse(pointer, "must not be blank")
		}
	}
}

func (r *rules) attributes(attributes map[string]string) {
	if len(attributes) > MaxAttributes {
		r.refuse("/attributes", "must not have more than %d members", MaxAttributes)
		return
	}
	for name, value := range attributes {
		pointer := "/attributes/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		if name == "" || utf8.RuneCountInString(name) > MaxAttributeName {
			r.refuse("/attributes", "names must have 1 to %d characters", MaxAttributeName)
		}
		r.text(pointer, value, MaxAttributeValue)
	}
}

// text refuses control characters other than line breaks and tabs, and more than limit characters.
func (r *rules) text(pointer, s string, limit int) {
	if utf8.RuneCountInString(s) > limit {
		r.refuse(pointer, "must not have more than %d characters", limit)
	}
	if strings.ContainsFunc(s, func(c rune) bool { return (c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f }) {
		r.refuse(pointer, "must not contain control characters")
	}
}

package catalog

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/tienda-dev/tienda/internal/policy"
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
	maxCategory       = 64 // in ASCII
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

// given refuses a required member that is absent, and reports whether it is present.
func (r *rules) given(pointer string, present bool) bool {
	if !present {
		r.refuse(pointer, "is required")
	}
	return present
}

func (r *rules) name(name string) { r.line("/name", name, MaxName) }

func (r *rules) category(category string) {
	if len(category) > maxCategory || !categoryPattern.MatchString(category) {
		r.refuse("/category", "must be a slug of 1 to %d characters, such as coffee-beans", maxCategory)
	}
}

func (r *rules) price(price money.Money) {
	r.currency(price.Currency)
	r.amount(price.AmountMinor)
}

func (r *rules) currency(code string) {
	r.broken = append(r.broken, money.Money{Currency: code}.Validate("/price")...)
}

// amount checks an amount that the decoder has read, and bounded by that.
func (r *rules) amount(minor int64) {
	if minor < 0 {
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
	if !r.attributeCount(len(attributes)) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if fault := policy.NameFault(name, MaxAttributeName); fault != "" {
			r.refuse("/attributes", "names %s", fault)
			continue
		}
		r.text(problem.Pointer("/attributes", name), attributes[name], MaxAttributeValue)
	}
}

func (r *rules) attributeCount(n int) bool {
	if n > MaxAttributes {
		r.refuse("/attributes", "must not have more than %d members", MaxAttributes)
	}
	return n <= MaxAttributes
}

// line checks text that has one line and is not blank.
func (r *rules) line(pointer, s string, limit int) {
	if fault := policy.NameFault(s, limit); fault != "" {
		r.refuse(pointer, "%s", fault)
	}
}

// text checks text that may be empty or have several lines.
func (r *rules) text(pointer, s string, limit int) {
	if fault := policy.TextFault(s, limit); fault != "" {
		r.refuse(pointer, "%s", fault)
	}
}

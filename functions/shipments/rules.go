package shipments

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Limits of what clients send.
const (
	// MaxLines is the most lines of a shipment: an order has no more.
	MaxLines = 40
	// MaxQuantity is the most pieces of a line.
	MaxQuantity = 1_000_000
	// MaxCarrier is the longest name of a carrier in characters.
	MaxCarrier = 64

	// firstYear is the first year of a report: an earlier one is a clock that was not set.
	firstYear = 2000
)

var (
	skuPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	eventPattern = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)
	tokenPattern = regexp.MustCompile(`^[A-Z2-7]{26}$`)
)

// rules collects the fields that break a rule.
type rules struct {
	broken []problem.FieldError
}

func (r *rules) refuse(pointer, format string, args ...any) {
	r.broken = append(r.broken, problem.FieldError{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

// given refuses a required member that is absent, and reports whether it is present.
func (r *rules) given(pointer string, present bool) bool {
	if !present {
		r.refuse(pointer, "is required")
	}
	return present
}

func (r *rules) carrier(name string) {
	if fault := policy.NameFault(name, MaxCarrier); fault != "" {
		r.refuse("/carrier", "%s", fault)
	}
}

func (r *rules) lines(lines []lineRequest) {
	if len(lines) == 0 || len(lines) > MaxLines {
		r.refuse("/lines", "must have 1 to %d entries, or be absent", MaxLines)
		return
	}
	seen := map[string]bool{}
	for i, l := range lines {
		at := fmt.Sprintf("/lines/%d", i)
		if r.given(at+"/sku", l.SKU != nil) {
			switch {
			case !skuPattern.MatchString(*l.SKU):
				r.refuse(at+"/sku", "must be 1 to 64 characters of A-Z a-z 0-9 . _ - and start with a letter or digit")
			case seen[*l.SKU]:
				r.refuse(at+"/sku", "must not be in an earlier line")
			}
			seen[*l.SKU] = true
		}
		if r.given(at+"/quantity", l.Quantity != nil) && (*l.Quantity < 1 || *l.Quantity > MaxQuantity) {
			r.refuse(at+"/quantity", "must be 1 to %d", MaxQuantity)
		}
	}
}

func (r *rules) report(eventID *string, of *ScanType, at *api.Time) {
	if r.given("/event_id", eventID != nil) && !eventPattern.MatchString(*eventID) {
		r.refuse("/event_id", "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -")
	}
	if r.given("/type", of != nil) && !slices.Contains(ScanTypes(), *of) {
		r.refuse("/type", "must be one of %v", ScanTypes())
	}
	if r.given("/at", at != nil) && at.Year() < firstYear {
		r.refuse("/at", "must be in the year %d or later", firstYear)
	}
}

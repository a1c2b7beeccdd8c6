package orderstest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Code is a discount code. A code that no test has put may be used by every order.
type Code struct {
	// Ended codes are for orders of quotes alone.
	Ended bool
	// Left is how many orders may use the code.
	Left int64
}

// The errors of codes are pricing's.
var (
	ErrCodeInvalid = problem.New(problem.Invalid, "code_invalid", "A discount code cannot be used for this order.")
	ErrCodeUsedUp  = problem.New(problem.Invalid, "code_used_up", "A discount code was used as often as it may be.")
)

// The reasons of the errors of codes.
const (
	CodeHasEnded = "has expired"
	CodeIsUsedUp = "was used as often as it may be"
)

// checkCodes returns the error of the first code that the order cannot use.
func (m *Memory) checkCodes(o orders.Order) error {
	for _, code := range o.Codes {
		c, ok := m.codes[code]
		switch {
		case !ok:
		case c.Ended && o.QuoteID == "":
			return o.CodeRefused(ErrCodeInvalid, code, CodeHasEnded)
		case c.Left == 0:
			return o.CodeRefused(ErrCodeUsedUp, code, CodeIsUsedUp)
		}
	}
	return nil
}

// countCodes counts n uses of each code by the order's customer.
func (m *Memory) countCodes(o orders.Order, n int64) {
	for _, code := range o.Codes {
		m.uses[[2]string{code, o.Customer}] += n
		if c, ok := m.codes[code]; ok {
			c.Left -= n
			m.codes[code] = c
		}
	}
}

func testCodes(t *testing.T, newShop func(t *testing.T) Shop) {
	t.Helper()
	ended, usedUp := Code{Ended: true, Left: 1}, Code{Left: 0}
	for name, tc := range map[string]struct {
		code  Code
		quote string
		want  error
		field problem.FieldError
	}{
		"Ended":         {ended, "", ErrCodeInvalid, problem.FieldError{Pointer: "/discount_codes/1", Detail: CodeHasEnded}},
		"UsedUp":        {usedUp, "", ErrCodeUsedUp, problem.FieldError{Pointer: "/discount_codes/1", Detail: CodeIsUsedUp}},
		"EndedOfAQuote": {ended, "quote-1", nil, problem.FieldError{}},
		"UsedUpOfAQuote": {
			usedUp, "quote-1", ErrCodeUsedUp,
			problem.FieldError{Pointer: "/quote_id", Detail: "has the discount code TEN, which " + CodeIsUsedUp},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := newShop(t)
			Stocked(t, shop, 5, "A")
			if err := shop.PutCode(t.Context(), "TEN", tc.code); err != nil {
				t.Fatal(err)
			}
			o := NewOrder("A")
			o.Codes, o.QuoteID = []string{"OTHER", "TEN"}, tc.quote
			err := shop.Create(t.Context(), Creation(o))
			if !errors.Is(err, tc.want) {
				t.Fatalf("Create: %v, want %v", err, tc.want)
			}
			if err == nil {
				wantUses(t, shop, 1)
				return
			}
			e, _ := problem.As(err)
			if diff := cmp.Diff([]problem.FieldError{tc.field}, e.Errors); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			wantUses(t, shop, 0)
			wantStock(t, shop, "A", Stock{Available: 5})
		})
	}
}

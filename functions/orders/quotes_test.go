package orders_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/orderstest"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

// A quote keeps its price as long as its products are for sale at the quoted prices, whatever happens to its codes.
func TestQuotesOfChangedProducts(t *testing.T) {
	t.Parallel()
	gone := problem.Fields(problem.FieldError{Pointer: "/lines/0/sku", Detail: "is not a product that is for sale"})
	ended := orderstest.ErrCodeInvalid.WithFields(problem.FieldError{Pointer: "/discount_codes/0", Detail: "has expired"})
	down := errors.New("the store does not answer")
	for name, tc := range map[string]struct {
		price int64
		// items and codes are the errors of every price, and of a price with codes.
		items, codes error
		want         error
		total        *money.Money
	}{
		"NewText":                  {1000, nil, nil, nil, nil},
		"NewTextAndEndedCode":      {1000, nil, ended, nil, nil},
		"NewPrice":                 {1100, nil, nil, orders.ErrPriceChanged, new(eur(3162))},
		"NewPriceAndEndedCode":     {1100, nil, ended, orders.ErrPriceChanged, nil},
		"NoLongerForSale":          {1000, gone, nil, orders.ErrPriceChanged, nil},
		"StoreThatDoesNotAnswer":   {1000, down, nil, down, nil},
		"NewPriceAndNoAnswerLater": {1100, nil, down, down, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.offers.version = 2
			s.stock(5, "A") // in version 2
			s.offers.version = 1
			s.quote(quoteID)
			quoted := s.offers.quotes[quoteID]
			quoted.Codes = []string{"TEN"}
			quoted.Discount, quoted.Total = eur(100), eur(2820)
			s.offers.quotes[quoteID] = quoted
			s.offers.items, s.offers.codes = tc.items, tc.codes
			s.service = orders.NewService(learning{s.store, s.offers, tc.price}, s.offers, s.now)
			o, err := s.service.Create(t.Context(), orders.NewOrder{Customer: maria, QuoteID: quoteID})
			if !errors.Is(err, tc.want) {
				t.Fatalf("Create: %v, want %v", err, tc.want)
			}
			if err == nil {
				if o.Total != quoted.Total || o.Discount != quoted.Discount {
					t.Errorf("total %v, discount %v; want the quote's %v, %v", o.Total, o.Discount, quoted.Total, quoted.Discount)
				}
				return
			}
			if refused, ok := problem.As(err); ok {
				if diff := cmp.Diff(tc.total, totalOf(t, refused)); diff != "" || len(refused.Errors) > 0 {
					t.Errorf("total (-want +got):\n%s errors: %v", diff, refused.Errors)
				}
			}
			s.wantStock("A", orderstest.Stock{Available: 5})
		})
	}
}

// totalOf returns the member total of an answer, nil if it has none.
func totalOf(t *testing.T, refused *problem.Error) *money.Money {
	t.Helper()
	document, err := refused.Document("request")
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Total *money.Money `json:"total"`
	}
	if err := json.Unmarshal(document, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Total
}

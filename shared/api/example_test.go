package api_test

import (
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// order is the body of a request.
type order struct {
	Quantity int    `json:"quantity"`
	Note     string `json:"note"`
}

// Validate implements api.Validator: Decode calls it.
func (o order) Validate() []problem.FieldError {
	if o.Quantity < 1 {
		return []problem.FieldError{{Pointer: "/quantity", Detail: "must be at least 1"}}
	}
	return nil
}

func ExampleDecode() {
	r := httptest.NewRequest("POST", "/orders", strings.NewReader(`{"quantity":0}`))
	r.Header.Set("Content-Type", "application/json")

	_, err := api.Decode[order](r)
	refused, _ := problem.As(err)
	fmt.Println(refused.Kind.Status(), refused.Errors[0].Pointer, refused.Errors[0].Detail)
	// Output: 422 /quantity must be at least 1
}

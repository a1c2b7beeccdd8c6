package catalog

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

type productCreator interface {
	Create(ctx context.Context, p Product) (Product, error)
}

type createProductRequest struct {
	SKU         *string           `json:"sku"`
	Name        *string           `json:"name"`
	Description string            `json:"description"`
	Category    *string           `json:"category"`
	Tags        []string          `json:"tags"`
	Attributes  map[string]string `json:"attributes"`
	Price       *money.Money      `json:"price"`
	// Status is active if it is absent.
	Status api.PatchField[Status] `json:"status"`
}

// Validate implements api.Validator.
func (in createProductRequest) Validate() []problem.FieldError {
	var r rules
	if r.given("/sku", in.SKU != nil) {
		r.sku(*in.SKU)
	}
	if r.given("/name", in.Name != nil) {
		r.name(*in.Name)
	}
	r.text("/description", in.Description, MaxDescription)
	if r.given("/category", in.Category != nil) {
		r.category(*in.Category)
	}
	r.tags(in.Tags)
	r.attributes(in.Attributes)
	if r.given("/price", in.Price != nil) {
		r.price(*in.Price)
	}
	// Null is refused: a client that clears the status must not publish by accident.
	if in.Status.Set && in.Status.Value != Draft && in.Status.Value != Active {
		r.refuse("/status", "must be draft or active")
	}
	return r.broken
}

// CreateProduct answers 201 with the product, its Location and ETag; 409 when the SKU is taken.
func CreateProduct(products productCreator) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[createProductRequest](r)
		if err != nil {
			return err
		}
		status := Active
		in.Status.Apply(&status)

		p, err := products.Create(r.Context(), Product{
			SKU: *in.SKU, Name: *in.Name, Description: in.Description, Category: *in.Category,
			Tags: in.Tags, Attributes: in.Attributes, Price: *in.Price, Status: status,
		})
		if err != nil {
			return err
		}

		// Relative to the request's URL (RFC 9110 section 10.2.2), which may have a stage or a mapping key.
		w.Header().Set("Location", "products/"+p.ID)
		w.Header().Set("ETag", api.ETag(p.Version))
		return api.Write(w, http.StatusCreated, p)
	}
}

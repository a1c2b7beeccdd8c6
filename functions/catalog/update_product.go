package catalog

import (
	"context"
	"maps"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

type productUpdater interface {
	Update(ctx context.Context, id string, matches func(version int64) bool, change func(Product) (Product, error)) (Product, error)
}

// updateProductRequest is a merge patch (RFC 7396). Null clears description, tags and attributes. Each given
// attribute replaces the one with its name; null removes it.
type updateProductRequest struct {
	Name        api.PatchField[string]             `json:"name"`
	Description api.PatchField[string]             `json:"description"`
	Category    api.PatchField[string]             `json:"category"`
	Tags        api.PatchField[[]string]           `json:"tags"`
	Attributes  api.PatchField[map[string]*string] `json:"attributes"`
	Price       api.PatchField[pricePatch]         `json:"price"`
	Status      api.PatchField[Status]             `json:"status"`
}

type pricePatch struct {
	AmountMinor api.PatchField[int64]  `json:"amount_minor"`
	Currency    api.PatchField[string] `json:"currency"`
}

// Validate implements api.Validator. It checks what the patch changes and nothing else: a stored value that no
// longer keeps the rules does not stop a change of another one.
func (in updateProductRequest) Validate() []problem.FieldError {
	var r rules
	refuseNull := func(pointer string, null bool) {
		if null {
			r.refuse(pointer, "must not be null")
		}
	}
	refuseNull("/name", in.Name.Null)
	refuseNull("/category", in.Category.Null)
	refuseNull("/price", in.Price.Null)
	refuseNull("/price/amount_minor", in.Price.Value.AmountMinor.Null)
	refuseNull("/price/currency", in.Price.Value.Currency.Null)
	refuseNull("/status", in.Status.Null)
	if in.Status.Set && !in.Status.Null && in.Status.Value != Draft && in.Status.Value != Active {
		r.refuse("/status", "must be draft or active; DELETE archives a product")
	}
	if in.Name.Set && !in.Name.Null {
		r.name(in.Name.Value)
	}
	if in.Category.Set && !in.Category.Null {
		r.category(in.Category.Value)
	}
	r.text("/description", in.Description.Value, MaxDescription)
	r.tags(in.Tags.Value)
	given := map[string]string{}
	for name, value := range in.Attributes.Value {
		if value != nil {
			given[name] = *value
		}
	}
	r.attributes(given)
	price := in.Price.Value
	if price.Currency.Set && !price.Currency.Null {
		r.currency(price.Currency.Value)
	}
	r.amount(price.AmountMinor.Value)
	return r.broken
}

// apply returns the patched product, or 422 when the patch gives it too many attributes.
func (in updateProductRequest) apply(p Product) (Product, error) {
	in.Name.Apply(&p.Name)
	in.Description.Apply(&p.Description)
	in.Category.Apply(&p.Category)
	in.Tags.Apply(&p.Tags)
	in.Status.Apply(&p.Status)
	in.Price.Value.AmountMinor.Apply(&p.Price.AmountMinor)
	in.Price.Value.Currency.Apply(&p.Price.Currency)
	merged := patchAttributes(p.Attributes, in.Attributes)
	if len(merged) > MaxAttributes && len(merged) > len(p.Attributes) {
		var r rules
		r.attributeCount(len(merged))
		return Product{}, problem.Fields(r.broken...)
	}
	p.Attributes = merged
	return p, nil
}

func patchAttributes(old map[string]string, patch api.PatchField[map[string]*string]) map[string]string {
	if !patch.Set {
		return old
	}
	merged := map[string]string{}
	if !patch.Null {
		maps.Copy(merged, old)
	}
	for name, value := range patch.Value {
		if value == nil {
			delete(merged, name)
		} else {
			merged[name] = *value
		}
	}
	return merged
}

// UpdateProduct applies a merge patch to a version that If-Match names and answers 200 with the
// product and its new ETag; 428 without If-Match, 412 when the product has changed.
func UpdateProduct(products productUpdater) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		matches, err := api.IfMatch(r)
		if err != nil {
			return err
		}
		in, err := api.Decode[updateProductRequest](r)
		if err != nil {
			return err
		}

		p, err := products.Update(r.Context(), r.PathValue("id"), matches, in.apply)
		if err != nil {
			return err
		}

		w.Header().Set("ETag", api.ETag(p.Version))
		return api.Write(w, http.StatusOK, p)
	}
}

package catalog

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/tracing"
)

type inventoryGetter interface {
	Inventory(ctx context.Context, productID string) (Inventory, error)
}

// GetInventory answers 200 with the stock of the product, archived ones included.
func GetInventory(stock inventoryGetter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		inventory, err := stockOf(r.Context(), stock, r.PathValue("id"))
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, inventory)
	}
}

// stockOf reads the stock of a product. An id that is not a ULID does not reach the store.
func stockOf(ctx context.Context, stock inventoryGetter, productID string) (Inventory, error) {
	id, ok := api.ULID(productID)
	if !ok {
		return Inventory{}, ErrNotFound
	}
	tracing.SetAttributes(ctx, tracing.KeyProductID.String(id))
	return stock.Inventory(ctx, id)
}

package catalog

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

type inventoryGetter interface {
	Inventory(ctx context.Context, productID string) (Inventory, error)
}

// GetInventory answers 200 with the stock of the product, archived ones included.
func GetInventory(stock inventoryGetter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		inventory, err := byID(r.Context(), r.PathValue("id"), stock.Inventory)
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, inventory)
	}
}

package catalog_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/api"
)

// unread is a store that must not be read.
type unread struct{ t *testing.T }

func (s unread) Get(_ context.Context, id string) (catalog.Product, error) {
	s.t.Errorf("the product %q is read", id)
	return catalog.Product{}, nil
}

func (s unread) Inventory(_ context.Context, id string) (catalog.Inventory, error) {
	s.t.Errorf("the stock of %q is read", id)
	return catalog.Inventory{}, nil
}

func TestIDsThatAreNoULIDsDoNotReachTheStore(t *testing.T) {
	t.Parallel()
	store := unread{t}
	for i, read := range []api.Handler{catalog.GetProduct(store, catalog.Config{}), catalog.GetStaffProduct(store), catalog.GetInventory(store)} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.SetPathValue("id", "no-ulid")
		if err := read(httptest.NewRecorder(), r); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("%d: %v, want ErrNotFound", i, err)
		}
	}
}

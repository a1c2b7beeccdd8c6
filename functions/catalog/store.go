package catalog

import (
	"context"

	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/problem"
)

// The errors that a Store returns. Any other error is a failure of the store, which is answered with 503 or
// 500.
var (
	// ErrNotFound: the product does not exist.
	ErrNotFound = problem.New(problem.NotFound, "product_not_found", "There is no such product.")
	// ErrGone: the product is archived.
	ErrGone = problem.New(problem.Gone, "product_archived", "The product is archived.")
	// ErrSKUExists: another product has the SKU.
	ErrSKUExists = problem.New(problem.Conflict, "sku_exists", "A product with this SKU exists.").
			WithFields(problem.FieldError{Pointer: "/sku", Detail: "is taken"})
	// ErrStale: the product changed since the version that the change was made from.
	ErrStale = problem.Stale()
	// ErrWouldGoNegative: the adjustment takes more than is available.
	ErrWouldGoNegative = problem.New(problem.Conflict, "would_go_negative", "The adjustment takes more than is available.")
)

// Store stores the catalogue. Every change is one transaction: all of it happens or nothing. Repeating an
// identical Create or Update is not an error, because a caller whose answer was lost repeats it.
type Store interface {
	// Get returns the product, archived ones included, or ErrNotFound.
	Get(ctx context.Context, id string) (Product, error)
	// BySKU returns the products that have the SKUs, archived ones included, by SKU. One that does not exist is
	// absent.
	BySKU(ctx context.Context, skus []string) (map[string]Product, error)
	// Create adds the product with an empty stock. It returns ErrSKUExists if the SKU is taken.
	Create(ctx context.Context, p Product) error
	// Update replaces before with after, which has the next version and the same id and SKU. It
	// returns ErrStale if the stored version is not before's, and ErrNotFound.
	Update(ctx context.Context, before, after Product) error
	// List returns the products that match the filter, newest first. after is the position that
	// the previous page returned, nil for the first page; the returned position is nil on the last one.
	List(ctx context.Context, filter Filter, limit int, after []byte) ([]Product, []byte, error)
	// Search returns the active products that the query finds, those with a greater Match first. Otherwise the
	// order depends on the store. A page may be short and still have a position: then there may be more. An empty page has none.
	Search(ctx context.Context, q Query, limit int, after []byte) ([]Product, []byte, error)
	// Categories returns the categories that have active products, by name. after is the position that the previous page
	// returned, nil for the first page; the returned position is nil on the last one.
	Categories(ctx context.Context, limit int, after []byte) ([]Category, []byte, error)
	// Inventory returns the stock of the product, or ErrNotFound.
	Inventory(ctx context.Context, productID string) (Inventory, error)
	// Adjust moves the stock of a.ProductID, which has a.SKU, and keeps the adjustment as a ledger entry and the record, in
	// one transaction. It returns *idempotency.UsedError if the record's key is in use, even if the stock would not allow
	// the adjustment now, and nil if this call has stored the record before. The stock of an archived product can be
	// adjusted. It returns ErrWouldGoNegative.
	Adjust(ctx context.Context, r idempotency.Record, a Adjustment) error
}

// Filter selects the products of a list.
type Filter struct {
	// Status is required: a list has products of one status.
	Status Status
	// Category is a slug; empty selects every category.
	Category string
}

package catalog

import (
	"context"

	"github.com/tienda-dev/tienda/shared/problem"
)

// The errors that a Store returns. Whatever is not one of them is a failure of the store, which
// answers 503 or 500.
var (
	// ErrNotFound: there is no such product.
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
	// ErrKeyReused: the idempotency key came with another request before.
	ErrKeyReused = problem.New(problem.Invalid, "idempotency_key_reused",
		"The Idempotency-Key was used for another request.").
		WithFields(problem.FieldError{Pointer: "Idempotency-Key", Detail: "must be new for every new request"})
)

// Store keeps the catalogue. Every change is one transaction: all of it happens or none. Repeating
// an identical Create or Update is not an error, because a lost answer looks like that.
type Store interface {
	// Get returns the product, archived ones included, or ErrNotFound.
	Get(ctx context.Context, id string) (Product, error)
	// Create adds the product with an empty stock. It returns ErrSKUExists when the SKU is taken.
	Create(ctx context.Context, p Product) error
	// Update replaces before with after, which has the next version and the same id and SKU. It
	// returns ErrStale when the stored version is not before's, and ErrNotFound.
	Update(ctx context.Context, before, after Product) error
	// List returns the products that match the filter, newest first. after is the position that
	// the page before returned, nil for the first page; the returned position is nil on the last.
	List(ctx context.Context, filter Filter, limit int, after []byte) ([]Product, []byte, error)
	// Search returns the active products that have a word starting with each of words, which are
	// as Words returns them. The order is the store's own. A page may be short, or empty, although
	// a position is returned: then there may be more.
	Search(ctx context.Context, words []string, limit int, after []byte) ([]Product, []byte, error)
	// Categories returns the categories that have active products, by name.
	Categories(ctx context.Context) ([]Category, error)
	// Inventory returns the stock of the product, or ErrNotFound.
	Inventory(ctx context.Context, productID string) (Inventory, error)
	// Adjust moves stock and keeps the adjustment as a ledger entry under the key, in one
	// transaction. A key that was used for the same request returns the first adjustment and true;
	// for another request it returns ErrKeyReused. A key is remembered for 24 hours. The stock of
	// an archived product can be adjusted. It returns ErrNotFound and ErrWouldGoNegative.
	Adjust(ctx context.Context, key AdjustmentKey, a Adjustment) (stored Adjustment, replayed bool, err error)
}

// Filter selects products for a list. Empty fields select everything.
type Filter struct {
	Category string
	Status   Status
}

// AdjustmentKey makes a retried adjustment recognisable.
type AdjustmentKey struct {
	// Principal is the caller; keys of different callers do not meet.
	Principal string
	// Key is the Idempotency-Key header's value.
	Key string
}

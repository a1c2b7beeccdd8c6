package catalog

import (
	"fmt"

	"github.com/tienda-dev/tienda/shared/problem"
)

// ErrProductChanged is for a product that is not for sale, or has changed since its price was read.
var ErrProductChanged = problem.New(problem.Conflict, "price_changed", "A product has changed since its price was read.")

// ShortError is a stock that has fewer pieces than are wanted.
type ShortError struct {
	ProductID string
	// Available is the number of pieces that could be had, 0 for an unknown product.
	Available int64
}

// Error implements error.
func (e *ShortError) Error() string {
	return fmt.Sprintf("catalog: %d pieces of product %s are available", e.Available, e.ProductID)
}

// Shortage returns the product and the pieces that could be had, for a caller that does not import this package.
func (e *ShortError) Shortage() (productID string, available int64) { return e.ProductID, e.Available }

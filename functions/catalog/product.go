// Package catalog is the shop's catalogue: products, categories and stock. It holds the rules,
// the handlers of its routes and the Store interface; it knows no database.
package catalog

import (
	"time"

	"github.com/tienda-dev/tienda/shared/money"
)

// Product is something that the shop sells, or will, or did.
type Product struct {
	// ID is a ULID.
	ID string `json:"id"`
	// SKU is the stock keeping unit: unique in the shop, also among archived products, and never
	// changed. It is what stock is counted by.
	SKU string `json:"sku"`
	// Name is what the customer reads.
	Name string `json:"name"`
	// Description is plain text; may be empty.
	Description string `json:"description"`
	// Category is a slug ("coffee-beans").
	Category string `json:"category"`
	// Tags are words to find the product by.
	Tags []string `json:"tags"`
	// Attributes are free properties ("colour": "red").
	Attributes map[string]string `json:"attributes"`
	// Price is for one piece, in minor units, taxes excluded.
	Price money.Money `json:"price"`
	// Status says who can see the product.
	Status Status `json:"status"`
	// Version counts the changes, from 1. It is the entity tag.
	Version int64 `json:"version"`
	// CreatedAt and UpdatedAt are in UTC, to the millisecond.
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Status is where a product is in its life.
type Status string

// The life of a product: draft and active may follow each other; archived is the end.
const (
	// Draft products are seen by staff only.
	Draft Status = "draft"
	// Active products are for sale.
	Active Status = "active"
	// Archived products are kept for the orders that name them.
	Archived Status = "archived"
)

// Valid reports whether the status is one of the three.
func (s Status) Valid() bool {
	return s == Draft || s == Active || s == Archived
}

// Category is a group of products.
type Category struct {
	// Name is the slug that products carry.
	Name string `json:"name"`
	// ActiveProducts is how many products in it are for sale.
	ActiveProducts int64 `json:"active_products"`
}

// Inventory is the stock of one product, in pieces.
type Inventory struct {
	ProductID string `json:"product_id"`
	SKU       string `json:"sku"`
	// Available can be sold.
	Available int64 `json:"available"`
	// Reserved is held for orders that are not paid yet.
	Reserved int64 `json:"reserved"`
	// Sold was paid for.
	Sold int64 `json:"sold"`
	// Version counts the changes, from 1.
	Version   int64     `json:"version"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Adjustment is one entry of the stock ledger: a delivery, a loss, a correction.
type Adjustment struct {
	// ID is a ULID.
	ID        string `json:"id"`
	ProductID string `json:"product_id"`
	SKU       string `json:"sku"`
	// Delta is what was added to the available stock, in pieces; negative takes away.
	Delta int64 `json:"delta"`
	// Reason is a sentence for the books.
	Reason    string    `json:"reason"`
	CreatedAt time.Time `json:"created_at"`
}

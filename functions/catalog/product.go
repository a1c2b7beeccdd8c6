// Package catalog is the shop's catalogue: products, categories and stock. It has the rules, the handlers
// and the Store interface, and does not depend on a database.
package catalog

import (
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
)

// Product is something that the shop sells, will sell or has sold.
type Product struct {
	// ID is a ULID.
	ID string `json:"id"`
	// SKU is the stock keeping unit: unique in the shop, archived products included, and never
	// changed.
	SKU string `json:"sku"`
	// Name is the title that customers read.
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
	// Status is what decides who can see the product.
	Status Status `json:"status"`
	// Version is the number of changes, from 1: the entity tag.
	Version   int64    `json:"version"`
	CreatedAt api.Time `json:"created_at"`
	UpdatedAt api.Time `json:"updated_at"`
}

// Status is the state of a product.
type Status string

// The states of a product. Draft and active products can change into each other; archived is final.
const (
	// Draft products are visible to staff only.
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
	// ActiveProducts is the number of its products that are for sale.
	ActiveProducts int64 `json:"active_products"`
}

// Inventory is the stock of one product, in pieces.
type Inventory struct {
	ProductID string `json:"product_id"`
	SKU       string `json:"sku"`
	// Available are the pieces that can be sold.
	Available int64 `json:"available"`
	// Reserved pieces are held for orders that are not paid yet.
	Reserved int64 `json:"reserved"`
	// Sold pieces are paid for.
	Sold int64 `json:"sold"`
	// Version is the number of changes, from 1.
	Version   int64    `json:"version"`
	UpdatedAt api.Time `json:"updated_at"`
}

// Adjustment is one entry of the stock ledger: a delivery, a loss, a correction.
type Adjustment struct {
	// ID is a ULID.
	ID        string `json:"id"`
	ProductID string `json:"product_id"`
	SKU       string `json:"sku"`
	// Delta is the change of the available stock in pieces.
	Delta int64 `json:"delta"`
	// Reason is the explanation of the adjustment.
	Reason    string   `json:"reason"`
	CreatedAt api.Time `json:"created_at"`
}

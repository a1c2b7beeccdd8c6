// Package pricing says what things cost: quotes with discounts, tax and shipping, and the rules behind them. It has
// the arithmetic, the handlers and the Store interface, and does not depend on a database.
package pricing

import (
	"time"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
)

const (
	// QuoteLife is how long a quote can be ordered.
	QuoteLife = 15 * time.Minute
	// MaxLines is the limit of a quote's lines. An order of all of them fits into one transaction.
	MaxLines = 40
	// MaxQuantity is the limit of a line's pieces.
	MaxQuantity = 10_000
	// MaxCodes is the limit of a quote's discount codes.
	MaxCodes = 3
)

// Quote is a price for some products, sent to an address. All of its amounts have one currency, and
// subtotal - discount + shipping + tax == total, to the minor unit. Shipping has no tax, so the lines' totals and
// shipping are the total too.
type Quote struct {
	// ID is a ULID; empty for a price that was not stored.
	ID string `json:"id"`
	// Customer is the user who asked, and the only one who may read and order the quote.
	Customer string `json:"-"`
	// Lines are in the order of the request, one for each SKU.
	Lines []Line `json:"lines"`
	// Codes are the discount codes, in capitals.
	Codes []string `json:"discount_codes"`
	// Subtotal is the sum of unit price times quantity.
	Subtotal money.Money `json:"subtotal"`
	// Discount is the sum of the lines' discounts, not negative.
	Discount money.Money `json:"discount"`
	// Shipping is the price of the delivery.
	Shipping money.Money `json:"shipping"`
	// Tax is the sum of the lines' taxes.
	Tax money.Money `json:"tax"`
	// Total is what the customer pays.
	Total money.Money `json:"total"`
	// ShipTo is the address that tax and shipping are for.
	ShipTo policy.Address `json:"ship_to"`
	// OrderID is the order that the quote was used for; empty before.
	OrderID   string   `json:"-"`
	CreatedAt api.Time `json:"created_at"`
	// ExpiresAt is when the quote can no longer be ordered.
	ExpiresAt api.Time `json:"expires_at"`
}

// Line is the price of one product.
type Line struct {
	SKU       string `json:"sku"`
	ProductID string `json:"product_id"`
	// ProductVersion is the version of the product that has this price.
	ProductVersion int64  `json:"-"`
	Name           string `json:"name"`
	// Quantity is in pieces.
	Quantity int64 `json:"quantity"`
	// UnitPrice is the price of one piece without tax.
	UnitPrice money.Money `json:"unit_price"`
	// Discount is the line's part of all discounts, not negative.
	Discount money.Money `json:"discount"`
	// Tax is for the line after its discount.
	Tax money.Money `json:"tax"`
	// Total is unit price times quantity, less the discount, with the tax.
	Total money.Money `json:"total"`
}

// Item is how many pieces of a product are wanted.
type Item struct {
	SKU string `json:"sku"`
	// Quantity is in pieces.
	Quantity int64 `json:"quantity"`
}

// Request asks for a price.
type Request struct {
	// Customer is the user who asks.
	Customer string
	// Lines have different SKUs.
	Lines []Item
	// Codes are discount codes, in any letter case.
	Codes []string
	// ShipTo is the destination.
	ShipTo policy.Address
}

// Product is what a price needs to know of a product.
type Product struct {
	ID, SKU, Name string
	// Price is for one piece, without tax.
	Price money.Money
	// TaxClass selects the rate of tax; empty is ClassStandard.
	TaxClass string
	// Version is the number of the product's changes.
	Version int64
	// ForSale is false for drafts and archived products.
	ForSale bool
}

// AttributeTaxClass is the attribute of a product that has its class of tax.
const AttributeTaxClass = "tax_class"

// ClassStandard is the class of products that name none.
const ClassStandard = "standard"

// Expired reports whether the quote can no longer be ordered.
func (q Quote) Expired(now time.Time) bool { return !now.Before(q.ExpiresAt.Time) }

// Package orders has the shop's orders: what a customer buys, the stock that is held for it, and its way from
// pending_payment to delivered. It has the rules, the handlers and the Store interface, and does not depend on a
// database. Prices come from Offers, which package checkout joins to the pricing.
package orders

import (
	"maps"
	"slices"
	"time"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
)

// HoldFor is how long a new order holds its stock while nobody has paid.
const HoldFor = 15 * time.Minute

// PaymentGrace is how much longer the stock is held while the provider's answer to a payment is not known.
const PaymentGrace = 5 * time.Minute

// MaxLines is the most lines that an order has: each costs two of the 100 writes of a transaction.
const MaxLines = 40

// Order is what a customer buys. Its lines and amounts never change.
type Order struct {
	// ID is a ULID.
	ID string `json:"id"`
	// Status is the state of the order. States returns the machine.
	Status Status `json:"status"`
	// PaymentStatus is the state of the payment. Package payments sets it.
	PaymentStatus PaymentStatus `json:"payment_status"`
	// FulfilmentStatus is how far the parcels are.
	FulfilmentStatus FulfilmentStatus `json:"fulfilment_status"`
	// Lines are the products, one line for each SKU.
	Lines []Line `json:"lines"`
	// Subtotal is the sum of the lines' prices before discounts and taxes.
	Subtotal money.Money `json:"subtotal"`
	// Discount is what the codes take off the subtotal: not negative.
	Discount money.Money `json:"discount"`
	// Shipping is the price of the delivery before taxes.
	Shipping money.Money `json:"shipping"`
	// Tax is the sum of all taxes.
	Tax money.Money `json:"tax"`
	// Total is subtotal - discount + shipping + tax: what the customer pays.
	Total money.Money `json:"total"`
	// ShipTo is the address of the parcels.
	ShipTo policy.Address `json:"ship_to"`
	// ExpiresAt is when the stock of an unpaid order is released.
	ExpiresAt api.Time `json:"expires_at"`
	// Version is the number of changes, from 1.
	Version   int64    `json:"version"`
	CreatedAt api.Time `json:"created_at"`
	UpdatedAt api.Time `json:"updated_at"`

	// Customer is the user's id. Answers do not have it.
	Customer string `json:"-"`
	// QuoteID is the quote that the order was made from; empty if it was made from lines.
	QuoteID string `json:"-"`
	// Codes are the discount codes that the order uses.
	Codes []string `json:"-"`
	// PaymentID is the payment that has claimed the order; empty if none has, or the last one was declined.
	PaymentID string `json:"-"`
	// Shipments are the parcels by their ids, and what has become of each.
	Shipments map[string]ParcelState `json:"-"`
}

// Line is a number of pieces of one SKU, with the product's name and price when the order was made.
type Line struct {
	SKU       string `json:"sku" dynamodbav:"sku"`
	ProductID string `json:"product_id" dynamodbav:"product_id"`
	Name      string `json:"name" dynamodbav:"name"`
	// Quantity is the number of pieces, from 1.
	Quantity int64 `json:"quantity" dynamodbav:"quantity"`
	// UnitPrice is for one piece, before discounts and taxes.
	UnitPrice money.Money `json:"unit_price" dynamodbav:"unit_price"`
	// Discount is the line's share of the order's discounts: not negative.
	Discount money.Money `json:"discount" dynamodbav:"discount"`
	// Tax is the tax of the line.
	Tax money.Money `json:"tax" dynamodbav:"tax"`
	// Total is quantity times unit price - discount + tax.
	Total money.Money `json:"total" dynamodbav:"total"`

	// ToShip is the number of pieces that no shipment has.
	ToShip int64 `json:"-" dynamodbav:"to_ship"`
}

// PaymentStatus is the state of an order's payment.
type PaymentStatus string

// The states of an order's payment.
const (
	PaymentNone PaymentStatus = "none"
	// PaymentProcessing has claimed the order; the provider has not answered yet.
	PaymentProcessing PaymentStatus = "processing"
	// PaymentUnknown is a payment of which the provider's answer was lost.
	PaymentUnknown           PaymentStatus = "unknown"
	PaymentAuthorized        PaymentStatus = "authorized"
	PaymentDeclined          PaymentStatus = "declined"
	PaymentCaptured          PaymentStatus = "captured"
	PaymentPartiallyCaptured PaymentStatus = "partially_captured"
	PaymentVoided            PaymentStatus = "voided"
	PaymentPartiallyRefunded PaymentStatus = "partially_refunded"
	PaymentRefunded          PaymentStatus = "refunded"
)

// PaymentStatuses returns every PaymentStatus.
func PaymentStatuses() []PaymentStatus {
	return []PaymentStatus{
		PaymentNone, PaymentProcessing, PaymentUnknown, PaymentAuthorized, PaymentDeclined, PaymentCaptured,
		PaymentPartiallyCaptured, PaymentVoided, PaymentPartiallyRefunded, PaymentRefunded,
	}
}

// Funded reports whether the shop has money for the order, or the provider holds it. A payment is always for the whole of
// the total, and a refund of a part is the shop's decision. Without money no order is confirmed, and nothing is shipped.
func (s PaymentStatus) Funded() bool {
	return s == PaymentAuthorized || s == PaymentCaptured || s == PaymentPartiallyCaptured || s == PaymentPartiallyRefunded
}

// Open reports whether the provider's answer is still to come.
func (s PaymentStatus) Open() bool { return s == PaymentProcessing || s == PaymentUnknown }

// FulfilmentStatus is how far the parcels of an order are.
type FulfilmentStatus string

// The states of the parcels of an order.
const (
	FulfilmentNone             FulfilmentStatus = "none"
	FulfilmentPartiallyShipped FulfilmentStatus = "partially_shipped"
	FulfilmentShipped          FulfilmentStatus = "shipped"
	FulfilmentDelivered        FulfilmentStatus = "delivered"
	FulfilmentReturned         FulfilmentStatus = "returned"
)

// FulfilmentStatuses returns every FulfilmentStatus.
func FulfilmentStatuses() []FulfilmentStatus {
	return []FulfilmentStatus{
		FulfilmentNone, FulfilmentPartiallyShipped, FulfilmentShipped, FulfilmentDelivered, FulfilmentReturned,
	}
}

// ParcelState is what an order knows of a shipment.
type ParcelState string

// The states of a parcel.
const (
	ParcelSent      ParcelState = "sent"
	ParcelDelivered ParcelState = "delivered"
	ParcelReturned  ParcelState = "returned"
	// ParcelLost is not on its way. It may be found: then it is delivered or returned.
	ParcelLost ParcelState = "lost"
)

// Clone returns a copy that shares nothing with o, with empty lists where o has none.
func (o Order) Clone() Order {
	o.Lines = append([]Line{}, o.Lines...)
	o.Codes = append([]string{}, o.Codes...)
	shipments := make(map[string]ParcelState, len(o.Shipments))
	maps.Copy(shipments, o.Shipments)
	o.Shipments = shipments
	return o
}

// Pieces returns the number of pieces in all lines.
func (o Order) Pieces() int64 {
	var n int64
	for _, line := range o.Lines {
		n += line.Quantity
	}
	return n
}

// ReservedPieces returns what a reservation of the order holds: the pieces of each product.
func (o Order) ReservedPieces() []ReservedPieces {
	pieces := make([]ReservedPieces, len(o.Lines))
	for i, line := range o.Lines {
		pieces[i] = ReservedPieces{ProductID: line.ProductID, SKU: line.SKU, Quantity: line.Quantity}
	}
	return pieces
}

// Overdue reports whether the order's stock must be released: nobody has paid in time. While the provider's answer
// is still to come, that is PaymentGrace later.
func (o Order) Overdue(now time.Time) bool {
	if o.Status != StatusPendingPayment || o.PaymentStatus.Funded() {
		return false
	}
	until := o.ExpiresAt.Time
	if o.PaymentStatus.Open() {
		until = until.Add(PaymentGrace)
	}
	return !now.Before(until)
}

// changed returns the order's next version.
func (o Order) changed(now time.Time) Order {
	o = o.Clone()
	o.Version++
	o.UpdatedAt = api.NewTime(now)
	return o
}

// line returns the index of the SKU's line, -1 if there is none.
func (o Order) line(sku string) int {
	return slices.IndexFunc(o.Lines, func(l Line) bool { return l.SKU == sku })
}

package metrics

import (
	"context"
	"slices"
	"time"
)

// The values of "shop.result".
const (
	Success = "success"
	Failure = "failure"
	Found   = "found"
	Empty   = "empty"
)

// The values of "shop.change".
const (
	Created   = "created"
	Updated   = "updated"
	Archived  = "archived"
	Packed    = "packed"
	Sent      = "sent"
	Delivered = "delivered"
	Returned  = "returned"
	Lost      = "lost"
)

// OrderPlaced counts an order and records its value: amount in the currency's main unit, currency an ISO 4217
// code of the shop's list.
func (m *Metrics) OrderPlaced(ctx context.Context, currency string, amount float64) {
	currency = code(currency)
	m.count(ctx, ShopOrderPlaced, 1, values{currency})
	m.observe(ctx, ShopOrderValue, amount, values{currency})
}

// OrderCancelled counts an order that was cancelled.
func (m *Metrics) OrderCancelled(ctx context.Context, currency string) {
	m.count(ctx, ShopOrderCancelled, 1, values{code(currency)})
}

// OrderFailed counts an order that could not be placed.
func (m *Metrics) OrderFailed(ctx context.Context, currency string) {
	m.count(ctx, ShopOrderFailed, 1, values{code(currency)})
}

// Checkout records how long a checkout took. result is Success or Failure.
func (m *Metrics) Checkout(ctx context.Context, took time.Duration, result string) {
	m.observe(ctx, ShopCheckoutDuration, seconds(took), values{one(result, Success, Failure)})
}

// Payment counts an attempt to pay. result is Success or Failure; provider is a name from the code.
func (m *Metrics) Payment(ctx context.Context, result, provider string) {
	m.count(ctx, ShopPaymentAttempts, 1, values{one(result, Success, Failure), provider})
}

// Shipment counts a change of a shipment: Created, Packed, Sent, Delivered, Returned or Lost.
func (m *Metrics) Shipment(ctx context.Context, change string) {
	m.count(ctx, ShopShipmentChanges, 1, values{one(change, Created, Packed, Sent, Delivered, Returned, Lost)})
}

// Product counts a product that was Created, Updated or Archived.
func (m *Metrics) Product(ctx context.Context, change string) {
	m.count(ctx, ShopProductChanges, 1, values{one(change, Created, Updated, Archived)})
}

// ProductViewed counts a product that was shown.
func (m *Metrics) ProductViewed(ctx context.Context) { m.count(ctx, ShopProductViews, 1, values{}) }

// Search starts a search in the catalogue. Call the function that it returns with the number of products that were
// found; a search that failed is not recorded.
func (m *Metrics) Search(ctx context.Context) func(hits int) {
	start := time.Now()
	return func(hits int) {
		result := Found
		if hits == 0 {
			result = Empty
		}
		m.observe(ctx, ShopSearchDuration, time.Since(start).Seconds(), values{result})
	}
}

// Customer counts a customer who was Created or Updated.
func (m *Metrics) Customer(ctx context.Context, change string) {
	m.count(ctx, ShopCustomerChanges, 1, values{one(change, Created, Updated)})
}

// UserRegistered counts a registration.
func (m *Metrics) UserRegistered(ctx context.Context) { m.count(ctx, ShopUserRegistered, 1, values{}) }

// Login counts a login. result is Success or Failure.
func (m *Metrics) Login(ctx context.Context, result string) {
	m.count(ctx, ShopUserLogins, 1, values{one(result, Success, Failure)})
}

// StockAdjusted counts the pieces of an adjustment: added if positive, removed if negative.
func (m *Metrics) StockAdjusted(ctx context.Context, pieces int64) {
	if pieces < 0 {
		m.count(ctx, ShopInventoryAdjusted, -pieces, values{"out"})
		return
	}
	m.count(ctx, ShopInventoryAdjusted, pieces, values{"in"})
}

// StockReserved counts pieces that were reserved for an order.
func (m *Metrics) StockReserved(ctx context.Context, pieces int64) {
	m.count(ctx, ShopInventoryReserved, pieces, values{})
}

// OutOfStock counts a request for more pieces than there were.
func (m *Metrics) OutOfStock(ctx context.Context) { m.count(ctx, ShopInventoryOutOfStock, 1, values{}) }

// one returns value if it is among allowed, else Other.
func one(value string, allowed ...string) string {
	if slices.Contains(allowed, value) {
		return value
	}
	return Other
}

// code returns a currency code, or Other for what does not look like one.
func code(currency string) string {
	if len(currency) != 3 {
		return Other
	}
	for i := range 3 {
		if currency[i] < 'A' || currency[i] > 'Z' {
			return Other
		}
	}
	return currency
}

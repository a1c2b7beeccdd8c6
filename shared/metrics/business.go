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
	m.in().shopOrderPlaced.add(ctx, 1, values{currency})
	m.in().shopOrderValue.record(ctx, amount, values{currency})
}

// OrderCancelled counts an order that was cancelled.
func (m *Metrics) OrderCancelled(ctx context.Context, currency string) {
	m.in().shopOrderCancelled.add(ctx, 1, values{code(currency)})
}

// OrderFailed counts an order that could not be placed.
func (m *Metrics) OrderFailed(ctx context.Context, currency string) {
	m.in().shopOrderFailed.add(ctx, 1, values{code(currency)})
}

// Checkout records how long a checkout took. result is Success or Failure.
func (m *Metrics) Checkout(ctx context.Context, took time.Duration, result string) {
	m.in().shopCheckoutDuration.record(ctx, seconds(took), values{one(result, Success, Failure)})
}

// Payment counts an attempt to pay. result is Success or Failure; provider is a name from the code.
func (m *Metrics) Payment(ctx context.Context, result, provider string) {
	m.in().shopPaymentAttempts.add(ctx, 1, values{one(result, Success, Failure), provider})
}

// Shipment counts a change of a shipment: Created, Packed, Sent, Delivered, Returned or Lost.
func (m *Metrics) Shipment(ctx context.Context, change string) {
	m.in().shopShipmentChanges.add(ctx, 1, values{one(change, Created, Packed, Sent, Delivered, Returned, Lost)})
}

// Product counts a product that was Created, Updated or Archived.
func (m *Metrics) Product(ctx context.Context, change string) {
	m.in().shopProductChanges.add(ctx, 1, values{one(change, Created, Updated, Archived)})
}

// ProductViewed counts a product that was shown.
func (m *Metrics) ProductViewed(ctx context.Context) { m.in().shopProductViews.add(ctx, 1, values{}) }

// Search starts a search in the catalogue. Call the function that it returns with the number of products that were
// found; a search that failed is not recorded.
func (m *Metrics) Search(ctx context.Context) func(hits int) {
	start := time.Now()
	return func(hits int) {
		result := Found
		if hits == 0 {
			result = Empty
		}
		m.in().shopSearchDuration.record(ctx, time.Since(start).Seconds(), values{result})
	}
}

// Customer counts a customer who was Created or Updated.
func (m *Metrics) Customer(ctx context.Context, change string) {
	m.in().shopCustomerChanges.add(ctx, 1, values{one(change, Created, Updated)})
}

// UserRegistered counts a registration.
func (m *Metrics) UserRegistered(ctx context.Context) {
	m.in().shopUserRegistered.add(ctx, 1, values{})
}

// Login counts a login. result is Success or Failure.
func (m *Metrics) Login(ctx context.Context, result string) {
	m.in().shopUserLogins.add(ctx, 1, values{one(result, Success, Failure)})
}

// StockAdjusted counts the pieces of an adjustment: added if positive, removed if negative.
func (m *Metrics) StockAdjusted(ctx context.Context, pieces int64) {
	if pieces < 0 {
		m.in().shopInventoryAdjusted.add(ctx, -pieces, values{"out"})
		return
	}
	m.in().shopInventoryAdjusted.add(ctx, pieces, values{"in"})
}

// StockReserved counts pieces that were reserved for an order.
func (m *Metrics) StockReserved(ctx context.Context, pieces int64) {
	m.in().shopInventoryReserved.add(ctx, pieces, values{})
}

// OutOfStock counts a request for more pieces than there were.
func (m *Metrics) OutOfStock(ctx context.Context) {
	m.in().shopInventoryOutOfStock.add(ctx, 1, values{})
}

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

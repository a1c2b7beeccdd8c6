package orders

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/problem"
)

// The errors that a Store returns. Any other error is a failure of the store, which is answered with 503 or 500.
var (
	// ErrNotFound: the order does not exist, or is another customer's.
	ErrNotFound = problem.New(problem.NotFound, "order_not_found", "There is no such order.")
	// ErrChanged: the order has another version. Read it again and repeat the change.
	ErrChanged = problem.New(problem.Conflict, "order_changed", "The order has changed meanwhile. Try again.")
	// ErrOutOfStock: a product has fewer pieces than the order wants.
	ErrOutOfStock = problem.New(problem.Conflict, "out_of_stock", "A product has fewer pieces than you order.")
	// ErrPriceChanged: the prices are not those that the customer has seen.
	ErrPriceChanged = problem.New(problem.Conflict, "price_changed", "The total has changed.")
	// ErrExpired: the order was not paid in time.
	ErrExpired = problem.New(problem.Gone, "order_expired", "The order has expired.")
	// ErrPaymentInProgress: another payment has claimed the order.
	ErrPaymentInProgress = problem.New(problem.Conflict, "payment_in_progress", "Another payment of the order is in progress.")
	// ErrPaid: the order has a payment that succeeded, which may be voided or refunded by now.
	ErrPaid = problem.New(problem.Conflict, "already_paid", "The order has a payment already.")
	// ErrNotClaimed: the payment has not claimed the order, or no longer does.
	ErrNotClaimed = problem.New(problem.Conflict, "payment_not_claimed", "The payment does not claim the order.")
)

// Store stores orders with their reservations and events. Every change is one transaction: all of it happens or
// nothing.
type Store interface {
	// Create stores the order, holds its stock, uses its codes and its quote, and writes the event and the
	// idempotency record. It returns *idempotency.UsedError, ErrOutOfStock with the line, ErrPriceChanged if a
	// product is not for sale or has another version, and the errors of the codes and of the quote.
	Create(ctx context.Context, c Creation) error
	// Get returns the order as it is now, or ErrNotFound.
	Get(ctx context.Context, id string) (Order, error)
	// Apply makes the change. It returns ErrChanged if the stored order is not c.Before, *idempotency.UsedError and
	// outbox.ErrConsumed.
	Apply(ctx context.Context, c Change) error
	// ListOf returns the customer's orders, newest first. after is the position that the previous page returned,
	// nil for the first page; the returned position is nil on the last one.
	ListOf(ctx context.Context, customer string, limit int, after []byte) ([]Order, []byte, error)
	// List returns the orders in a status that were created on a day of UTC, newest first, as ListOf does.
	List(ctx context.Context, status Status, day time.Time, limit int, after []byte) ([]Order, []byte, error)
	// Events returns the events of the order and of its payments and shipments, oldest first, as ListOf does. An
	// order that does not exist has none.
	Events(ctx context.Context, id string, limit int, after []byte) ([]outbox.Event, []byte, error)
	// Held returns the reservations that hold stock and expire before a time, the first to expire first. It may be a
	// moment late.
	Held(ctx context.Context, before time.Time, limit int, after []byte) ([]Reservation, []byte, error)
	// Reservation returns the reservation of the order as it is now, or ErrNotFound.
	Reservation(ctx context.Context, id string) (Reservation, error)
}

// Creation is all that one transaction writes for a new order.
type Creation struct {
	Order Order
	// Versions are the versions of the products that the prices are from, by product id.
	Versions map[string]int64
	// Event is of type EventCreated.
	Event outbox.Event
	// Record is the zero Record if the caller sent no key.
	Record idempotency.Record
}

// Change is all that one transaction changes of an order.
type Change struct {
	// Before is the order as it was read. If After has the same version, the transaction only checks that the order
	// still is as it was.
	Before, After Order
	// Stock is what happens to the reservation.
	Stock Move
	// Events are what happened, published with the change.
	Events []outbox.Event
	// Consumed is the event that the change is the effect of; nil if it is not.
	Consumed *outbox.Event
	// Record is the zero Record if the change has no idempotency key.
	Record idempotency.Record
	// At is the time of the change.
	At time.Time
}

// ReturnsCodes reports whether the change gives the uses of the discount codes back.
func (c Change) ReturnsCodes() bool { return c.Stock == Release || c.Stock == Restock }

// Hold is the state of a reservation.
type Hold string

// The states of a reservation.
const (
	// Held pieces are reserved.
	Held Hold = "held"
	// Committed pieces are sold.
	Committed Hold = "committed"
	// Released pieces are available again.
	Released Hold = "released"
)

// Reservation is the stock that an order holds.
type Reservation struct {
	OrderID string
	State   Hold
	// Pieces are the pieces of each product.
	Pieces []ReservedPieces
	// ExpiresAt is when they are released if the order is not paid.
	ExpiresAt time.Time
}

// ReservedPieces is how many pieces of one product a reservation holds.
type ReservedPieces struct {
	ProductID string `dynamodbav:"product_id"`
	SKU       string `dynamodbav:"sku"`
	Quantity  int64  `dynamodbav:"quantity"`
}

// Holds returns the states between which a move changes a reservation, and false for a move that changes none.
func (m Move) Holds() (from, to Hold, ok bool) {
	switch m {
	case Commit:
		return Held, Committed, true
	case Release:
		return Held, Released, true
	case Restock:
		return Committed, Released, true
	default:
		return "", "", false
	}
}

// CodeRefused returns the error of a discount code that the order cannot use, with the member of the request that it is
// from: the code, or the quote that has it. detail is the reason: a verb and what follows it.
func (o Order) CodeRefused(err error, code, detail string) error {
	refused, ok := problem.As(err)
	if !ok {
		return err
	}
	field := problem.FieldError{Pointer: fmt.Sprintf("/discount_codes/%d", max(slices.Index(o.Codes, code), 0)), Detail: detail}
	if o.QuoteID != "" {
		field = problem.FieldError{Pointer: "/quote_id", Detail: "has the discount code " + code + ", which " + detail}
	}
	return refused.WithFields(field)
}

// OutOfStock returns ErrOutOfStock that names the product's line, its SKU and what is available. Of a product that the order
// does not have it names nothing.
func (o Order) OutOfStock(productID string, available int64) error {
	at := slices.IndexFunc(o.Lines, func(l Line) bool { return l.ProductID == productID })
	if at < 0 {
		return ErrOutOfStock
	}
	return ErrOutOfStock.WithFields(problem.FieldError{
		Pointer: fmt.Sprintf("/lines/%d/quantity", at),
		Detail:  fmt.Sprintf("must not be more than the %d pieces of %s that are available", available, o.Lines[at].SKU),
	})
}

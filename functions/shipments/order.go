package shipments

import (
	"fmt"
	"math/big"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Phase is what an order's status means for shipping.
type Phase int

// The phases.
const (
	// Unpaid: the shop has no money for the order, not yet or no longer. Nothing may be shipped.
	Unpaid Phase = iota + 1
	// Open: the order is paid or its payment is authorised, and something is left to ship.
	Open
	// Closed: everything is shipped, or the order was cancelled or has expired.
	Closed
)

// Order is what shipping needs to know of an order.
type Order struct {
	ID string
	// Customer is the id of the user who ordered.
	Customer string
	Phase    Phase
	// Version is the order's version, which a shipment is based on.
	Version int64
	Lines   []OrderLine
	// Total is what the customer pays in all.
	Total money.Money
}

// OrderLine is a line of an order.
type OrderLine struct {
	SKU string
	// Quantity is the number of pieces that were ordered, and ToShip how many of them are in no parcel yet.
	Quantity, ToShip int64
	// Total is what all pieces of the line cost with tax and without shipping, in the currency of the order's Total.
	Total money.Money
}

// The errors of a choice of lines.
var (
	// ErrNotPaid: the order has neither been paid nor has its payment been authorised, or the money has gone back.
	ErrNotPaid = problem.New(problem.Conflict, "not_paid", "The order is not paid.")
	// ErrInvalidTransition: the order has nothing left to ship, or was cancelled, or has expired.
	ErrInvalidTransition = problem.New(problem.Conflict, "invalid_transition", "The order's status does not allow this.")
	// ErrOverShip: the parcel would have more than is left of the order.
	ErrOverShip = problem.New(problem.Invalid, "over_ship", "The parcel has more than is left to ship of the order.")
)

// pick returns the lines of a parcel and what they cost. No wanted lines are all pieces that are left. It returns
// ErrNotPaid, ErrInvalidTransition, and ErrOverShip with the lines that ask for too much.
func (o Order) pick(wanted []Line) ([]Line, money.Money, error) {
	switch o.Phase {
	case Unpaid:
		return nil, money.Money{}, ErrNotPaid
	case Open:
	case Closed:
		return nil, money.Money{}, ErrInvalidTransition
	default:
		return nil, money.Money{}, fmt.Errorf("shipments: the order has the phase %d", o.Phase)
	}
	left := map[string]int64{}
	for _, l := range o.Lines {
		left[l.SKU] = l.ToShip
	}
	if len(wanted) == 0 {
		for _, l := range o.Lines {
			if l.ToShip > 0 {
				wanted = append(wanted, Line{SKU: l.SKU, Quantity: l.ToShip})
			}
		}
	}
	if len(wanted) == 0 {
		return nil, money.Money{}, ErrInvalidTransition
	}
	var over []problem.FieldError
	taken := map[string]int64{}
	for i, l := range wanted {
		switch rest, ordered := left[l.SKU]; {
		case !ordered:
			over = append(over, problem.FieldError{Pointer: fmt.Sprintf("/lines/%d/sku", i), Detail: "must be a SKU of the order"})
		case l.Quantity > rest:
			over = append(over, problem.FieldError{
				Pointer: fmt.Sprintf("/lines/%d/quantity", i), Detail: fmt.Sprintf("must not be more than the %d left to ship", rest),
			})
		default:
			taken[l.SKU] = l.Quantity
		}
	}
	if over != nil {
		return nil, money.Money{}, ErrOverShip.WithFields(over...)
	}
	amount, err := o.amount(taken)
	return wanted, amount, err
}

// amount returns what a parcel with the taken pieces costs. What n pieces of a line cost together is rounded down, and
// a parcel costs the difference to the pieces before it, both in whole payable units; the last parcel costs the rest of
// the order's total. So the amounts of all parcels add up to the total, whatever is in which parcel, and each can be
// captured.
func (o Order) amount(taken map[string]int64) (money.Money, error) {
	before, after, last := int64(0), int64(0), true
	for _, l := range o.Lines {
		shipped := l.Quantity - l.ToShip
		now := shipped + taken[l.SKU]
		before += part(l, shipped)
		after += part(l, now)
		last = last && now == l.Quantity
	}
	unit := policy.PayableUnit(o.Total.Currency)
	before, after = before-before%unit, after-after%unit
	if last {
		after = o.Total.AmountMinor
	}
	return money.New(after-before, o.Total.Currency)
}

// part returns what the first n pieces of a line cost, rounded down.
func part(l OrderLine, n int64) int64 {
	product := new(big.Int).Mul(big.NewInt(l.Total.AmountMinor), big.NewInt(n))
	return product.Div(product, big.NewInt(l.Quantity)).Int64()
}

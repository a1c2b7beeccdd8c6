package orders

import (
	"fmt"
	"time"

	"github.com/tienda-dev/tienda/shared/problem"
)

// ErrOverShip is a shipment that has more pieces than are left to ship.
var ErrOverShip = problem.New(problem.Invalid, "over_ship", "The shipment has more pieces than are left to ship.")

// Shipped is a number of pieces of one SKU in a shipment.
type Shipped struct {
	SKU string
	// Quantity is the number of pieces, from 1.
	Quantity int64
}

// Left returns the pieces that no shipment has, by the order's lines.
func (o Order) Left() []Shipped {
	var left []Shipped
	for _, line := range o.Lines {
		if line.ToShip > 0 {
			left = append(left, Shipped{line.SKU, line.ToShip})
		}
	}
	return left
}

func (o Order) ship(lines []Shipped, shipmentID string, now time.Time) (Order, Transition, error) {
	if _, err := o.Status.Next(ShipRest); err != nil {
		return Order{}, Transition{}, err
	}
	left := o.Clone()
	var broken []problem.FieldError
	for i, shipped := range lines {
		at := left.line(shipped.SKU)
		switch {
		case at < 0:
			broken = append(broken, problem.FieldError{Pointer: fmt.Sprintf("/lines/%d/sku", i), Detail: "must be a SKU of the order"})
		case shipped.Quantity < 1 || shipped.Quantity > left.Lines[at].ToShip:
			broken = append(broken, problem.FieldError{
				Pointer: fmt.Sprintf("/lines/%d/quantity", i), Detail: fmt.Sprintf("must be 1 to the %d pieces left", left.Lines[at].ToShip),
			})
		default:
			left.Lines[at].ToShip -= shipped.Quantity
		}
	}
	if len(broken) > 0 || len(lines) == 0 {
		return Order{}, Transition{}, ErrOverShip.WithFields(broken...)
	}
	on, fulfilment := ShipRest, FulfilmentShipped
	if len(left.Left()) > 0 {
		on, fulfilment = ShipSome, FulfilmentPartiallyShipped
	}
	after, row, err := left.apply(on, now)
	if err != nil {
		return Order{}, Transition{}, err
	}
	after.FulfilmentStatus = fulfilment
	after.Shipments[shipmentID] = ParcelSent
	return after, row, nil
}

// parcel returns the order with the new state of a shipment, and the trigger that follows from it; empty if none
// does. It returns false if nothing changes. Late events change nothing: a return counts most, then a delivery.
func (o Order) parcel(shipmentID string, state ParcelState, now time.Time) (Order, Trigger, bool) {
	old, known := o.Shipments[shipmentID]
	if !known || old == state || old == ParcelReturned || old == ParcelDelivered && state == ParcelLost {
		return o, "", false
	}
	after := o.changed(now)
	after.Shipments[shipmentID] = state
	parcels := map[ParcelState]int{}
	for _, s := range after.Shipments {
		parcels[s]++
	}
	switch {
	case parcels[ParcelSent] > 0:
		return after, "", true
	case parcels[ParcelDelivered] > 0:
		return after, Deliver, true
	case parcels[ParcelLost] > 0:
		return after, "", true // nothing has arrived, and not everything has come back
	default:
		return after, Return, true
	}
}

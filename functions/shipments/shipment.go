// Package shipments has the parcels of orders and what carriers report about them. It has the rules, the handlers and
// the Store interface, and does not depend on a database.
package shipments

import (
	"slices"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
)

// Line is a number of pieces of one SKU.
type Line struct {
	// SKU is the article, as the order names it.
	SKU string `json:"sku"`
	// Quantity is the number of pieces, at least 1.
	Quantity int64 `json:"quantity"`
}

// Milestone is the latest report of one type.
type Milestone struct {
	// Type is what the carrier reported.
	Type ScanType `json:"type"`
	// At is when it happened, by the carrier's clock.
	At api.Time `json:"at"`
}

// Shipment is a parcel with a part of an order or all of it.
type Shipment struct {
	// ID is a ULID.
	ID string `json:"id"`
	// OrderID is the id of the order, a ULID.
	OrderID string `json:"order_id"`
	// Status follows from the milestones.
	//
	// StatusOf computes it.
	Status Status `json:"status"`
	// Carrier is the name of the company that carries the parcel.
	Carrier string `json:"carrier"`
	// Lines are the pieces in the parcel, one line for each SKU.
	Lines []Line `json:"lines"`
	// Amount is what the pieces cost with tax. The last parcel of an order has the rest of the order's total, shipping
	// included, so that the parcels' amounts add up to it.
	Amount money.Money `json:"amount"`
	// The token opens GET /v1/track/{token}: 128 random bits or more. It is as secret as what that route shows.
	TrackingToken string `json:"tracking_token"`
	// Milestones are the latest reports of each type, by time.
	Milestones []Milestone `json:"milestones"`
	// Version is the number of changes, from 1.
	Version   int64    `json:"version"`
	CreatedAt api.Time `json:"created_at"`
	UpdatedAt api.Time `json:"updated_at"`

	// Customer is the id of the user who ordered. Clients do not see it.
	Customer string `json:"-"`
}

// Scan is a report of the carrier about a parcel.
type Scan struct {
	// EventID is the sender's name for the report: the same id is the same report.
	EventID string `json:"event_id"`
	// ShipmentID is the id of the parcel.
	ShipmentID string `json:"shipment_id"`
	// Type is what happened.
	Type ScanType `json:"type"`
	// At is when it happened, by the carrier's clock.
	At api.Time `json:"at"`
	// Moved is whether the report changed the parcel's status. A repeated or an overtaken one does not.
	Moved bool `json:"moved"`
	// Status is the parcel's status after the report.
	Status Status `json:"status"`
	// ReceivedAt is when the report arrived.
	ReceivedAt api.Time `json:"received_at"`
}

// with returns the milestones with a report, one for each type, by time and then by progress. added is false if they
// have a later one of the type or the same.
func with(milestones []Milestone, m Milestone) (all []Milestone, added bool) {
	all = slices.Clone(milestones)
	i := slices.IndexFunc(all, func(have Milestone) bool { return have.Type == m.Type })
	switch {
	case i < 0:
		all = append(all, m)
	case m.At.After(all[i].At.Time):
		all[i] = m
	default:
		return all, false
	}
	slices.SortFunc(all, func(a, b Milestone) int {
		if c := a.At.Compare(b.At.Time); c != 0 {
			return c
		}
		return rank(Status(a.Type)) - rank(Status(b.Type))
	})
	return all, true
}

// latest returns when the type was last reported, and false if it was not.
func latest(milestones []Milestone, of ScanType) (time.Time, bool) {
	for _, m := range milestones {
		if m.Type == of {
			return m.At.Time, true
		}
	}
	return time.Time{}, false
}

package shipments

import (
	"slices"
	"time"
)

// Status is where a parcel is.
type Status string

// The statuses. All but the first have the name of the report that leads to them.
const (
	// Created: the parcel waits for its carrier.
	Created Status = "created"
	// PickedUp: the carrier has it.
	PickedUp Status = "picked_up"
	// InTransit: it is on its way.
	InTransit Status = "in_transit"
	// OutForDelivery: it is in the last vehicle.
	OutForDelivery Status = "out_for_delivery"
	// Exception: something keeps it from moving on, such as a wrong address.
	Exception Status = "exception"
	// Lost: the carrier does not find it.
	Lost Status = "lost"
	// Delivered: the customer has it.
	Delivered Status = "delivered"
	// Returned: it came back to the shop.
	Returned Status = "returned"
)

// ScanType is what a report of a carrier says.
type ScanType string

// The types of reports.
const (
	ScanPickedUp       ScanType = "picked_up"
	ScanInTransit      ScanType = "in_transit"
	ScanOutForDelivery ScanType = "out_for_delivery"
	ScanDelivered      ScanType = "delivered"
	ScanException      ScanType = "exception"
	ScanReturned       ScanType = "returned"
	ScanLost           ScanType = "lost"
)

// ScanTypes returns every type of report, by progress.
func ScanTypes() []ScanType {
	return []ScanType{ScanPickedUp, ScanInTransit, ScanOutForDelivery, ScanException, ScanLost, ScanDelivered, ScanReturned}
}

// Statuses returns every status, by progress.
func Statuses() []Status {
	return []Status{Created, PickedUp, InTransit, OutForDelivery, Exception, Lost, Delivered, Returned}
}

// rank is how far a parcel is, from 0. A report never takes a parcel to a lower or an equal rank, except from an
// exception or to what follows it.
func rank(s Status) int { return slices.Index(Statuses(), s) }

// Transition is a way from one status to another.
type Transition struct{ From, To Status }

// Transitions returns the state machine of a parcel. Reports may be missing, so that a parcel skips statuses. StatusOf
// decides which of the ways a parcel goes.
func Transitions() []Transition {
	table := []struct {
		from Status
		to   []Status
	}{
		{Created, []Status{PickedUp, InTransit, OutForDelivery, Exception, Lost, Delivered, Returned}},
		{PickedUp, []Status{InTransit, OutForDelivery, Exception, Lost, Delivered, Returned}},
		{InTransit, []Status{OutForDelivery, Exception, Lost, Delivered, Returned}},
		{OutForDelivery, []Status{InTransit, Exception, Lost, Delivered, Returned}}, // InTransit: a late report of an exception between them
		{Exception, []Status{InTransit, OutForDelivery, Lost, Delivered, Returned}},
		{Lost, []Status{Delivered, Returned}}, // it was found
		{Delivered, []Status{Returned}},
		{Returned, nil},
	}
	var all []Transition
	for _, row := range table {
		for _, to := range row.to {
			all = append(all, Transition{From: row.from, To: to})
		}
	}
	return all
}

// StatusOf returns the status that follows from the reports, of which only the latest of each type matter. It depends
// neither on the order in which they arrived nor on how often, so that late and repeated ones do no harm: the end of a
// parcel's way counts most; before that an exception lasts until a later report says that the parcel is moving.
func StatusOf(milestones []Milestone) Status {
	for _, end := range []ScanType{ScanReturned, ScanDelivered, ScanLost} {
		if _, reported := latest(milestones, end); reported {
			return Status(end)
		}
	}
	exception, failed := latest(milestones, ScanException)
	after := func(of ScanType) bool {
		at, reported := latest(milestones, of)
		return reported && (!failed || at.After(exception))
	}
	switch {
	case after(ScanOutForDelivery):
		return OutForDelivery
	case after(ScanInTransit):
		return InTransit
	case failed:
		return Exception
	case after(ScanPickedUp):
		return PickedUp
	default:
		return Created
	}
}

// MaxAhead is how far in the future a report may be: clocks differ.
const MaxAhead = 5 * time.Minute

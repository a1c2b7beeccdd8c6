package payments

import "slices"

// transitions is the state machine: the states that can follow each one. A report of the provider may skip states in
// between, because notifications arrive late and in any order. Success after a decline is possible where the provider
// contradicts itself; the money then goes back.
func transitions() map[Status][]Status {
	held := []Status{Authorized, PartiallyCaptured, Captured, Voided, PartiallyRefunded, Refunded}
	return map[Status][]Status{
		Authorizing:       append([]Status{Unknown, Declined}, held...),
		Unknown:           append([]Status{Declined}, held...),
		Declined:          held,
		Authorized:        {PartiallyCaptured, Captured, Voided, PartiallyRefunded, Refunded},
		PartiallyCaptured: {Captured, PartiallyRefunded, Refunded},
		Captured:          {PartiallyRefunded, Refunded},
		PartiallyRefunded: {PartiallyCaptured, Captured, Refunded}, // a bank can return a refund
		Refunded:          {PartiallyCaptured, Captured, PartiallyRefunded},
		Voided:            {},
	}
}

// Transition is a row of the state machine.
type Transition struct{ From, To Status }

// Transitions returns the state machine, in the order of the states.
func Transitions() []Transition {
	var rows []Transition
	for _, from := range []Status{
		Authorizing, Unknown, Declined, Authorized, PartiallyCaptured, Captured, PartiallyRefunded, Refunded, Voided,
	} {
		for _, to := range transitions()[from] {
			rows = append(rows, Transition{from, to})
		}
	}
	return rows
}

// Legal reports whether a payment may change from one state into the other. A state may stay.
func Legal(from, to Status) bool {
	return from == to || slices.Contains(transitions()[from], to)
}

// operations is what may be asked for in each state.
func operations() map[Operation][]Status {
	return map[Operation][]Status{
		OpCapture: {Authorized, PartiallyCaptured, PartiallyRefunded},
		OpVoid:    {Authorized},
		OpRefund:  {PartiallyCaptured, Captured, PartiallyRefunded},
	}
}

// Allows reports whether the operation may be asked for in the payment's state.
func (p Payment) Allows(op Operation) bool {
	if !slices.Contains(operations()[op], p.Status) {
		return false
	}
	switch op {
	case OpCapture, OpVoid:
		return p.Capturable > 0
	default:
		return true
	}
}

// status is the state of a payment that was authorised, by its amounts.
func (p Payment) status() Status {
	refunded, captured := p.Refunded.AmountMinor, p.Captured.AmountMinor
	switch {
	case refunded > 0 && refunded >= captured && p.Capturable == 0:
		return Refunded
	case refunded > 0:
		return PartiallyRefunded
	case captured > 0 && p.Capturable > 0:
		return PartiallyCaptured
	case captured > 0:
		return Captured
	default:
		return Authorized
	}
}

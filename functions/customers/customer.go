// Package customers is what the shop knows about the people who buy: their profiles. It holds the
// rules, the handlers of its routes and the Store interface; it knows no database. A profile comes
// into being with the user who owns it, in one transaction that the registration makes.
package customers

import "time"

// Customer is a person's profile.
type Customer struct {
	// ID is the user's id, a ULID: the subject of the person's tokens.
	ID string `json:"id"`
	// Email is the address that the person registered with, as it was spelled there. It is not changed
	// here: it is what the person logs in with.
	Email string `json:"email"`
	// Name is how the person wants to be called. It keeps to policy.PersonNameFault.
	Name string `json:"name"`
	// Version counts the changes, from 1. It is the entity tag.
	Version int64 `json:"version"`
	// CreatedAt and UpdatedAt are in UTC, to the millisecond.
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

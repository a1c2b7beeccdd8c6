// Package customers has the profiles of the people who buy. It has the rules, the handlers and the Store
// interface, and does not depend on a database. The registration creates a profile together with its user, in
// one transaction.
package customers

import "github.com/tienda-dev/tienda/shared/api"

// Customer is a person's profile.
type Customer struct {
	// ID is the user's id, a ULID: the subject of the person's tokens.
	ID string `json:"id"`
	// Email is the address that the person registered with, spelled as it was then. It cannot be changed
	// here, because the person logs in with it.
	Email string `json:"email"`
	// Name is the name that the person chose.
	//
	// policy.PersonNameFault has its rules.
	Name string `json:"name"`
	// Version is the number of changes, from 1: the entity tag.
	Version   int64    `json:"version"`
	CreatedAt api.Time `json:"created_at"`
	UpdatedAt api.Time `json:"updated_at"`
}

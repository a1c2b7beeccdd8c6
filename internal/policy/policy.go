// Package policy holds what every resource of the shop uses: the roles, to declare routes with, and the rules
// for texts.
package policy

// The roles that a user can hold.
const (
	// RoleCatalog maintains products.
	RoleCatalog = "catalog"
	// RoleFulfilment moves stock and ships orders.
	RoleFulfilment = "fulfilment"
	// RoleSupport helps customers with their orders.
	RoleSupport = "support"
	// RoleAdmin manages users and rules.
	RoleAdmin = "admin"
	// RoleCustomer buys products. Every new user has it.
	RoleCustomer = "customer"
	// RoleService is for machines: other services that check tokens.
	RoleService = "service"
)

// Roles returns every role, by name.
func Roles() []string {
	return []string{RoleAdmin, RoleCatalog, RoleCustomer, RoleFulfilment, RoleService, RoleSupport}
}

// Staff returns the roles that may read what is not public, such as draft products.
func Staff() []string {
	return []string{RoleCatalog, RoleFulfilment, RoleSupport, RoleAdmin}
}

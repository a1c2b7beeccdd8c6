// Package policy is what every resource keeps to: the roles of the shop, as data to declare routes with,
// and the rule for a person's name.
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
	// RoleCustomer buys. Every new user has it.
	RoleCustomer = "customer"
	// RoleService is for machines: other services that ask whether a token stands.
	RoleService = "service"
)

// Roles returns every role, by name.
func Roles() []string {
	return []string{RoleAdmin, RoleCatalog, RoleCustomer, RoleFulfilment, RoleService, RoleSupport}
}

// Staff returns the roles whose holders see what is not public yet, such as draft products.
func Staff() []string {
	return []string{RoleCatalog, RoleFulfilment, RoleSupport, RoleAdmin}
}

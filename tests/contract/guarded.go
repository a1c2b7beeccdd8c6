package contract

import (
	"slices"

	"github.com/tienda-dev/tienda/local/record"
)

// guardedKind is a kind of items that only these functions may read, or write.
type guardedKind struct {
	what, table, key string
	readers, writers []string
}

// guardedKinds lists them. A new name is a decision.
func guardedKinds() []guardedKind {
	return []guardedKind{
		{
			what: "password hashes", table: "AuthTable", key: "PW#*",
			readers: []string{"change-password", "login"},
			writers: []string{"change-password", "login", "register-user"}, // a login replaces an outdated hash
		},
		{
			what: "roles", table: "AuthTable", key: "USER#*",
			readers: []string{"change-password", "get-limits", "login", "logout-user", "refresh-token", "reset-limits", "set-user-roles", "unlock-user"},
			writers: []string{"register-user", "set-user-roles"},
		},
		{
			what: "e-mail addresses", table: "CommerceTable", key: "CUST#*",
			readers: []string{"change-password", "get-my-profile", "update-my-profile"}, // a password must not be the address
			writers: []string{"register-user", "update-my-profile"},
		},
	}
}

// Guarded checks that no role reaches password hashes, roles or addresses, but those that need them. An
// UpdateItem reads too, because it can return the item. The health functions, which anybody may call, read WARM,
// which does not exist.
func Guarded(granted []record.Action) []string {
	var f faults
	for _, action := range distinct(granted) {
		reads := slices.Contains([]string{"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:ConditionCheckItem"}, action.Name)
		for _, g := range guardedKinds() {
			if action.Table != g.table || action.Key != g.key {
				continue
			}
			if (reads || action.Name == "dynamodb:UpdateItem") && !slices.Contains(g.readers, action.Function) {
				f.add("%s: the function has no need to read %s: remove the grant", action, g.what)
			}
			if !reads && !slices.Contains(g.writers, action.Function) {
				f.add("%s: the function has no need to write %s: remove the grant", action, g.what)
			}
		}
		if slices.Contains([]string{"get-health", "get-readiness"}, action.Function) && (action.Name != "dynamodb:GetItem" || action.Key != "WARM") {
			f.add("%s: anybody may call the function: let it read WARM alone", action)
		}
	}
	return f
}

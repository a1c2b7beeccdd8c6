package contract_test

import (
	"slices"
	"testing"

	"github.com/tienda-dev/tienda/local/record"
	"github.com/tienda-dev/tienda/tests/contract"
)

// login looks at a limit (Peek is GetItem) and unlock-user resets one (Reset is DeleteItem). On AWS, without the grant,
// every login is a 503, and every unlock.
func TestReviewRolesReachTheLimitsThatTheirHandlersUse(t *testing.T) {
	t.Parallel()
	resources, err := contract.ReadResources([]byte(read(t, "template.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	granted, err := contract.Grants(readTemplate(t), resources)
	if err != nil {
		t.Fatal(err)
	}
	for function, action := range map[string]string{"login": "dynamodb:GetItem", "unlock-user": "dynamodb:DeleteItem"} {
		if !slices.ContainsFunc(granted, func(a record.Action) bool {
			return a.Function == function && a.Name == action && a.Table == "RateLimitTable"
		}) {
			t.Errorf("%s may not call %s on RateLimitTable", function, action)
		}
	}
}

package policy_test

import (
	"slices"
	"testing"

	"github.com/tienda-dev/tienda/internal/policy"
)

// What an operator may switch is not called unknown in the log.
func TestReviewLimitsOfHandlersAreKnown(t *testing.T) {
	t.Parallel()
	for _, p := range slices.Concat(policy.LoginAccount(), policy.LoginAddress(), policy.RegisterAccount(), policy.RefreshSession()) {
		if !policy.Known(p.Name) {
			t.Errorf("%s is not known", p.Name)
		}
	}
}

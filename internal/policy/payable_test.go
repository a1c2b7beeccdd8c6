package policy_test

import (
	"testing"

	"github.com/tienda-dev/tienda/internal/policy"
)

func TestPayableUnit(t *testing.T) {
	t.Parallel()
	for currency, want := range map[string]int64{"KWD": 10, "BHD": 10, "EUR": 1, "JPY": 1, "ISK": 1, "XXZ": 1} {
		if got := policy.PayableUnit(currency); got != want {
			t.Errorf("%s: got %d, want %d", currency, got, want)
		}
	}
}

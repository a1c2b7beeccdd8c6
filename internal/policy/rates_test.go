package policy_test

import (
	"slices"
	"testing"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

func TestClassesAreValid(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, class := range policy.Classes() {
		if class.OnError == 0 || len(class.Counters()) == 0 {
			t.Errorf("%s has no failure mode or no limit", class.Rate)
		}
		for _, counter := range class.Counters() {
			if err := ratelimit.ValidatePolicies(counter.Policies); err != nil {
				t.Errorf("%s: %v", class.Rate, err)
			}
			for _, p := range counter.Policies {
				if names[p.Name] {
					t.Errorf("two policies have the name %s", p.Name)
				}
				names[p.Name] = true
			}
		}
	}
}

// Where secrets can be guessed, a stolen token could take an account over, or a customer could hold the stock of the shop,
// nothing passes without being counted.
func TestWhatGuardsAccountsAndStockIsClosed(t *testing.T) {
	t.Parallel()
	for _, class := range policy.Classes() {
		guards := slices.Contains([]api.Rate{policy.RateLogin, policy.RateRegister, policy.RateToken, policy.RateSensitive, policy.RateCheckout, policy.RateTrack}, class.Rate)
		if closed := class.OnError == ratelimit.Closed; closed != guards {
			t.Errorf("%s is %v", class.Rate, class.OnError)
		}
	}
}

func TestKnown(t *testing.T) {
	t.Parallel()
	for _, p := range slices.Concat(policy.LoginAccount(), policy.LoginAccountAddress(), policy.LoginAddress(), policy.RegisterAccount(), policy.RefreshSession()) {
		if !policy.Known(p.Name) {
			t.Errorf("%s is unknown", p.Name)
		}
	}
	for name, want := range map[string]bool{"all": true, "login-ip": true, "user-read": true, "login": false, "": false} {
		if got := policy.Known(name); got != want {
			t.Errorf("%q is known: %t, want %t", name, got, want)
		}
	}
}

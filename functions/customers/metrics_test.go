package customers_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// TestChangesOfProfilesAreCounted changes a profile once; what changes nothing is not counted.
func TestChangesOfProfilesAreCounted(t *testing.T) {
	t.Parallel()
	p := newProfiles(t)
	ctx, recorded := metricstest.New(t)
	patch := func(name, version string) apitest.Answer {
		return p.api.Do(http.MethodPatch, "/v1/customers/me", `{"name":"`+name+`"}`, apitest.As(maria), apitest.Measured(metrics.From(ctx)),
			apitest.Header("Content-Type", "application/merge-patch+json"), apitest.Header("If-Match", version))
	}
	patch("Maria", `"1"`).Want(http.StatusOK)
	patch("Maria", `"2"`).Want(http.StatusOK) // the same name
	patch("Other", `"1"`).Want(http.StatusPreconditionFailed)
	want := map[string]float64{metrics.ShopCustomerChanges + " updated": 1}
	if diff := cmp.Diff(want, recorded.Series(t, metrics.ShopCustomerChanges)); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

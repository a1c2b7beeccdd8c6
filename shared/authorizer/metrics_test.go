package authorizer_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/authorizer"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// TestDecisionsAreMeasured counts every decision, and the time to verify only where there is a token to verify.
func TestDecisionsAreMeasured(t *testing.T) {
	t.Parallel()
	ctx, recorded := metricstest.New(t)
	a := newAuthorizer(t, func(ctx context.Context, got string) (identity.Identity, error) {
		if got == "broken" {
			panic("canary")
		}
		return onlyToken(ctx, got)
	}, authorizer.Config{})
	for _, header := range []string{"Bearer " + token, "Bearer " + token, "Bearer other", "Bearer broken", "Basic dTpw", ""} {
		if _, err := a.Authorize(ctx, request(header)); err != nil {
			t.Errorf("%q: %v", header, err)
		}
	}
	want := map[string]float64{
		metrics.AuthAuthorizerDecisions + " " + string(identity.OK):                2,
		metrics.AuthAuthorizerDecisions + " " + string(identity.InvalidToken):      1,
		metrics.AuthAuthorizerDecisions + " " + string(identity.Unavailable):       1,
		metrics.AuthAuthorizerDecisions + " " + string(identity.UnsupportedScheme): 1,
		metrics.AuthAuthorizerDecisions + " " + string(identity.InvalidRequest):    1,
		metrics.AuthTokenValidationDuration + " bearer":                            3,
	}
	got := recorded.Series(t, metrics.AuthAuthorizerDecisions, metrics.AuthTokenValidationDuration)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

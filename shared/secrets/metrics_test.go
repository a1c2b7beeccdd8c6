package secrets_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/secrets"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// TestASecretIsMeasuredAsACache reads a secret while it is fresh, while it is refreshed, and while its store fails.
func TestASecretIsMeasuredAsACache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, recorded := metricstest.New(t)
		st := &store{}
		secret := open(t, secretARN, st, secrets.Config{})
		secret.Get(ctx)
		secret.Get(ctx)

		time.Sleep(5 * time.Minute)
		st.delay = 100 * time.Millisecond
		var refresh sync.WaitGroup
		refresh.Go(func() { secret.Get(ctx) })
		synctest.Wait()
		secret.Get(ctx) // gets the old value
		refresh.Wait()

		time.Sleep(5 * time.Minute)
		st.err = errors.New("unavailable")
		secret.Get(ctx)

		cache := " " + strings.ToLower(variable)
		want := map[string]float64{
			metrics.CacheRequests + cache + " hit":      2,
			metrics.CacheRequests + cache + " miss":     1,
			metrics.CacheRequests + cache + " stale":    1,
			metrics.CacheRequests + cache + " error":    1,
			metrics.CacheLoadDuration + cache:           1,
			metrics.CacheLoadDuration + cache + " load": 1,
			metrics.CacheEntries + cache:                1,
		}
		want[metrics.CacheEvictions+cache] = 0
		got := recorded.Series(t, metrics.CacheRequests, metrics.CacheLoadDuration, metrics.CacheEntries, metrics.CacheEvictions)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("series (-want +got):\n%s", diff)
		}
	})
}

//go:build sam

package sam_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/sam"
)

// TestLimitsAreKept sends a burst of a class and one request more, of a user of its own, to functions whose limits refuse.
// A body that is not JSON shows only whether the request was admitted.
func TestLimitsAreKept(t *testing.T) {
	t.Parallel()
	environment, err := tables(t.Context(), "-limits")
	if err != nil {
		t.Fatal(err)
	}
	delete(environment, "RATE_LIMITS_SHADOW")
	server, err := shared.cli.StartAPI(t.Context(), sam.ServeOptions{Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	minted, err := tokens(time.Now(), "user-limits", policy.RoleCustomer)
	if err != nil {
		t.Fatal(err)
	}
	change := func() *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/auth/password", strings.NewReader("{"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+minted)
		req.Header.Set("Content-Type", "application/json")
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res
	}
	class, _ := policy.ClassOf(policy.RateSensitive)
	limit := class.User[0]
	// The class refuses with 503 what its store has not counted in time, as at a container's first request. One more is
	// admitted in each interval.
	began, admitted, uncounted := time.Now(), int64(0), 0
	for {
		switch res := change(); res.StatusCode { //nolint:bodyclose // change has closed it
		case http.StatusBadRequest:
			admitted++
		case http.StatusServiceUnavailable:
			if uncounted++; uncounted > 10 {
				t.Fatal("the limits do not reach their store")
			}
			continue
		case http.StatusTooManyRequests:
			if res.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			// A write whose answer came too late counts too.
			if least := limit.Burst - int64(uncounted); admitted < least {
				t.Errorf("%d requests were admitted, want at least %d", admitted, least)
			}
			return
		default:
			t.Fatalf("got %d, want 400, or 429 after %d requests", res.StatusCode, limit.Burst)
		}
		if most := limit.Burst + int64(time.Since(began)*time.Duration(limit.Limit)/limit.Window); admitted > most {
			t.Fatalf("%d requests were admitted, want at most %d", admitted, most)
		}
	}
}

package health_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/functions/health"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
)

// scrape is what a scrape answers.
type scrape struct {
	text string
	err  error
}

func (s scrape) Scrape(w http.ResponseWriter, _ *http.Request) error {
	if s.err == nil {
		_, _ = w.Write([]byte(s.text))
	}
	return s.err
}

func TestGetMetrics(t *testing.T) {
	t.Parallel()
	serve := func(t *testing.T, s scrape) *apitest.API {
		t.Helper()
		return apitest.New(t, []api.Route{health.GetMetricsRoute}, map[string]api.Handler{"get-metrics": health.GetMetrics(s)}, nil)
	}
	const path = "/v1/metrics"
	served := serve(t, scrape{text: "up 1\n"})
	served.Do(http.MethodGet, path, "").WantProblem(http.StatusUnauthorized, "missing_token")
	for _, role := range policy.Roles() {
		if role != policy.RoleAdmin {
			served.Do(http.MethodGet, path, "", apitest.As("user-1", role)).WantProblem(http.StatusForbidden, "insufficient_role")
		}
	}
	if a := served.Do(http.MethodGet, path, "", apitest.As("user-1", policy.RoleAdmin)).Want(http.StatusOK); a.Body != "up 1\n" {
		t.Errorf("got %q", a.Body)
	}

	failing := serve(t, scrape{err: errors.New("private cause")})
	a := failing.Do(http.MethodGet, path, "", apitest.As("user-1", policy.RoleAdmin))
	a.WantProblem(http.StatusInternalServerError, "internal")
	if strings.Contains(a.Body, "private cause") {
		t.Errorf("the client sees the cause: %s", a.Body)
	}
}

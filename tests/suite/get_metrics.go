package suite

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func (c *Caller) testGetMetrics(t *testing.T) {
	r := Request{Method: http.MethodGet, Path: "/v1/metrics", Token: c.As(t, roleAdmin)}
	t.Run("Text", func(t *testing.T) {
		t.Parallel()
		a := c.Do(t, r).want(t, http.StatusOK)
		a.wantHeader(t, "X-Metrics-Scope", "instance")
		a.wantHeader(t, headerContentType, typeMetrics+"; version=0.0.4; charset=utf-8; escaping=underscores")
		a.wantHeader(t, headerCacheControl, "no-store")
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(bytes.NewReader(a.Body))
		if err != nil {
			t.Fatalf("%v: %s", err, a.Body)
		}
		if got := families["faas_coldstarts_total"].GetMetric(); len(got) != 1 || got[0].GetCounter().GetValue() != 1 {
			t.Errorf("got %v, want the one cold start of one instance", got)
		}
		if families["http_server_active_requests"] == nil { // its own
			t.Errorf("no series of HTTP: %s", a.Body)
		}
	})
	t.Run("OpenMetrics", func(t *testing.T) {
		t.Parallel()
		r := r
		r.Header = map[string]string{"Accept": typeOpenMetrics + ";version=1.0.0"}
		a := c.Do(t, r).want(t, http.StatusOK)
		a.wantHeader(t, headerContentType, typeOpenMetrics+"; version=1.0.0; charset=utf-8; escaping=underscores")
		if !strings.HasSuffix(string(a.Body), "# EOF\n") || !strings.Contains(string(a.Body), "# TYPE faas_coldstarts counter") {
			t.Errorf("not OpenMetrics: %s", a.Body)
		}
	})
	for _, role := range []string{roleCustomer, roleService, roleSupport, roleCatalog, roleFulfilment} {
		t.Run("Refuses-"+role, func(t *testing.T) {
			t.Parallel()
			r := r
			r.Token = c.As(t, role)
			c.Do(t, r).wantProblem(t, forbidden())
		})
	}
	t.Run("WithoutToken", func(t *testing.T) {
		t.Parallel()
		r := r
		r.Token, r.ByGateway = "", true
		c.Do(t, r).want(t, http.StatusUnauthorized)
	})
}

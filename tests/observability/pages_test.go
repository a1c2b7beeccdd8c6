//go:build observability

package observability_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/observe"
)

// TestPrometheusHasThePagesItSays opens the pages that `make observe` prints, and loads what they refer to.
func TestPrometheusHasThePagesItSays(t *testing.T) {
	t.Parallel()
	r := start(t, observe.Options{})
	page := get(t, r.Prometheus+"/classic/graph")
	if shown := strings.Contains(page, "<title>Prometheus"); shown != r.PrometheusPages {
		t.Fatalf("PrometheusPages is %t, the page is\n%s", r.PrometheusPages, page)
	}
	if r.PrometheusPages && !strings.Contains(get(t, r.Prometheus+"/classic/alerts"), "DeadMansSwitch") {
		t.Error("the page of alerts does not show DeadMansSwitch")
	}
	files := regexp.MustCompile(`(?:src|href)="([^"?]+/static/[^"?]+)`).FindAllStringSubmatch(page, -1)
	if r.PrometheusPages && len(files) < 10 {
		t.Errorf("the page refers to %d files:\n%s", len(files), page)
	}
	for _, file := range files {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Prometheus+"/"+strings.TrimLeft(file[1], "./"), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := newClient().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d", file[1], res.StatusCode)
		}
	}
}

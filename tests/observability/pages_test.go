//go:build observability

package observability_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/observe"
)

// TestPrometheusHasThePagesItSays opens the page of queries and loads what it refers to.
func TestPrometheusHasThePagesItSays(t *testing.T) {
	t.Parallel()
	r := start(t, observe.Options{})
	page := get(t, r.Prometheus+"/graph")
	if shown := strings.Contains(page, "<title>Prometheus"); shown != r.PrometheusPages {
		t.Fatalf("PrometheusPages is %t, the page is\n%s", r.PrometheusPages, page)
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
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d", file[1], res.StatusCode)
		}
	}
}

//go:build observability

package observability_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/local/observe"
)

// instances is how many there are, alive how many of them live at one time, and requests what each serves.
const (
	instances = 200
	alive     = 20
	requests  = 50
)

// truth is what Prometheus must show, in one series each.
var truth = map[string]float64{
	`auth_attempts_total{auth_result="ok",deployment_environment_name="test",faas_name="get-product",job="tienda"}`:                                                 instances * (requests - requests/10),
	`auth_attempts_total{auth_result="error",deployment_environment_name="test",faas_name="get-product",job="tienda"}`:                                              instances * requests / 10,
	`http_server_request_duration_seconds_count{deployment_environment_name="test",faas_name="get-product",http_route="/v1/products/{id}",job="tienda"}`:            instances * requests,
	`http_server_request_duration_seconds_sum{deployment_environment_name="test",faas_name="get-product",http_route="/v1/products/{id}",job="tienda"}`:              instances * requests * 0.25,
	`http_server_request_duration_seconds_bucket{deployment_environment_name="test",faas_name="get-product",http_route="/v1/products/{id}",job="tienda",le="0.5"}`:  instances * requests,
	`http_server_request_duration_seconds_bucket{deployment_environment_name="test",faas_name="get-product",http_route="/v1/products/{id}",job="tienda",le="0.05"}`: 0,
}

// TestInstancesMergeIntoOneSeries runs a fleet against the collector. A third of the exports fails with 503 first, half of
// the fleet has another version, and 20 instances export at the same time.
func TestInstancesMergeIntoOneSeries(t *testing.T) {
	t.Parallel()
	r := start(t, observe.Options{ScrapeInterval: time.Second})
	play(t, r.Endpoint, instances)

	for series, want := range truth {
		eventually(t, func() error {
			got, err := query(t, r, series)
			if err != nil {
				return err
			}
			if len(got) != 1 {
				return fmt.Errorf("%d series of %s: %v", len(got), series, got)
			}
			if got[0].value != want {
				return fmt.Errorf("%s is %v, want %v", series, got[0].value, want)
			}
			return nil
		})
	}
	merged := scrape(t, r.Merged)
	for name := range merged {
		if strings.HasPrefix(name, "cache_entries") || strings.HasPrefix(name, "http_server_active_requests") {
			t.Errorf("%s is in the merged series, where the last instance would win", name)
		}
	}
	for _, name := range []string{"cache_entries", "http_server_active_requests"} {
		// The last instance's may come one batch and one scrape later than the merged counts.
		eventually(t, func() error { return oneSeries(t, r, `count(`+name+`{job="tienda"})`, instances) })
	}
}

// TestEveryStepOfTheMergeIsNeeded takes one step out of the pipeline at a time.
func TestEveryStepOfTheMergeIsNeeded(t *testing.T) {
	t.Parallel()
	config := read(t, "observability/collector.yaml")
	steps := mergeSteps(t, config)
	want := []string{
		"memory_limiter", "filter/sums", "redaction", "batch/serial", "cumulative_to_delta", "transform/drop_instance",
		"transform/rewrite_time", "delta_to_cumulative",
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Fatalf("the pipeline metrics/merge has other steps (-want +got):\n%s", diff)
	}
	const nothing = "nothing"
	for _, step := range append(steps, nothing) {
		if step == "memory_limiter" || step == "redaction" {
			continue // they change no number
		}
		t.Run(step, func(t *testing.T) {
			r := start(t, observe.Options{CollectorConfigs: []string{without(t, step)}, NoPrometheus: true})
			size := instances / 10
			if step == "batch/serial" {
				size = instances // a race needs its time
			}
			play(t, r.Endpoint, size)
			settle(t, r.Merged)
			switch diff := compare(scrape(t, r.Merged), size); {
			case step == nothing && diff != "":
				t.Errorf("with all steps the counts are wrong (-want +got):\n%s", diff)
			case step != nothing && diff == "":
				t.Errorf("without %s the counts are still right", step)
			}
		})
	}
}

// without writes the collector's configuration without a step of the merge, and returns the file.
func without(t *testing.T, step string) string {
	t.Helper()
	config := read(t, "observability/collector.yaml")
	left := slices.DeleteFunc(mergeSteps(t, config), func(s string) bool { return s == step })
	changed := strings.Replace(config, mergeLine(t, config), "["+strings.Join(left, ", ")+"]", 1)
	name := filepath.Join(t.TempDir(), "collector.yaml")
	if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// mergeLine returns the list of the merge pipeline's processors as it is written.
func mergeLine(t *testing.T, config string) string {
	t.Helper()
	found := regexp.MustCompile(`metrics/merge:\n.*\n      processors: (\[.*\])`).FindStringSubmatch(config)
	if found == nil {
		t.Fatal("collector.yaml has no pipeline metrics/merge")
	}
	return found[1]
}

func mergeSteps(t *testing.T, config string) []string {
	t.Helper()
	return strings.Split(strings.Trim(mergeLine(t, config), "[]"), ", ")
}

// compare returns how a page of Prometheus' text format differs from the truth.
func compare(page map[string]float64, size int) string {
	want, got := map[string]float64{}, map[string]float64{}
	for series, value := range truth {
		want[series] = value * float64(size) / instances
	}
	for series, value := range page {
		if strings.HasPrefix(series, "cache_entries") || strings.HasPrefix(series, "http_server_active") {
			got[series] = value
		}
		if strings.HasPrefix(series, "auth_") || strings.Contains(series, "_count{") || strings.Contains(series, "_sum{") ||
			strings.Contains(series, `le="0.5"`) || strings.Contains(series, `le="0.05"`) {
			got[series] = value
		}
	}
	return cmp.Diff(want, got)
}

// play lets a fleet serve its requests. Each instance exports after every request, and a third of the exports is refused
// once: the next export carries what it carried.
func play(t *testing.T, endpoint string, size int) {
	t.Helper()
	refusing := refuse(t, endpoint)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: alive}}
	t.Cleanup(client.CloseIdleConnections)
	var group errgroup.Group
	group.SetLimit(alive)
	for n := range size {
		group.Go(func() error {
			i := newInstance(refusing, client, n)
			if n%2 == 1 {
				i.version = "1.0.1"
			}
			for served := range requests {
				status := "ok"
				if served%10 == 9 {
					status = "error"
				}
				i.serve(status, 0.25)
				code, err := i.export(t.Context())
				for err == nil && code == http.StatusServiceUnavailable && served == requests-1 {
					code, err = i.export(t.Context()) // a function repeats its last export
				}
				if err != nil || code != http.StatusOK && code != http.StatusServiceUnavailable {
					return errors.Join(fmt.Errorf("export: status %d", code), err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// refuse returns a URL that passes on to the collector and answers every third request with 503 instead.
func refuse(t *testing.T, endpoint string) string {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: alive},
	}
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		// Requests arrive out of order, as they do over a network.
		time.Sleep(time.Duration(rand.Int64N(int64(2 * time.Millisecond))))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// settle waits until a page no longer changes.
func settle(t *testing.T, page string) {
	t.Helper()
	var before map[string]float64
	unchanged := 0
	eventually(t, func() error {
		now := scrape(t, page)
		if unchanged++; !cmp.Equal(now, before) {
			before, unchanged = now, 0
		}
		time.Sleep(100 * time.Millisecond)
		if unchanged < 10 {
			return errors.New("the page still changes")
		}
		return nil
	})
}

// scrape reads a page in Prometheus' text format: the value of each series.
func scrape(t *testing.T, page string) map[string]float64 {
	t.Helper()
	series := map[string]float64{}
	for line := range strings.Lines(get(t, page+"/metrics")) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatalf("%s: %q", page, line)
		}
		series[line[:at]] = value
	}
	return series
}

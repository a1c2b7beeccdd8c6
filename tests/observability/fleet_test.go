//go:build observability

package observability_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/observe"
	"github.com/tienda-dev/tienda/tests/fleet"
	"github.com/tienda-dev/tienda/tools/dist"
)

// expected are the series of a fleet, and how much each instance and each invocation adds to them.
var expected = map[string][2]int{
	`http_server_request_duration_seconds_count{http_route="/health/live",http_response_status_code="200"}`: {0, 1},
	`faas_invocations_total{faas_trigger="http"}`:                                                           {0, 1},
	`faas_invoke_duration_seconds_count{faas_trigger="http"}`:                                               {0, 1},
	`faas_init_duration_seconds_count{faas_trigger="http"}`:                                                 {1, 0},
	`faas_coldstarts_total{faas_trigger="http"}`:                                                            {1, 0},
}

// TestNothingIsLost runs a built function as short-lived instances, which are frozen between their requests and
// killed when they wait. An export in seven is answered with 503 once. What arrives is what happened.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	const count, each = instances, requests
	r := start(t, observe.Options{ScrapeInterval: time.Second})
	unanswered := deploy(t, r, count, each, false)

	for name, times := range expected {
		want := float64(times[0]*count + times[1]*count*each)
		eventually(t, func() error { return oneSeries(t, r, name, want) })
	}
	for _, name := range []string{"faas_errors_total", "faas_timeouts_total", "telemetry_dropped_total"} {
		if got, err := query(t, r, name); err != nil || len(got) != 0 {
			t.Errorf("%s: got %v, %v, want no series", name, got, err)
		}
	}
	for _, signal := range signals {
		eventually(t, func() error { return signal.complete(t, r, count, each, 0, unanswered > 0) })
	}
}

// TestEarlyDeathLosesOneInvocation kills instances between their last response and the next event.
func TestEarlyDeathLosesOneInvocation(t *testing.T) {
	t.Parallel()
	const count, each = 20, 5
	r := start(t, observe.Options{NoPrometheus: true})
	deploy(t, r, count, each, true)

	settle(t, r.Merged)
	for name, times := range expected {
		got := 0.0
		for found, value := range scrape(t, r.Merged) {
			if matches(found, name) {
				got += value
			}
		}
		least, most := times[0]*count+times[1]*count*(each-1), times[0]*count+times[1]*count*each
		if got < float64(least) || got > float64(most) {
			t.Errorf("%s is %v, want %d to %d", name, got, least, most)
		}
	}
	for _, signal := range signals {
		eventually(t, func() error { return signal.complete(t, r, count, each, 1, false) })
	}
}

// TestFunctionsNeedEveryStepOfTheMerge takes steps out of the pipeline, as TestEveryStepOfTheMergeIsNeeded does,
// under a built function. It leaves out batch/serial, whose absence shows only now and then in a small fleet.
func TestFunctionsNeedEveryStepOfTheMerge(t *testing.T) {
	t.Parallel()
	const count, each = 10, 4
	for _, step := range []string{"nothing", "filter/sums", "cumulative_to_delta", "transform/drop_instance", "transform/rewrite_time", "delta_to_cumulative"} {
		t.Run(step, func(t *testing.T) {
			r := start(t, observe.Options{CollectorConfigs: []string{without(t, step)}, NoPrometheus: true})
			deploy(t, r, count, each, false)
			settle(t, r.Merged)
			if err := mergedPage(scrape(t, r.Merged), count, each); (err == nil) != (step == "nothing") {
				t.Errorf("without %s: %v", step, err)
			}
		})
	}
}

// mergedPage compares the collector's page with the truth. It must not have what the last instance would win.
func mergedPage(page map[string]float64, count, each int) error {
	var errs []error
	for name, times := range expected {
		var found []float64
		for candidate, value := range page {
			if matches(candidate, name) {
				found = append(found, value)
			}
		}
		if want := float64(times[0]*count + times[1]*count*each); len(found) != 1 || found[0] != want {
			errs = append(errs, fmt.Errorf("%s: got %v, want %v once", name, found, want))
		}
	}
	for name := range page {
		if strings.HasPrefix(name, "http_server_active_requests") {
			errs = append(errs, fmt.Errorf("%s is on the page", name))
		}
	}
	return errors.Join(errs...)
}

// matches reports whether a series of a page has the name and the labels of another one.
func matches(candidate, wanted string) bool {
	name, labels, _ := strings.Cut(strings.TrimSuffix(wanted, "}"), "{")
	if !strings.HasPrefix(candidate, name+"{") {
		return false
	}
	for label := range strings.SplitSeq(labels, ",") {
		if !strings.Contains(candidate, label) {
			return false
		}
	}
	return true
}

// oneSeries checks that a query returns one series with a value.
func oneSeries(t *testing.T, r *observe.Running, promQL string, want float64) error {
	t.Helper()
	got, err := query(t, r, promQL)
	if err != nil {
		return err
	}
	if len(got) != 1 || got[0].value != want {
		return fmt.Errorf("%s: got %v, want %v once", promQL, got, want)
	}
	return nil
}

// used are the functions that the tests run.
var used = []string{
	"authorizer", "create-order", "create-payment", "create-product", "get-liveness", "get-my-profile", "get-product", "list-products",
	"list-staff-products", "login", "receive-stripe-webhook", "refresh-token", "register-user", "search-products", "track-shipment",
}

// binaries builds the used functions once and returns their folder. Each other function of the template is an
// empty file there, which fails when something starts it: to build all of them takes longer than the tests.
var binaries = sync.OnceValues(func() (string, error) {
	folder, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	out := filepath.Join(folder, ".cache", "fleet")
	all, err := dist.Functions(folder)
	if err != nil {
		return "", err
	}
	if _, err := dist.Build(context.Background(), dist.Options{Root: folder, Out: out, GOOS: runtime.GOOS, GOARCH: runtime.GOARCH, Only: used}); err != nil {
		return "", err
	}
	for _, f := range all {
		if slices.Contains(used, f.Name) {
			continue
		}
		binary := filepath.Join(out, f.Name, "bootstrap")
		if err := errors.Join(os.MkdirAll(filepath.Dir(binary), 0o755), os.WriteFile(binary, nil, 0o755)); err != nil {
			return "", err
		}
	}
	return out, nil
})

// deploy runs the fleet to its end. It returns how many exports a function gave up before the collector answered.
func deploy(t *testing.T, r *observe.Running, count, each int, early bool) (unanswered int64) {
	t.Helper()
	began := time.Now()
	endpoint, lost := refuseOnce(t, r.Endpoint)
	cfg := fleetConfig(t, endpoint, count, each)
	cfg.Early = early
	result, err := fleet.Run(t.Context(), cfg)
	if err != nil || result != (fleet.Result{Responses: int64(count * each)}) {
		t.Fatalf("got %+v, %v, want %d responses", result, err, count*each)
	}
	t.Logf("%d instances served %d requests each in %.0f s; %d exports were not answered in time", count, each, time.Since(began).Seconds(), lost.Load())
	return lost.Load()
}

// fleetConfig is a fleet of the built function, which sends to an endpoint.
func fleetConfig(t *testing.T, endpoint string, count, each int) fleet.Config {
	t.Helper()
	folder, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	event := []byte(read(t, "events/get-liveness.json"))
	return fleet.Config{
		Binary: filepath.Join(folder, "get-liveness", "bootstrap"), Instances: count, Requests: each, Alive: alive, Frozen: time.Millisecond, Timeout: 2 * watchdog,
		Env: []string{
			"OTEL_EXPORTER_OTLP_ENDPOINT=" + endpoint, "OTEL_EXPORTER_OTLP_TIMEOUT=20000", "OTEL_LOGS_EXPORTER=otlp",
			"OTEL_SERVICE_NAME=tienda", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test", "RATE_LIMITS_OFF=all", "TELEMETRY_BUSY_INTERVAL=0",
			"OTEL_GO_X_PER_SERIES_START_TIMESTAMPS=" + setting(t, "OTEL_GO_X_PER_SERIES_START_TIMESTAMPS"),
		},
		Event: func(int, int) []byte { return event },
	}
}

// refuseOnce returns a URL that passes on to the collector. It answers the first attempt of one export in seven
// with 503, and counts those that the sender gave up.
func refuseOnce(t *testing.T, endpoint string) (string, *atomic.Int64) {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	lost := new(atomic.Int64)
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 3 * alive},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			lost.Add(1)
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	var seen sync.Map
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender has died
		}
		digest := fnv.New64a()
		_, _ = digest.Write(body)
		if _, again := seen.LoadOrStore(digest.Sum64(), true); !again && digest.Sum64()%7 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, lost
}

// setting returns a variable that the template gives to every function.
func setting(t *testing.T, name string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^        ` + name + `: '(.+)'$`).FindStringSubmatch(read(t, "template.yaml"))
	if found == nil {
		t.Fatalf("template.yaml does not set %s", name)
	}
	return found[1]
}

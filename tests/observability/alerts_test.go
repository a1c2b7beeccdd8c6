//go:build observability

package observability_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/observe"
)

// fault is a story of one alert: healthy, then a fault that raises it, then recovery.
type fault struct {
	alert string
	// healthy, broken and recovered are how long each part takes, in minutes; 0 is 30, 30 and 40.
	healthy, broken, recovered int
	// series have a value for each part. That of a counter is its increase a minute; absent removes the series.
	series []story
}

type story struct {
	name  string
	parts [3]float64
	gauge bool
}

// absent says that a series has no samples in a part of the story.
var absent = math.NaN()

func counter(name string, healthy, broken, recovered float64) story {
	return story{name: name, parts: [3]float64{healthy, broken, recovered}}
}

func gauge(name string, healthy, broken, recovered float64) story {
	return story{name: name, parts: [3]float64{healthy, broken, recovered}, gauge: true}
}

// service adds the labels of the service to a series' own.
func service(name, labels string) string {
	return fmt.Sprintf(`%s{job="tienda",deployment_environment_name="prod"%s}`, name, labels)
}

func status(code string) string {
	return service("http_server_request_duration_seconds_count", `,http_request_method="GET",http_route="/v1/products",http_response_status_code="`+code+`"`)
}

// duration returns the buckets and the count of a histogram in which a share of the events in each part is above the bound.
func duration(name, labels, bound, above string, perMinute float64, share [3]float64) []story {
	fast := story{name: service(name+"_bucket", labels+`,le="`+bound+`"`)}
	slow := story{name: service(name+"_bucket", labels+`,le="`+above+`"`)}
	all := story{name: service(name+"_bucket", labels+`,le="+Inf"`)}
	count := story{name: service(name+"_count", labels)}
	for i := range share {
		fast.parts[i] = perMinute * (1 - share[i])
		slow.parts[i], all.parts[i], count.parts[i] = perMinute, perMinute, perMinute
	}
	return []story{fast, slow, all, count}
}

// faults has a story for every alert but DeadMansSwitch, which has none: it fires always.
var faults = []fault{
	{alert: "AvailabilityBurnsFast", healthy: 90, broken: 60, series: []story{counter(status("200"), 600, 600, 600), counter(status("500"), 0, 60, 0)}},
	{alert: "AvailabilityBurns", healthy: 420, broken: 120, recovered: 120, series: []story{counter(status("200"), 600, 600, 600), counter(status("500"), 0, 30, 0)}},
	{alert: "AvailabilityBurnsSlowly", healthy: 1440, broken: 900, recovered: 600, series: []story{counter(status("200"), 600, 600, 600), counter(status("500"), 0, 6, 0)}},
	{alert: "LatencyBurnsFast", healthy: 90, broken: 60, series: slowRequests(0.3)},
	{alert: "LatencyBurns", healthy: 420, broken: 180, recovered: 120, series: slowRequests(0.2)},
	{alert: "LatencyBurnsSlowly", healthy: 1440, broken: 900, recovered: 600, series: slowRequests(0.08)},
	{alert: "RouteErrors", series: []story{counter(status("200"), 60, 60, 60), counter(status("503"), 0, 6, 0)}},
	{alert: "RouteSlow", series: duration("http_server_request_duration_seconds", `,http_request_method="GET",http_route="/v1/products",http_response_status_code="200"`, "1.0", "5.0", 60, [3]float64{0, 0.2, 0})},
	{alert: "ClientErrors", series: []story{counter(status("200"), 60, 60, 60), counter(status("422"), 3, 120, 3)}},
	{alert: "UnauthorizedRequests", series: []story{counter(status("200"), 60, 60, 60), counter(status("401"), 1, 20, 1), counter(status("403"), 0, 5, 0)}},
	{alert: "TrafficVanished", healthy: 180, broken: 30, recovered: 60, series: []story{counter(status("200"), 60, 0, 60)}},

	{alert: "ManyColdStarts", healthy: 90, broken: 60, series: []story{
		counter(status("200"), 600, 600, 600), counter(function("faas_invoke_duration_seconds_count"), 600, 600, 600), counter(function("faas_coldstarts_total"), 6, 300, 6),
	}},
	{alert: "SlowColdStarts", healthy: 90, recovered: 90, series: duration("faas_init_duration_seconds", `,faas_name="create-product"`, "1.0", "2.5", 6, [3]float64{0, 0.5, 0})},
	{alert: "NearTimeout", series: duration("faas_invoke_duration_seconds", `,faas_name="create-product"`, "12.0", "15.0", 60, [3]float64{0, 0.1, 0})},
	{alert: "FunctionTimeouts", broken: 5, series: []story{counter(function("faas_timeouts_total"), absent, 0.2, 0)}},
	{alert: "FunctionErrors", broken: 10, series: []story{counter(function("faas_errors_total"), 0, 2, 0)}},
	{alert: "MemoryHigh", broken: 60, series: duration("faas_mem_usage_bytes", `,faas_name="create-product"`, "2.68435456e+08", "5.36870912e+08", 60, [3]float64{0, 0.3, 0})},

	{alert: "DynamoDBThrottles", broken: 10, series: []story{counter(service("aws_dynamodb_throttles_total", `,db_collection_name="commerce",db_operation_name="PutItem"`), absent, 3, 0)}},
	{alert: "DynamoDBSlow", series: duration("db_client_operation_duration_seconds", `,db_collection_name="commerce",db_operation_name="Query"`, "0.1", "0.5", 60, [3]float64{0, 0.1, 0})},
	{alert: "DynamoDBConflicts", series: []story{
		counter(service("aws_dynamodb_transaction_conflicts_total", `,db_collection_name="commerce"`), 1, 200, 1),
		counter(service("aws_dynamodb_conditional_check_failures_total", `,db_collection_name="commerce"`), 1, 200, 1),
	}},

	{alert: "CacheMisses", broken: 90, series: []story{
		counter(service("cache_requests_total", `,cache_name="products",cache_result="hit"`), 200, 50, 200),
		counter(service("cache_requests_total", `,cache_name="products",cache_result="miss"`), 20, 150, 20),
		// It holds revoked tokens only.
		counter(service("cache_requests_total", `,cache_name="revocations",cache_result="hit"`), 1, 1, 1),
		counter(service("cache_requests_total", `,cache_name="revocations",cache_result="miss"`), 200, 200, 200),
	}},
	{alert: "LoginsFail", series: []story{
		counter(service("auth_attempts_total", `,auth_method="password",auth_result="ok"`), 60, 60, 60),
		counter(service("auth_attempts_total", `,auth_method="password",auth_result="failed",auth_reason="credentials"`), 1, 120, 1),
	}},
	{alert: "RevocationLookupSlow", series: duration("auth_blacklist_lookup_duration_seconds", "", "0.1", "0.5", 60, [3]float64{0, 0.1, 0})},
	{alert: "AuthorizerUnavailable", broken: 15, series: []story{counter(service("auth_authorizer_decisions_total", `,auth_result="unavailable"`), 0, 2, 0)}},
	{alert: "RateLimiterFailsOpen", broken: 10, series: []story{counter(service("ratelimit_decisions_total", `,ratelimit_policy="read",ratelimit_decision="error_open"`), absent, 5, 0)}},
	{alert: "RateLimiterFailsClosed", broken: 10, series: []story{counter(service("ratelimit_decisions_total", `,ratelimit_policy="login",ratelimit_decision="error_closed"`), absent, 5, 0)}},
	{alert: "RateLimitDenials", series: []story{
		counter(service("ratelimit_decisions_total", `,ratelimit_policy="read",ratelimit_decision="allow"`), 60, 60, 60),
		counter(service("ratelimit_decisions_total", `,ratelimit_policy="read",ratelimit_decision="deny"`), 1, 60, 1),
	}},
	{alert: "HealthCheckFails", broken: 10, series: []story{gauge(service("health_check_status_ratio", `,health_check_name="auth_table"`), 1, 0, 1)}},

	{alert: "PaymentsFail", series: []story{
		counter(service("shop_payment_attempts_total", `,shop_result="success",shop_payment_provider="stripe"`), 20, 20, 20),
		counter(service("shop_payment_attempts_total", `,shop_result="failure",shop_payment_provider="stripe"`), 0, 20, 0),
	}},
	{alert: "NoOrders", healthy: 1600, broken: 120, recovered: 60, series: []story{
		counter(status("200"), 60, 60, 60), counter(service("shop_order_placed_total", `,shop_currency="EUR"`), 2, 0, 2),
	}},
	{alert: "OutOfStock", broken: 60, recovered: 90, series: []story{counter(service("shop_inventory_out_of_stock_total", ""), 0, 1, 0)}},

	{alert: "TelemetryMissing", healthy: 90, broken: 180, series: []story{counter(status("200"), 60, absent, 60)}},
	{alert: "ScrapeDown", broken: 10, series: []story{gauge(`up{job="collector",instance="collector:8888"}`, 1, 0, 1)}},
	{alert: "FlushFailures", broken: 15, series: []story{counter(service("telemetry_flush_failures_total", ""), absent, 3, 0)}},
	{alert: "TelemetryDropped", broken: 15, series: []story{counter(service("telemetry_dropped_total", `,telemetry_signal="spans",telemetry_reason="queue_full"`), absent, 3, 0)}},
	{alert: "CardinalityOverflow", broken: 5, series: []story{counter(service("telemetry_cardinality_overflow_total", ""), absent, 1, 0)}},
	{alert: "CollectorExportsFail", broken: 20, series: []story{
		counter(`otelcol_exporter_send_failed_spans_total{exporter="otlp_http"}`, 0, 10, 0),
		counter(`otelcol_exporter_send_failed_log_records_total{exporter="otlp_http"}`, 0, 0, 0),
	}},
	{alert: "CollectorQueueFull", broken: 20, series: []story{
		gauge(`otelcol_exporter_queue_size{exporter="otlp_http"}`, 0, 900, 0), gauge(`otelcol_exporter_queue_capacity{exporter="otlp_http"}`, 1000, 1000, 1000),
	}},
	{alert: "CollectorRefuses", broken: 15, series: []story{
		counter(`otelcol_receiver_refused_metric_points_total{receiver="otlp",transport="http"}`, 0, 10, 0),
		counter(`otelcol_receiver_refused_spans_total{receiver="otlp",transport="http"}`, 0, 0, 0),
	}},
	{alert: "MergeDropsPoints", broken: 15, series: []story{counter(`otelcol_deltatocumulative_datapoints_total{error="limit"}`, 0, 10, 0)}},
	{alert: "TracesDroppedEarly", broken: 20, series: []story{counter(`otelcol_processor_tail_sampling_sampling_trace_dropped_too_early_total`, 0, 10, 0)}},
	{alert: "RulesFail", broken: 15, series: []story{counter(`prometheus_rule_evaluation_failures_total{rule_group="routes"}`, 0, 1, 0)}},
}

func function(name string) string { return service(name, `,faas_name="create-product"`) }

func slowRequests(share float64) []story {
	return duration("http_server_request_duration_seconds", `,http_route="/v1/products"`, "1.0", "2.5", 600, [3]float64{0, share, 0})
}

// TestEveryAlertFiresAndResolves lets promtool play each story: the alert is silent before the fault, fires at its end, and
// is silent again at the end of the recovery.
func TestEveryAlertFiresAndResolves(t *testing.T) {
	t.Parallel()
	var told []string
	for _, f := range faults {
		told = append(told, f.alert)
	}
	for _, name := range alertNames(t) {
		if name != "DeadMansSwitch" && !slices.Contains(told, name) {
			t.Errorf("no story lets %s fire", name)
		}
	}
	promtool := promtool(t)
	for _, f := range faults {
		t.Run(f.alert, func(t *testing.T) {
			t.Parallel()
			test(t, promtool, f.stories(), f.checks(), f.end())
		})
	}
	t.Run("DeadMansSwitch", func(t *testing.T) {
		t.Parallel()
		test(t, promtool, []any{}, []any{firing("DeadMansSwitch", 0, true), firing("DeadMansSwitch", 60, true)}, 60)
	})
}

// TestNothingFiresWhenAllIsWell plays the healthy part of all stories together.
func TestNothingFiresWhenAllIsWell(t *testing.T) {
	t.Parallel()
	const minutes = 180
	stories, seen := []any{}, map[string]bool{}
	for _, f := range faults {
		for _, s := range f.series {
			if seen[s.name] || math.IsNaN(s.parts[0]) {
				continue
			}
			seen[s.name] = true
			stories = append(stories, s.play([3]int{minutes, 0, 0}))
			// Requests that only have a count are fast.
			if labels, found := strings.CutPrefix(s.name, "http_server_request_duration_seconds_count{"); found && strings.Contains(labels, "status_code") {
				for _, bound := range []string{"1.0", "+Inf"} {
					s.name = "http_server_request_duration_seconds_bucket{" + strings.TrimSuffix(labels, "}") + `,le="` + bound + `"}`
					if !seen[s.name] {
						seen[s.name] = true
						stories = append(stories, s.play([3]int{minutes, 0, 0}))
					}
				}
			}
		}
	}
	checks := []any{map[string]any{
		"expr": `ALERTS{alertstate="firing", alertname!="DeadMansSwitch"}`, "eval_time": fmt.Sprintf("%dm", minutes-1), "exp_samples": []any{},
	}}
	test(t, promtool(t), stories, checks, minutes)
}

func promtool(t *testing.T) string {
	t.Helper()
	home, err := observe.Tools{Root: root}.Prometheus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(home, "promtool")
}

// test runs `promtool test rules` on one test. Prometheus scrapes the collector all the time, unless the stories have
// that.
func test(t *testing.T, promtool string, stories, checks []any, minutes int) {
	t.Helper()
	rules, err := filepath.Abs(filepath.Join(root, "observability", "rules"))
	if err != nil {
		t.Fatal(err)
	}
	const scraped = `up{job="merged"}`
	if !slices.ContainsFunc(stories, func(s any) bool { return s.(map[string]any)["series"] == scraped }) {
		stories = append(stories, gauge(scraped, 1, 1, 1).play([3]int{minutes + 1, 0, 0}))
	}
	interval := "2m"
	if minutes > 600 {
		interval = "5m" // days would take long
	}
	content, err := yaml.Marshal(map[string]any{
		"rule_files":          []string{filepath.Join(rules, "recording.yaml"), filepath.Join(rules, "alerts.yaml")},
		"evaluation_interval": interval,
		"tests":               []any{map[string]any{"interval": "1m", "input_series": stories, "promql_expr_test": checks}},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "test.yaml")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("over %d minutes: %v\n%s", minutes, err, out)
	}
}

func (f fault) lengths() [3]int {
	return [3]int{cmp.Or(f.healthy, 30), cmp.Or(f.broken, 30), cmp.Or(f.recovered, 40)}
}

func (f fault) end() int {
	l := f.lengths()
	return l[0] + l[1] + l[2]
}

func (f fault) stories() []any {
	played := make([]any, 0, len(f.series))
	for _, s := range f.series {
		played = append(played, s.play(f.lengths()))
	}
	return played
}

func (f fault) checks() []any {
	l := f.lengths()
	return []any{
		firing(f.alert, l[0]-1, false), firing(f.alert, l[0]+l[1]-1, true), firing(f.alert, f.end()-1, false),
	}
}

// firing checks whether an alert fires at a minute.
func firing(alert string, minute int, want bool) any {
	samples := []any{}
	if want {
		samples = append(samples, map[string]any{"labels": "{}", "value": 1})
	}
	return map[string]any{
		"expr":      fmt.Sprintf(`count(count by (alertname) (ALERTS{alertname=%q, alertstate="firing"}))`, alert),
		"eval_time": fmt.Sprintf("%dm", minute), "exp_samples": samples,
	}
}

// play writes the samples of a story, one a minute, in promtool's notation.
func (s story) play(lengths [3]int) any {
	var values []string
	at := 0.0
	for i, length := range lengths {
		if length == 0 {
			continue
		}
		switch part := s.parts[i]; {
		case math.IsNaN(part):
			values = append(values, fmt.Sprintf("_x%d", length))
		case s.gauge:
			values = append(values, fmt.Sprintf("%g+0x%d", part, length-1))
		default:
			values = append(values, fmt.Sprintf("%g+%gx%d", at+part, part, length-1))
			at += part * float64(length)
		}
	}
	return map[string]any{"series": s.name, "values": strings.Join(values, " ")}
}

// alertNames returns the alerts in the order of the file.
func alertNames(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, found := range regexp.MustCompile(`(?m)^      - alert: (\w+)$`).FindAllStringSubmatch(read(t, "observability/rules/alerts.yaml"), -1) {
		names = append(names, found[1])
	}
	return names
}

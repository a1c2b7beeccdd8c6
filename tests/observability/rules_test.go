//go:build observability

package observability_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/metrics"
)

// TestStoriesHaveTheBucketsOfTheCatalogue finds a fault that is told in buckets that no function sends: its alert
// would fire here alone.
func TestStoriesHaveTheBucketsOfTheCatalogue(t *testing.T) {
	t.Parallel()
	bounds := map[string][]float64{}
	for _, d := range metrics.Catalogue() {
		bounds[series(d)+"_bucket"] = d.Buckets
	}
	bucket := regexp.MustCompile(`^(\w+)\{.*le="([^"]+)"`)
	found := 0
	for _, f := range faults {
		for _, s := range f.series {
			match := bucket.FindStringSubmatch(s.name)
			if match == nil || match[2] == "+Inf" {
				continue
			}
			found++
			if bound, err := strconv.ParseFloat(match[2], 64); err != nil || !slices.Contains(bounds[match[1]], bound) {
				t.Errorf("%s: %s has no bucket %s, only %v", f.alert, match[1], match[2], bounds[match[1]])
			}
		}
	}
	if found == 0 {
		t.Error("no story has buckets")
	}
}

// TestDynamoDBConflictsNeedsOneOfItsMetrics has a table on which only one of the two has ever happened.
func TestDynamoDBConflictsNeedsOneOfItsMetrics(t *testing.T) {
	t.Parallel()
	promtool := promtool(t)
	for _, name := range []string{"aws_dynamodb_transaction_conflicts_total", "aws_dynamodb_conditional_check_failures_total"} {
		f := fault{alert: "DynamoDBConflicts", series: []story{counter(service(name, `,db_collection_name="commerce"`), 1, 600, 1)}}
		test(t, promtool, f.stories(), f.checks(), f.end())
	}
}

// TestGapInTheSamplesRaisesNoAlert has counters of old events that no longer grow, and 20 minutes without samples:
// Prometheus was down, or the collector's page did not answer.
func TestGapInTheSamplesRaisesNoAlert(t *testing.T) {
	t.Parallel()
	promtool := promtool(t)
	counters := map[string]string{
		"FunctionTimeouts":       function("faas_timeouts_total"),
		"FunctionErrors":         function("faas_errors_total"),
		"DynamoDBThrottles":      service("aws_dynamodb_throttles_total", `,db_collection_name="commerce",db_operation_name="PutItem"`),
		"RateLimiterFailsOpen":   service("ratelimit_decisions_total", `,ratelimit_policy="login",ratelimit_decision="error_open"`),
		"RateLimiterFailsClosed": service("ratelimit_decisions_total", `,ratelimit_policy="login",ratelimit_decision="error_closed"`),
		"FlushFailures":          service("telemetry_flush_failures_total", ""),
		"TelemetryDropped":       service("telemetry_dropped_total", `,telemetry_signal="spans",telemetry_reason="queue_full"`),
		"CardinalityOverflow":    service("telemetry_cardinality_overflow_total", ""),
	}
	var stories, checks []any
	for alert, name := range counters {
		stories = append(stories, map[string]any{"series": name, "values": "500+0x30 _x20 500+0x50"})
		for minute := 11; minute < 100; minute++ {
			checks = append(checks, firing(alert, minute, false))
		}
	}
	for name, scrapes := range map[string]string{
		"PrometheusWasDown":        "1+0x30 _x20 1+0x50",
		"TheCollectorDidNotAnswer": "1+0x30 0+0x19 1+0x50",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, promtool, append(slices.Clone(stories), map[string]any{"series": `up{job="merged"}`, "values": scrapes}), checks, 100)
		})
	}
}

// TestEveryNewbornCounterKnowsOfGaps finds a rule that counts newborn series and is not in the test above.
func TestEveryNewbornCounterKnowsOfGaps(t *testing.T) {
	t.Parallel()
	newborn := 0
	for _, r := range append(rules(t, "recording.yaml"), rules(t, "alerts.yaml")...) {
		if !regexp.MustCompile(`unless \w+ offset`).MatchString(r.Expr) {
			continue
		}
		newborn++
		if !strings.Contains(r.Expr, `and on () up{job="merged"} offset 10m == 1)`) {
			t.Errorf("%s%s counts old totals as new after a gap in the samples", r.Record, r.Alert)
		}
	}
	if newborn == 0 {
		t.Error("no rule counts newborn series")
	}
}

// TestOneFailedHealthCheckRaisesNoPage has an instance that failed one check and was frozen: the collector shows its
// gauge for five minutes more, while others pass.
func TestOneFailedHealthCheckRaisesNoPage(t *testing.T) {
	t.Parallel()
	name := func(instance string) string {
		return service("health_check_status_ratio", `,health_check_name="commerce_table",instance="`+instance+`"`)
	}
	stories := []any{
		map[string]any{"series": name("a"), "values": "1+0x60"},
		map[string]any{"series": name("b"), "values": "_x20 0+0x5 stale _x30"},
	}
	var checks []any
	for minute := range 60 {
		checks = append(checks, firing("HealthCheckFails", minute, false))
	}
	test(t, promtool(t), stories, checks, 60)
}

// TestCallsOfAFunctionThatAlwaysFails has no faas_invocations_total, which counts successes only.
func TestCallsOfAFunctionThatAlwaysFails(t *testing.T) {
	t.Parallel()
	f := fault{series: []story{
		counter(function("faas_errors_total"), 60, 60, 60), counter(function("faas_invoke_duration_seconds_count"), 60, 60, 60),
		counter(function("faas_coldstarts_total"), 30, 30, 30),
	}}
	test(t, promtool(t), f.stories(), []any{
		map[string]any{"expr": "sum(function:faas_calls:rate5m)", "eval_time": "40m", "exp_samples": []any{map[string]any{"labels": "{}", "value": 1}}},
		map[string]any{"expr": "sum(service:faas_coldstarts:ratio30m)", "eval_time": "40m", "exp_samples": []any{map[string]any{"labels": "{}", "value": 0.5}}},
	}, f.end())
}

// TestMissingTelemetryPagesUntilItIsBack has no series for eight hours. The page must not resolve meanwhile.
func TestMissingTelemetryPagesUntilItIsBack(t *testing.T) {
	t.Parallel()
	f := fault{alert: "TelemetryMissing", healthy: 90, broken: 480, recovered: 30, series: []story{counter(status("200"), 60, absent, 60)}}
	checks := f.checks()
	for minute := 120; minute < 570; minute += 10 {
		checks = append(checks, firing(f.alert, minute, true))
	}
	test(t, promtool(t), f.stories(), checks, f.end())
}

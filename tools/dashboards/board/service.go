package board

// All returns the dashboards in the order of Grafana's list.
func All() []Dashboard {
	return []Dashboard{overview(), routes(), lambda(), dynamodb(), protection(), business(), goRuntime(), telemetry()}
}

func one(expr, legend string) []Query { return []Query{{Expr: expr, Legend: legend}} }

// quantiles are the lines of a duration: p50, p95 and p99 of a histogram, by some labels.
func quantiles(histogram, matchers, by string) []Query {
	var lines []Query
	legend, group := "", ""
	if by != "" {
		legend, group = " {{"+by+"}}", by+", "
	}
	for _, q := range [][2]string{{"0.5", "p50"}, {"0.95", "p95"}, {"0.99", "p99"}} {
		lines = append(lines, Query{
			Expr:   "histogram_quantile(" + q[0] + ", sum by (" + group + "le) (rate(" + histogram + "_bucket{$S" + matchers + "}[$__rate_interval])))",
			Legend: q[1] + legend,
		})
	}
	return lines
}

// traced are the quantiles of the duration of requests, with the traces behind them. Those are exemplars of another metric
// (observability/collector.yaml): Grafana asks for the exemplars of all metrics in a query, and none is below 0.
func traced(matchers string) []Query {
	lines := quantiles("http_server_request_duration_seconds", matchers, "")
	lines[1].Expr += " or (http_server_request_exemplars_seconds_bucket{$S" + matchers + "} < 0)"
	return lines
}

func overview() Dashboard {
	return Dashboard{Name: "overview", Title: "Overview", Rows: []Row{
		{Title: "Objectives: 99.9 % without a 5xx, 99 % within a second, in 30 days", Panels: []Panel{
			{Title: "Availability, 3 days", Unit: "percentunit", Kind: "stat", Queries: one(`1 - service:http_errors:ratio3d{$S}`, "{{deployment_environment_name}}")},
			{Title: "Within a second, 3 days", Unit: "percentunit", Kind: "stat", Queries: one(`1 - service:http_slow:ratio3d{$S}`, "{{deployment_environment_name}}")},
			{Title: "Requests", Unit: "reqps", Kind: "stat", Queries: one(`service:http_requests:rate5m{$S}`, "{{deployment_environment_name}}")},
			{Title: "Alerts that page", Unit: "short", Kind: "stat", Queries: one(`count(ALERTS{alertstate="firing",severity="page"}) or vector(0)`, "firing")},
		}},
		{Title: "Requests", Panels: []Panel{
			{Title: "Requests by status", Unit: "reqps", Queries: one(`sum by (http_response_status_code) (service:http_status:rate5m{$S})`, "{{http_response_status_code}}")},
			{Title: "Errors", Unit: "percentunit", Help: "The share of requests with 5xx.", Queries: one(`service:http_errors:ratio5m{$S}`, "{{job}} {{deployment_environment_name}}")},
			{Title: "Duration", Unit: "s", Help: "Dots are requests with a trace.", Queries: traced("")},
		}},
		{Title: "How fast the error budget burns: 1 is as fast as it is granted", Panels: []Panel{
			{Title: "Availability", Unit: "short", Help: "Pages above 14.4 in an hour and above 6 in six hours.", Queries: []Query{
				{`service:http_errors:ratio1h{$S} / 0.001`, "1 h"}, {`service:http_errors:ratio6h{$S} / 0.001`, "6 h"}, {`service:http_errors:ratio1d{$S} / 0.001`, "1 d"},
			}},
			{Title: "Latency", Unit: "short", Queries: []Query{
				{`service:http_slow:ratio1h{$S} / 0.01`, "1 h"}, {`service:http_slow:ratio6h{$S} / 0.01`, "6 h"}, {`service:http_slow:ratio1d{$S} / 0.01`, "1 d"},
			}},
			{Title: "Health checks", Unit: "short", Help: "1 is up.", Queries: one(`min by (health_check_name) (health_check_status_ratio{$S})`, "{{health_check_name}}")},
		}},
	}}
}

func routes() Dashboard {
	return Dashboard{Name: "routes", Title: "Routes", Choices: [][2]string{
		{"route", "label_values(http_server_request_duration_seconds_count, http_route)"},
	}, Rows: []Row{
		{Title: "Each route", Panels: []Panel{
			{Title: "Requests", Unit: "reqps", Queries: one(`route:http_requests:rate5m{$S,http_route=~"$route"}`, "{{http_request_method}} {{http_route}}")},
			{Title: "Errors", Unit: "percentunit", Queries: one(`route:http_errors:ratio5m{$S,http_route=~"$route"}`, "{{http_request_method}} {{http_route}}")},
			{Title: "Duration, p95", Unit: "s", Queries: one(`route:http_duration:p95_5m{$S,http_route=~"$route"}`, "{{http_request_method}} {{http_route}}")},
		}},
		{Title: "The chosen routes together", Panels: []Panel{
			{Title: "Status", Unit: "reqps", Queries: one(`sum by (http_response_status_code) (rate(http_server_request_duration_seconds_count{$S,http_route=~"$route"}[$__rate_interval]))`, "{{http_response_status_code}}")},
			{Title: "Duration", Unit: "s", Help: "Dots are requests with a trace.", Queries: traced(`,http_route=~"$route"`)},
			{Title: "Kinds of errors", Unit: "reqps", Queries: one(`sum by (error_type) (rate(http_server_request_duration_seconds_count{$S,http_route=~"$route",error_type!=""}[$__rate_interval]))`, "{{error_type}}")},
		}},
		{Title: "Size and load", Panels: []Panel{
			{Title: "Request bodies, mean", Unit: "bytes", Queries: one(`sum by (http_route) (rate(http_server_request_body_size_bytes_sum{$S,http_route=~"$route"}[$__rate_interval])) / sum by (http_route) (rate(http_server_request_body_size_bytes_count{$S,http_route=~"$route"}[$__rate_interval]))`, "{{http_route}}")},
			{Title: "Response bodies, mean", Unit: "bytes", Queries: one(`sum by (http_route) (rate(http_server_response_body_size_bytes_sum{$S,http_route=~"$route"}[$__rate_interval])) / sum by (http_route) (rate(http_server_response_body_size_bytes_count{$S,http_route=~"$route"}[$__rate_interval]))`, "{{http_route}}")},
			{Title: "Requests in progress", Unit: "short", Queries: one(`sum(http_server_active_requests{$S})`, "active")},
		}},
	}}
}

func lambda() Dashboard {
	return Dashboard{Name: "lambda", Title: "Lambda", Choices: [][2]string{
		{"function", "label_values(faas_coldstarts_total, faas_name)"},
	}, Rows: []Row{
		{Title: "Calls", Panels: []Panel{
			{Title: "Calls", Unit: "ops", Queries: one(`function:faas_calls:rate5m{$S,faas_name=~"$function"}`, "{{faas_name}}")},
			{Title: "Share of calls that succeed", Unit: "percentunit", Help: "An HTTP answer of 500 is a success here.", Queries: one(`sum by (job, deployment_environment_name, faas_name) (rate(faas_invocations_total{$S,faas_name=~"$function"}[5m])) / (function:faas_calls:rate5m > 0)`, "{{faas_name}}")},
			{Title: "Errors in ten minutes", Unit: "short", Queries: one(`function:faas_errors:increase10m{$S,faas_name=~"$function"}`, "{{faas_name}}")},
			{Title: "Timeouts in ten minutes", Unit: "short", Queries: one(`function:faas_timeouts:increase10m{$S,faas_name=~"$function"}`, "{{faas_name}}")},
		}},
		{Title: "Time", Panels: []Panel{
			{Title: "Duration of a call", Unit: "s", Help: "The timeout is 15 s.", Queries: quantiles("faas_invoke_duration_seconds", `,faas_name=~"$function"`, "")},
			{Title: "Cold starts", Unit: "ops", Queries: one(`sum by (faas_name) (rate(faas_coldstarts_total{$S,faas_name=~"$function"}[$__rate_interval]))`, "{{faas_name}}")},
			{Title: "Duration of a cold start", Unit: "s", Queries: quantiles("faas_init_duration_seconds", `,faas_name=~"$function"`, "")},
		}},
		{Title: "Instances", Panels: []Panel{
			{Title: "Share of cold starts, 30 minutes", Unit: "percentunit", Queries: one(`service:faas_coldstarts:ratio30m{$S}`, "{{deployment_environment_name}}")},
			{Title: "Memory after a call", Unit: "bytes", Queries: quantiles("faas_mem_usage_bytes", `,faas_name=~"$function"`, "")},
			{Title: "Requests to other services, p95", Unit: "s", Queries: one(`histogram_quantile(0.95, sum by (server_address, le) (rate(http_client_request_duration_seconds_bucket{$S}[$__rate_interval])))`, "{{server_address}}")},
		}},
	}}
}

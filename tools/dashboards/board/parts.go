package board

func dynamodb() Dashboard {
	return Dashboard{Name: "dynamodb", Title: "DynamoDB", Rows: []Row{
		{Title: "Calls", Panels: []Panel{
			{Title: "Calls", Unit: "ops", Queries: one(`table:db_operations:rate5m{$S}`, "{{db_operation_name}} {{db_collection_name}}")},
			{Title: "Duration, p99", Unit: "s", Help: "Retries included.", Queries: one(`table:db_operations:p99_5m{$S}`, "{{db_operation_name}} {{db_collection_name}}")},
			{Title: "Errors", Unit: "ops", Queries: one(`sum by (db_collection_name, error_type) (rate(db_client_operation_duration_seconds_count{$S,error_type!=""}[$__rate_interval]))`, "{{error_type}} {{db_collection_name}}")},
		}},
		{Title: "Capacity and conflicts", Panels: []Panel{
			{Title: "Consumed capacity", Unit: "short", Help: "Units a second: what DynamoDB bills.", Queries: one(`sum by (db_collection_name, db_operation_name) (rate(aws_dynamodb_consumed_capacity_total{$S}[$__rate_interval]))`, "{{db_operation_name}} {{db_collection_name}}")},
			{Title: "Throttled in ten minutes", Unit: "short", Queries: one(`table:dynamodb_throttles:increase10m{$S}`, "{{db_collection_name}}")},
			{Title: "Conflicts, failed conditions, retries, unprocessed", Unit: "ops", Queries: []Query{
				{`sum(rate(aws_dynamodb_transaction_conflicts_total{$S}[$__rate_interval]))`, "conflicts"},
				{`sum(rate(aws_dynamodb_conditional_check_failures_total{$S}[$__rate_interval]))`, "failed conditions"},
				{`sum(rate(aws_dynamodb_retries_total{$S}[$__rate_interval]))`, "retries"},
				{`sum(rate(aws_dynamodb_unprocessed_items_total{$S}[$__rate_interval]))`, "unprocessed items"},
			}},
		}},
		{Title: "Results and caches", Panels: []Panel{
			{Title: "Rows of an answer, p95", Unit: "short", Queries: one(`histogram_quantile(0.95, sum by (db_collection_name, le) (rate(db_client_response_returned_rows_bucket{$S}[$__rate_interval])))`, "{{db_collection_name}}")},
			{Title: "Cache hits", Unit: "percentunit", Queries: one(`cache:hits:ratio10m{$S}`, "{{cache_name}}")},
			{Title: "Cache reads by result", Unit: "ops", Queries: one(`sum by (cache_name, cache_result) (rate(cache_requests_total{$S}[$__rate_interval]))`, "{{cache_name}} {{cache_result}}")},
			{Title: "Loading into a cache", Unit: "s", Queries: quantiles("cache_load_duration_seconds", "", "")},
			{Title: "Entries of a cache, by instance", Unit: "short", Queries: one(`max by (cache_name) (cache_entries{$S})`, "{{cache_name}}")},
			{Title: "Evictions", Unit: "ops", Queries: one(`sum by (cache_name) (rate(cache_evictions_total{$S}[$__rate_interval]))`, "{{cache_name}}")},
		}},
	}}
}

func protection() Dashboard {
	return Dashboard{Name: "protection", Title: "Authentication and limits", Rows: []Row{
		{Title: "Authentication", Panels: []Panel{
			{Title: "Attempts", Unit: "ops", Queries: one(`sum by (auth_method, auth_result) (service:auth_attempts:rate10m{$S})`, "{{auth_method}} {{auth_result}}")},
			{Title: "Why they fail", Unit: "ops", Queries: one(`sum by (auth_reason) (rate(auth_attempts_total{$S,auth_result!~"ok|success"}[$__rate_interval]))`, "{{auth_reason}}")},
			{Title: "Decisions of the authorizer", Unit: "ops", Queries: one(`sum by (auth_result) (rate(auth_authorizer_decisions_total{$S}[$__rate_interval]))`, "{{auth_result}}")},
		}},
		{Title: "Tokens", Panels: []Panel{
			{Title: "Issued and revoked", Unit: "ops", Queries: []Query{
				{`sum(rate(auth_token_issued_total{$S}[$__rate_interval]))`, "issued"}, {`sum(rate(auth_token_revoked_total{$S}[$__rate_interval]))`, "revoked"},
			}},
			{Title: "Validating a token", Unit: "s", Queries: quantiles("auth_token_validation_duration_seconds", "", "")},
			{Title: "Asking whether it is revoked", Unit: "s", Queries: quantiles("auth_blacklist_lookup_duration_seconds", "", "")},
		}},
		{Title: "Rate limits", Panels: []Panel{
			{Title: "Decisions", Unit: "ops", Queries: one(`sum by (ratelimit_policy, ratelimit_decision) (policy:ratelimit_decisions:rate5m{$S})`, "{{ratelimit_policy}} {{ratelimit_decision}}")},
			{Title: "Passed or refused without counting, ten minutes", Unit: "short", Queries: one(`policy:ratelimit_errors:increase10m{$S}`, "{{ratelimit_policy}} {{ratelimit_decision}}")},
			{Title: "Time of a decision", Unit: "s", Queries: quantiles("ratelimit_check_duration_seconds", "", "")},
		}},
	}}
}

func business() Dashboard {
	return Dashboard{Name: "business", Title: "Business", Rows: []Row{
		{Title: "Last 24 hours", Panels: []Panel{
			{Title: "Orders", Unit: "short", Kind: "stat", Queries: one(`sum(increase(shop_order_placed_total{$S}[24h]))`, "orders")},
			{Title: "Revenue", Unit: "short", Kind: "stat", Queries: one(`sum by (shop_currency) (increase(shop_order_value_sum{$S}[24h]))`, "{{shop_currency}}")},
			{Title: "Registrations", Unit: "short", Kind: "stat", Queries: one(`sum(increase(shop_user_registered_total{$S}[24h]))`, "customers")},
			{Title: "Views for each order", Unit: "short", Kind: "stat", Queries: one(`sum(increase(shop_product_views_total{$S}[24h])) / (sum(increase(shop_order_placed_total{$S}[24h])) > 0)`, "views")},
		}},
		{Title: "From looking to buying", Panels: []Panel{
			{Title: "Views, searches, orders", Unit: "ops", Queries: []Query{
				{`sum(rate(shop_product_views_total{$S}[$__rate_interval]))`, "product views"},
				{`sum(rate(shop_search_duration_seconds_count{$S}[$__rate_interval]))`, "searches"},
				{`sum(rate(shop_order_placed_total{$S}[$__rate_interval]))`, "orders"},
			}},
			{Title: "Orders that end otherwise", Unit: "ops", Queries: []Query{
				{`sum(rate(shop_order_cancelled_total{$S}[$__rate_interval]))`, "cancelled"}, {`sum(rate(shop_order_failed_total{$S}[$__rate_interval]))`, "failed"},
			}},
			{Title: "Payments", Unit: "ops", Queries: one(`sum by (shop_payment_provider, shop_result) (rate(shop_payment_attempts_total{$S}[$__rate_interval]))`, "{{shop_payment_provider}} {{shop_result}}")},
		}},
		{Title: "People, products, parcels", Panels: []Panel{
			{Title: "Logins and registrations", Unit: "ops", Queries: []Query{
				{`sum by (shop_result) (rate(shop_user_logins_total{$S}[$__rate_interval]))`, "login: {{shop_result}}"},
				{`sum(rate(shop_user_registered_total{$S}[$__rate_interval]))`, "registered"},
			}},
			{Title: "Products and customers", Unit: "ops", Queries: []Query{
				{`sum by (shop_change) (rate(shop_product_changes_total{$S}[$__rate_interval]))`, "product {{shop_change}}"},
				{`sum by (shop_change) (rate(shop_customer_changes_total{$S}[$__rate_interval]))`, "customer {{shop_change}}"},
			}},
			{Title: "Shipments", Unit: "ops", Queries: one(`sum by (shop_change) (rate(shop_shipment_changes_total{$S}[$__rate_interval]))`, "{{shop_change}}")},
		}},
		{Title: "Stock and speed", Panels: []Panel{
			{Title: "Stock", Unit: "ops", Queries: []Query{
				{`sum(rate(shop_inventory_reserved_total{$S}[$__rate_interval]))`, "reserved"}, {`sum by (shop_inventory_direction) (rate(shop_inventory_adjusted_total{$S}[$__rate_interval]))`, "adjusted, {{shop_inventory_direction}}"}, {`sum(rate(shop_inventory_out_of_stock_total{$S}[$__rate_interval]))`, "sold out"},
			}},
			{Title: "Search", Unit: "s", Queries: quantiles("shop_search_duration_seconds", "", "")},
			{Title: "Checkout", Unit: "s", Queries: quantiles("shop_checkout_duration_seconds", "", "")},
		}},
	}}
}

func goRuntime() Dashboard {
	return Dashboard{Name: "runtime", Title: "Go runtime", Choices: [][2]string{
		{"function", "label_values(faas_mem_usage_bytes_count, faas_name)"},
	}, Rows: []Row{
		{Title: "Memory that Go has from the system, after a call", Panels: []Panel{
			{Title: "Mean", Unit: "bytes", Help: "Growth over days is a leak.", Queries: one(`sum by (faas_name) (rate(faas_mem_usage_bytes_sum{$S,faas_name=~"$function"}[$__rate_interval])) / sum by (faas_name) (rate(faas_mem_usage_bytes_count{$S,faas_name=~"$function"}[$__rate_interval]))`, "{{faas_name}}")},
			{Title: "p99", Unit: "bytes", Help: "Lambda kills an instance above its memory: 512 MB, or 1769 MB where passwords are hashed.", Queries: one(`histogram_quantile(0.99, sum by (faas_name, le) (rate(faas_mem_usage_bytes_bucket{$S,faas_name=~"$function"}[$__rate_interval])))`, "{{faas_name}}")},
			{Title: "Calls that end above 256 MB", Unit: "percentunit", Queries: one(`1 - sum by (faas_name) (rate(faas_mem_usage_bytes_bucket{$S,faas_name=~"$function",le="2.68435456e+08"}[$__rate_interval])) / sum by (faas_name) (rate(faas_mem_usage_bytes_count{$S,faas_name=~"$function"}[$__rate_interval]))`, "{{faas_name}}")},
		}},
		{Title: "CPU", Panels: []Panel{
			{Title: "CPU of a call, mean", Unit: "s", Queries: one(`sum by (faas_name) (rate(faas_cpu_usage_seconds_sum{$S,faas_name=~"$function"}[$__rate_interval])) / sum by (faas_name) (rate(faas_cpu_usage_seconds_count{$S,faas_name=~"$function"}[$__rate_interval]))`, "{{faas_name}}")},
			{Title: "CPU of a call, p99", Unit: "s", Queries: one(`histogram_quantile(0.99, sum by (faas_name, le) (rate(faas_cpu_usage_seconds_bucket{$S,faas_name=~"$function"}[$__rate_interval])))`, "{{faas_name}}")},
			{Title: "Share of a call's time that is CPU", Unit: "percentunit", Help: "Near 1: more MemorySize, and CPU with it, makes it faster. Near 0: it waits.", Queries: one(`sum by (faas_name) (rate(faas_cpu_usage_seconds_sum{$S,faas_name=~"$function"}[$__rate_interval])) / (sum by (faas_name) (rate(faas_invoke_duration_seconds_sum{$S,faas_name=~"$function"}[$__rate_interval])) > 0)`, "{{faas_name}}")},
		}},
	}}
}

func telemetry() Dashboard {
	return Dashboard{Name: "telemetry", Title: "Telemetry", Rows: []Row{
		{Title: "Functions", Panels: []Panel{
			{Title: "Time of a flush", Unit: "s", Help: "After the response, unless the mode is inline or deadline.", Queries: quantiles("telemetry_flush_duration_seconds", "", "telemetry_flush_mode")},
			{Title: "Failed flushes in ten minutes", Unit: "short", Queries: one(`service:telemetry_flush_failures:increase10m{$S}`, "{{deployment_environment_name}}")},
			{Title: "Dropped, and over the limit of label sets", Unit: "short", Queries: []Query{
				{`sum by (telemetry_signal, telemetry_reason) (service:telemetry_dropped:increase10m{$S})`, "{{telemetry_signal}} {{telemetry_reason}}"},
				{`sum(service:telemetry_overflow:increase10m{$S})`, "label sets"},
			}},
		}},
		{Title: "Collector", Panels: []Panel{
			{Title: "Accepted", Unit: "ops", Queries: []Query{
				{`sum(rate(otelcol_receiver_accepted_metric_points_total[$__rate_interval]))`, "metric points"},
				{`sum(rate(otelcol_receiver_accepted_spans_total[$__rate_interval]))`, "spans"},
				{`sum(rate(otelcol_receiver_accepted_log_records_total[$__rate_interval]))`, "log records"},
			}},
			{Title: "Refused and not sent", Unit: "ops", Queries: []Query{
				{`collector:refused:rate5m`, "refused {{signal}}"},
				{`collector:send_failed:rate5m`, "not sent to {{exporter}}: {{signal}}"},
			}},
			{Title: "Sent", Unit: "ops", Queries: one(`collector:sent:rate5m`, "{{signal}} to {{exporter}}")},
		}},
		{Title: "Collector's memory and queues", Panels: []Panel{
			{Title: "Memory", Unit: "bytes", Queries: one(`otelcol_process_memory_rss_bytes`, "{{instance}}")},
			{Title: "Queues, share in use", Unit: "percentunit", Queries: one(`otelcol_exporter_queue_size / otelcol_exporter_queue_capacity`, "{{exporter}}")},
		}},
		{Title: "Merge and sampling", Panels: []Panel{
			{Title: "Series of instances, and merged", Unit: "short", Queries: []Query{
				{`sum(otelcol_cumulativetodelta_streams_tracked)`, "of instances"},
				{`sum(otelcol_deltatocumulative_streams_tracked)`, "merged"},
				{`sum(otelcol_deltatocumulative_streams_limit)`, "limit"},
			}},
			{Title: "Merged points", Unit: "ops", Help: "A line with an error is lost counts.", Queries: one(`sum by (error) (rate(otelcol_deltatocumulative_datapoints_total[$__rate_interval]))`, "{{error}}")},
			{Title: "Traces: new, in memory, lost undecided", Unit: "short", Queries: []Query{
				{`sum(rate(otelcol_processor_tail_sampling_new_trace_id_received_total[$__rate_interval]))`, "new a second"},
				{`sum(otelcol_processor_tail_sampling_sampling_traces_on_memory)`, "in memory"},
				{`sum(rate(otelcol_processor_tail_sampling_sampling_trace_dropped_too_early_total[$__rate_interval]))`, "undecided a second"},
			}},
		}},
		{Title: "Prometheus", Panels: []Panel{
			{Title: "Pages that answer", Unit: "short", Queries: one(`up`, "{{job}}")},
			{Title: "Series", Unit: "short", Queries: one(`prometheus_tsdb_head_series`, "series")},
			{Title: "Failed rules", Unit: "ops", Queries: one(`sum(rate(prometheus_rule_evaluation_failures_total[$__rate_interval]))`, "failures")},
		}},
	}}
}

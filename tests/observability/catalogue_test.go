//go:build observability

package observability_test

import (
	"strings"
	"time"

	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
)

// kind is the kind of an instrument.
type kind int

const (
	count kind = iota
	histogram
	level
	upDown
)

// instrument is one metric of the catalogue with the attributes that dashboards and rules select.
type instrument struct {
	name, unit string
	kind       kind
	// sets are attribute sets: "key=value,key=value".
	sets []string
}

const route = "http.request.method=GET,http.route=/v1/products,url.scheme=https,http.response.status_code="

// catalogue is what the functions send.
var catalogue = []instrument{
	{"http.server.request.duration", "s", histogram, []string{route + "200", route + "404", route + "500,error.type=500"}},
	{"http.server.active_requests", "{request}", upDown, []string{"http.request.method=GET,url.scheme=https"}},
	{"http.server.request.body.size", "By", histogram, []string{route + "200"}},
	{"http.server.response.body.size", "By", histogram, []string{route + "200"}},

	{"faas.invoke_duration", "s", histogram, []string{"faas.trigger=http"}},
	{"faas.init_duration", "s", histogram, []string{"faas.trigger=http"}},
	{"faas.coldstarts", "{coldstart}", count, []string{"faas.trigger=http"}},
	{"faas.invocations", "{invocation}", count, []string{"faas.trigger=http"}},
	{"faas.errors", "{error}", count, []string{"faas.trigger=http"}},
	{"faas.timeouts", "{timeout}", count, []string{"faas.trigger=http"}},
	{"faas.mem_usage", "By", level, []string{""}},
	{"faas.cpu_usage", "s", histogram, []string{""}},

	{"db.client.operation.duration", "s", histogram, []string{
		"db.system.name=aws.dynamodb,db.operation.name=Query,db.collection.name=commerce",
		"db.system.name=aws.dynamodb,db.operation.name=PutItem,db.collection.name=commerce,error.type=ConditionalCheckFailedException",
	}},
	{"db.client.response.returned_rows", "{row}", histogram, []string{"db.system.name=aws.dynamodb,db.operation.name=Query,db.collection.name=commerce"}},
	{"aws.dynamodb.consumed_capacity", "{unit}", count, []string{"table=commerce,operation=Query"}},
	{"aws.dynamodb.throttles", "{throttle}", count, []string{"table=commerce,operation=PutItem"}},
	{"aws.dynamodb.conditional_check_failures", "{failure}", count, []string{"table=commerce,operation=PutItem"}},
	{"aws.dynamodb.retries", "{retry}", count, []string{"table=commerce,operation=PutItem"}},
	{"aws.dynamodb.transaction_conflicts", "{conflict}", count, []string{"table=commerce,operation=TransactWriteItems"}},
	{"aws.dynamodb.unprocessed_items", "{item}", count, []string{"table=commerce,operation=BatchGetItem"}},

	{"cache.requests", "{request}", count, []string{"cache.name=jwks,result=hit", "cache.name=jwks,result=miss"}},
	{"cache.evictions", "{eviction}", count, []string{"cache.name=jwks"}},
	{"cache.entries", "{entry}", level, []string{"cache.name=jwks"}},
	{"cache.load.duration", "s", histogram, []string{"cache.name=jwks"}},

	{"auth.attempts", "{attempt}", count, []string{"method=password,result=ok", "method=password,result=failed,reason=credentials"}},
	{"auth.token.validation.duration", "s", histogram, []string{"method=token"}},
	{"auth.token.issued", "{token}", count, []string{"method=password"}},
	{"auth.token.revoked", "{token}", count, []string{"method=password"}},
	{"auth.blacklist.lookup.duration", "s", histogram, []string{""}},
	{"auth.authorizer.decisions", "{decision}", count, []string{"result=ok", "result=unavailable"}},

	{"ratelimit.decisions", "{decision}", count, []string{
		"policy=read,scope=ip,result=allow", "policy=read,scope=ip,result=deny", "policy=read,scope=ip,result=error_open",
		"policy=login,scope=ip,result=error_closed",
	}},
	{"ratelimit.check.duration", "s", histogram, []string{"policy=read,scope=ip"}},

	{"shop.order.placed", "{order}", count, []string{"currency=EUR"}},
	{"shop.order.cancelled", "{order}", count, []string{"currency=EUR"}},
	{"shop.order.failed", "{order}", count, []string{"currency=EUR"}},
	{"shop.order.value", "{minor_unit}", histogram, []string{"currency=EUR"}},
	{"shop.cart.items_added", "{item}", count, []string{""}},
	{"shop.cart.abandoned", "{cart}", count, []string{""}},
	{"shop.checkout.duration", "s", histogram, []string{""}},
	{"shop.payment.attempts", "{attempt}", count, []string{"provider=stripe,result=ok", "provider=stripe,result=error"}},
	{"shop.inventory.reserved", "{item}", count, []string{""}},
	{"shop.inventory.out_of_stock", "{item}", count, []string{""}},
	{"shop.product.views", "{view}", count, []string{"category=shoes"}},
	{"shop.search.duration", "s", histogram, []string{""}},
	{"shop.user.registered", "{user}", count, []string{""}},

	{"health.check.status", "{status}", level, []string{"check=auth_table"}},
	{"health.check.duration", "s", histogram, []string{"check=auth_table"}},

	{"telemetry.flush.duration", "s", histogram, []string{"mode=post_response"}},
	{"telemetry.flush.failures", "{failure}", count, []string{"mode=post_response"}},
	{"telemetry.dropped", "{item}", count, []string{"signal=spans,reason=queue_full"}},
	{"telemetry.cardinality.overflow", "{set}", count, []string{""}},

	{"go.memory.used", "By", upDown, []string{"go.memory.type=stack", "go.memory.type=other"}},
	{"go.memory.limit", "By", upDown, []string{""}},
	{"go.goroutine.count", "{goroutine}", upDown, []string{""}},
	{"go.schedule.duration", "s", histogram, []string{""}},
}

// series returns the names of the instrument's series in Prometheus, without those of a histogram's parts.
func (i instrument) series() string {
	name := strings.ReplaceAll(i.name, ".", "_")
	switch i.unit {
	case "s":
		name += "_seconds"
	case "By":
		name += "_bytes"
	}
	if i.kind == count {
		name += "_total"
	}
	return name
}

// everything returns an export of all instruments: of an instance that has counted n.
func everything(started time.Time, n uint64) *colmetrics.ExportMetricsServiceRequest {
	start, now := uint64(started.UnixNano()), uint64(time.Now().UnixNano())
	all := make([]*metrics.Metric, 0, len(catalogue))
	for _, i := range catalogue {
		var numbers []*metrics.NumberDataPoint
		var histograms []*metrics.HistogramDataPoint
		for _, set := range i.sets {
			attributes := attributes(set)
			numbers = append(numbers, &metrics.NumberDataPoint{
				Attributes: attributes, StartTimeUnixNano: start, TimeUnixNano: now, Value: &metrics.NumberDataPoint_AsInt{AsInt: int64(n)},
			})
			sum := float64(n) * 0.2
			histograms = append(histograms, &metrics.HistogramDataPoint{
				Attributes: attributes, StartTimeUnixNano: start, TimeUnixNano: now,
				Count: 2 * n, Sum: &sum, ExplicitBounds: []float64{0.1, 1, 5}, BucketCounts: []uint64{n, n, 0, 0},
			})
		}
		metric := &metrics.Metric{Name: i.name, Unit: i.unit}
		const cumulative = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
		switch i.kind {
		case count, upDown:
			metric.Data = &metrics.Metric_Sum{Sum: &metrics.Sum{DataPoints: numbers, AggregationTemporality: cumulative, IsMonotonic: i.kind == count}}
		case level:
			metric.Data = &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: numbers}}
		case histogram:
			metric.Data = &metrics.Metric_Histogram{Histogram: &metrics.Histogram{DataPoints: histograms, AggregationTemporality: cumulative}}
		}
		all = append(all, metric)
	}
	return &colmetrics.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{
		Resource: &resource.Resource{Attributes: functionResource("instance-1")},
		ScopeMetrics: []*metrics.ScopeMetrics{{
			Scope: &common.InstrumentationScope{Name: "tienda"}, Metrics: all,
		}},
	}}}
}

func functionResource(instance string) []*common.KeyValue {
	return []*common.KeyValue{
		text("service.name", "tienda"), text("service.version", "1.0.0"), text("service.instance.id", instance),
		text("faas.name", "list-products"), text("faas.instance", instance), text("deployment.environment.name", "test"),
	}
}

func attributes(set string) []*common.KeyValue {
	var all []*common.KeyValue
	for pair := range strings.SplitSeq(set, ",") {
		if key, value, found := strings.Cut(pair, "="); found {
			all = append(all, text(key, value))
		}
	}
	return all
}

package translated

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// emitted lists the metrics that services emit without being asked, by namespace and dimensions.
// API Gateway: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html.
// Lambda: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html.
func emitted(namespace string, dimensions []string) []string {
	switch namespace + " " + strings.Join(dimensions, ",") {
	case "AWS/ApiGateway ApiId", "AWS/ApiGateway ApiId,Stage":
		return []string{"4xx", "5xx", "Count", "DataProcessed", "IntegrationLatency", "Latency"}
	case "AWS/Lambda FunctionName", "AWS/Lambda FunctionName,Resource":
		return []string{"ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"}
	case "AWS/DynamoDB TableName":
		return []string{"ReadThrottleEvents", "WriteThrottleEvents", "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"}
	default:
		return nil
	}
}

// query takes a Metrics Insights query apart: statistic, metric, namespace, dimensions, rest.
func query() *regexp.Regexp {
	return regexp.MustCompile(`^SELECT (?:SUM|AVG|MAX|MIN|COUNT)\((\w+)\) FROM SCHEMA\("([\w/]+)"((?:, ?\w+)*)\)(.*)$`)
}

// Alarms checks that every alarm watches a metric that something in the stack emits, under exactly
// the dimensions under which it is emitted: CloudWatch keeps every other combination silent, and an
// alarm on it says OK for ever.
func Alarms(s Stack) []string {
	var f faults
	for _, id := range s.of(typeAlarm) {
		props := s.Resources[id].Properties
		if props["Metrics"] == nil {
			f = append(f, s.metricFaults(id, props)...)
		}
		for _, m := range list(props["Metrics"]) {
			if stat := at(m, "MetricStat"); stat != nil {
				metric, _ := at(stat, "Metric").(map[string]any)
				f = append(f, s.metricFaults(id, metric)...)
				continue
			}
			f = append(f, s.queryFaults(id, text(m, "Expression"))...)
		}
		if text(props, "TreatMissingData") == "" {
			f.add("%s: it does not say what no data means", id)
		}
	}
	return f
}

// metricFaults checks a metric that is named by namespace, name and dimensions.
func (s Stack) metricFaults(alarm string, metric map[string]any) []string {
	var f faults
	var dimensions []string
	for _, d := range list(metric["Dimensions"]) {
		name := text(d, "Name")
		dimensions = append(dimensions, name)
		if !s.emits(name, at(d, "Value")) {
			f.add("%s: its dimension %s is %v, which nothing in this stack is", alarm, name, at(d, "Value"))
		}
	}
	slices.Sort(dimensions)
	namespace, name := text(metric, "Namespace"), text(metric, "MetricName")
	if !slices.Contains(emitted(namespace, dimensions), name) {
		f.add("%s: %s emits no metric %q with the dimensions %v", alarm, namespace, name, dimensions)
	}
	return f
}

// emits says whether the value of a dimension names something of this stack.
func (s Stack) emits(dimension string, value any) bool {
	switch dimension {
	case "ApiId":
		return s.is(ref(value), typeAPI)
	case "Stage":
		return slices.ContainsFunc(s.of(typeStage), func(id string) bool {
			return fmt.Sprint(s.Resources[id].Properties["StageName"]) == fmt.Sprint(value) || ref(value) == id
		})
	case "FunctionName":
		return s.is(ref(value), typeFunction)
	case "Resource": // "function:alias"
		return slices.ContainsFunc(names(value), func(name string) bool { return s.is(name, typeFunction) })
	case "TableName":
		return s.is(ref(value), typeTable)
	default:
		return false
	}
}

// queryFaults checks a Metrics Insights query over whole services.
func (s Stack) queryFaults(alarm, expression string) []string {
	var f faults
	parts := query().FindStringSubmatch(strings.Join(strings.Fields(expression), " "))
	if parts == nil {
		f.add("%s: its query %q is of no form that is known here", alarm, expression)
		return f
	}
	metric, namespace := parts[1], parts[2]
	dimensions := strings.FieldsFunc(parts[3], func(r rune) bool { return r == ',' || r == ' ' })
	slices.Sort(dimensions)
	if !slices.Contains(emitted(namespace, dimensions), metric) {
		f.add("%s: %s emits no metric %q with the dimensions %v", alarm, namespace, metric, dimensions)
	}
	_, grouped, _ := strings.Cut(parts[4], "GROUP BY ")
	grouped, _, _ = strings.Cut(grouped, " ORDER")
	for _, d := range strings.FieldsFunc(grouped, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.Contains(dimensions, d) {
			f.add("%s: its query groups by %s, which its schema lacks", alarm, d)
		}
	}
	return f
}

// Watched checks that the errors and the throttles of every function raise an alarm, be it one over
// all functions or one with the function as its dimension.
func Watched(s Stack) []string {
	var f faults
	for _, function := range s.of(typeFunction) {
		for _, metric := range []string{"Errors", "Throttles"} {
			if !slices.ContainsFunc(s.of(typeAlarm), func(id string) bool { return s.watches(id, function, metric) }) {
				f.add("%s: no alarm watches its %s", function, metric)
			}
		}
	}
	return f
}

// watches says whether an alarm watches a function's metric.
func (s Stack) watches(alarm, function, metric string) bool {
	props := s.Resources[alarm].Properties
	if text(props, "MetricName") == metric {
		return slices.Contains(names(props["Dimensions"]), function)
	}
	for _, m := range list(props["Metrics"]) {
		parts := query().FindStringSubmatch(strings.Join(strings.Fields(text(m, "Expression")), " "))
		if len(parts) == 5 && parts[1] == metric && parts[2] == "AWS/Lambda" && !strings.Contains(parts[4], "WHERE") {
			return true
		}
	}
	return false
}

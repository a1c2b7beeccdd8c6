package translated

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// failedInvocation is the filter that finds failed invocations in a log group. Lambda writes one record
// for each invocation: {"time": …, "type": "platform.report", "record": {"status": "success", …}}.
const failedInvocation = `{ $.type = "platform.report" && $.record.status != "success" }`

// emitted lists the metrics that services emit by themselves, by namespace and dimensions.
// API Gateway: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html.
func emitted(namespace string, dimensions []string) []string {
	switch namespace + " " + strings.Join(dimensions, ",") {
	case "AWS/ApiGateway ApiId", "AWS/ApiGateway ApiId,Stage":
		return []string{"4xx", "5xx", "Count", "DataProcessed", "IntegrationLatency", "Latency"}
	case "AWS/Lambda ":
		return []string{"ClaimedAccountConcurrency", "ConcurrentExecutions"}
	case "AWS/Lambda FunctionName":
		return []string{"IteratorAge"}
	case "AWS/SQS QueueName":
		return []string{"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}
	case "AWS/DynamoDB TableName":
		return []string{"ReadThrottleEvents", "WriteThrottleEvents", "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"}
	default:
		return nil
	}
}

// Alarms checks that every alarm watches a metric that something in the stack emits, with exactly the
// dimensions that the service uses: for any other combination CloudWatch has no data, and the alarm stays
// OK for ever. It also checks that an alarm watches the throttles of every table.
func Alarms(s Stack) []string {
	var f faults
	seen := map[string]bool{}
	for _, id := range s.of(typeAlarm) {
		props := s.Resources[id].Properties
		if text(props, "TreatMissingData") == "" {
			f.add("%s: TreatMissingData is not set: say what a minute without data means", id)
		}
		watched := []map[string]any{props}
		if len(list(props["Metrics"])) > 0 {
			watched = s.mathOf(id, &f)
		}
		for _, metric := range watched {
			s.watch(id, metric, &f)
			for _, d := range list(metric["Dimensions"]) {
				seen[text(metric, "MetricName")+" "+ref(at(d, "Value"))] = true
			}
		}
	}
	for _, table := range s.of(typeTable) {
		for _, metric := range []string{"ReadThrottleEvents", "WriteThrottleEvents"} {
			if !seen[metric+" "+table] {
				f.add("no alarm watches %s of %s", metric, table)
			}
		}
	}
	return f
}

// mathOf returns the metrics of an alarm that computes its value from several. Its expression may use only these.
func (s Stack) mathOf(id string, f *faults) []map[string]any {
	var metrics []map[string]any
	var known, expressions []string
	returned := 0
	for _, query := range list(s.Resources[id].Properties["Metrics"]) {
		if at(query, "ReturnData") != false {
			returned++
		}
		known = append(known, text(query, "Id"))
		if stat := at(query, "MetricStat"); stat != nil {
			if metric, ok := at(stat, "Metric").(map[string]any); ok {
				metrics = append(metrics, metric)
			}
			continue
		}
		expression := text(query, "Expression") + text(query, "Expression", "Fn::Sub")
		// Functions such as FILL are upper case.
		expressions = append(expressions, regexp.MustCompile(`\b[a-z][A-Za-z0-9]*\b`).FindAllString(placeholder.ReplaceAllString(expression, ""), -1)...)
	}
	for _, name := range expressions {
		if !slices.Contains(known, name) {
			f.add("%s: its expression uses %q, which is not the Id of one of its metrics", id, name)
		}
	}
	if returned != 1 {
		f.add("%s: %d of its metrics return data, want one: the others have ReturnData: false", id, returned)
	}
	return metrics
}

// watch checks one metric of an alarm.
func (s Stack) watch(id string, metric map[string]any, f *faults) {
	if slices.ContainsFunc(s.of(typeMetricFilter), func(filter string) bool { return s.counts(filter, metric) }) {
		return
	}
	var dimensions []string
	for _, d := range list(metric["Dimensions"]) {
		name := text(d, "Name")
		dimensions = append(dimensions, name)
		if !s.emits(name, at(d, "Value")) {
			f.add("%s: its dimension %s is %v, which is not in this stack", id, name, at(d, "Value"))
		}
	}
	slices.Sort(dimensions)
	namespace, name := text(metric, "Namespace"), text(metric, "MetricName")
	if !slices.Contains(emitted(namespace, dimensions), name) {
		f.add("%s: nothing emits the metric %q of %v with the dimensions %v", id, name, metric["Namespace"], dimensions)
	}
}

// counts reports whether an alarm watches the metric that a filter makes from log lines. Its namespace
// must contain the stack's name: otherwise one stack's failure would roll another back.
func (s Stack) counts(filter string, alarm map[string]any) bool {
	return alarm["Dimensions"] == nil && slices.ContainsFunc(list(s.Resources[filter].Properties["MetricTransformations"]), func(m any) bool {
		return at(m, "MetricName") == alarm["MetricName"] && slices.Contains(names(at(m, "MetricNamespace")), "AWS::StackName") &&
			fmt.Sprint(at(m, "MetricNamespace")) == fmt.Sprint(alarm["Namespace"])
	})
}

// emits reports whether the value of a dimension is a resource of this stack.
func (s Stack) emits(dimension string, value any) bool {
	switch dimension {
	case "ApiId":
		return s.is(ref(value), typeAPI)
	case "Stage":
		return slices.ContainsFunc(s.of(typeStage), func(id string) bool {
			return fmt.Sprint(s.Resources[id].Properties["StageName"]) == fmt.Sprint(value) || ref(value) == id
		})
	case "TableName":
		return s.is(ref(value), typeTable)
	case "FunctionName":
		return s.is(ref(value), typeFunction)
	case "QueueName":
		return s.is(attribute(value, "QueueName"), typeQueue)
	default:
		return false
	}
}

package translated_test

import (
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/tests/contract/translated"
)

// policies replaces a resource's policies.
func policies(deletion, replace string) func(translated.Resource) translated.Resource {
	return func(r translated.Resource) translated.Resource {
		r.DeletionPolicy, r.UpdateReplacePolicy = deletion, replace
		return r
	}
}

func TestTablesNamesWhatMayBeLost(t *testing.T) {
	t.Parallel()
	const id = "CommerceTable"
	rule := func(s translated.Stack) []string {
		return translated.Tables(s, tables("prod"))
	}
	red(t, rule, map[string]plant{
		"NoTTL":        {func(s translated.Stack) { props(s, id, "TimeToLiveSpecification")["Enabled"] = false }, []string{`attribute "", want "ttl"`}},
		"OtherTTL":     {func(s translated.Stack) { props(s, id, "TimeToLiveSpecification")["AttributeName"] = "expires" }, []string{`attribute "expires"`}},
		"NoBackup":     {func(s translated.Stack) { delete(props(s, id), "PointInTimeRecoverySpecification") }, []string{"point-in-time recovery is false"}},
		"NoStream":     {func(s translated.Stack) { delete(props(s, id), "StreamSpecification") }, []string{`stream is ""`}},
		"NotEncrypted": {func(s translated.Stack) { delete(props(s, id), "SSESpecification") }, []string{"not encrypted"}},
		"Provisioned":  {func(s translated.Stack) { props(s, id)["BillingMode"] = "PROVISIONED" }, []string{"billing mode is PROVISIONED"}},
		"Unprotected":  {func(s translated.Stack) { props(s, id)["DeletionProtectionEnabled"] = false }, []string{"it can be deleted"}},
		"ProtectedByNobody": {func(s translated.Stack) {
			s.Parameters["DeletionProtection"] = translated.Parameter{Default: "false"}
		}, []string{"it can be deleted"}},
		"FixedName":  {func(s translated.Stack) { props(s, id)["TableName"] = "commerce" }, []string{"remove TableName"}},
		"Deleted":    {func(s translated.Stack) { s.Resources[id] = policies("Delete", "Retain")(s.Resources[id]) }, []string{`DeletionPolicy is "Delete"`}},
		"Replaced":   {func(s translated.Stack) { s.Resources[id] = policies("Retain", "")(s.Resources[id]) }, []string{`UpdateReplacePolicy is ""`}},
		"Undeclared": {func(s translated.Stack) { s.Resources["OtherTable"] = s.Resources[id] }, []string{"OtherTable: this table is unknown"}},
		"Gone":       {func(s translated.Stack) { delete(s.Resources, id) }, []string{"no such table"}},
	})
}

func TestSecretsNamesWhatMayBeLost(t *testing.T) {
	t.Parallel()
	const id = "TokenKeysSecret"
	red(t, translated.Secrets, map[string]plant{
		"Deleted":       {func(s translated.Stack) { s.Resources[id] = policies("", "Retain")(s.Resources[id]) }, []string{`DeletionPolicy is ""`}},
		"Replaced":      {func(s translated.Stack) { s.Resources[id] = policies("Retain", "Delete")(s.Resources[id]) }, []string{`UpdateReplacePolicy is "Delete"`}},
		"InTheTemplate": {func(s translated.Stack) { props(s, id)["SecretString"] = "x" }, []string{"value is in the template"}},
	})
}

func TestHashingNamesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	reserve := func(value any) func(translated.Stack) {
		return func(s translated.Stack) { s.Parameters["HashingConcurrency"] = translated.Parameter{Default: value} }
	}
	rule := func(s translated.Stack) []string { return translated.Hashing(s, "POST /v1/auth/login") }
	red(t, rule, map[string]plant{
		"Nothing":    {reserve(""), []string{"HashingConcurrency is 0 for 3", "burst of 50"}},
		"TooMuch":    {reserve("301"), []string{"HashingConcurrency is 301 for 3"}},
		"SmallBurst": {reserve("49"), []string{"POST /v1/auth/login has a burst of 50"}},
		"NoLimit": {func(s translated.Stack) {
			delete(props(s, "ApiApiGatewayDefaultStage", "RouteSettings"), "POST /v1/auth/login")
		}, []string{"POST /v1/auth/login has a burst of 0"}},
	})
}

func TestAlarmsNamesTheOneThatNeverRings(t *testing.T) {
	t.Parallel()
	const api, failures = "ApiServerErrorsAlarm", "FunctionErrorsAlarm"
	set := func(id, property string, value any) func(translated.Stack) {
		return func(s translated.Stack) { props(s, id)[property] = value }
	}
	dimensions := func(all ...any) func(translated.Stack) { return set(api, "Dimensions", all) }
	dimension := func(name string, value any) map[string]any { return map[string]any{"Name": name, "Value": value} }
	const math = "AvailabilityBurnsAlarm"
	red(t, translated.Alarms, map[string]plant{
		"RESTName":       {set(api, "MetricName", "5XXError"), []string{`the metric "5XXError"`}},
		"RESTDimension":  {dimensions(dimension("ApiName", "tienda")), []string{"dimension ApiName is tienda", "[ApiName]"}},
		"OnlyStage":      {dimensions(dimension("Stage", "$default")), []string{"[Stage]"}},
		"OtherStage":     {dimensions(dimension("ApiId", ref("Api")), dimension("Stage", "prod")), []string{"dimension Stage is prod"}},
		"OtherAPI":       {dimensions(dimension("ApiId", ref("CommerceTable")), dimension("Stage", "$default")), []string{"dimension ApiId is"}},
		"NoFilter":       {set(failures, "MetricName", "Failures"), []string{`the metric "Failures"`}},
		"OtherNamespace": {set(failures, "Namespace", "Tienda"), []string{`the metric "FunctionFailures" of Tienda`}},
		"SharedByStacks": {func(s translated.Stack) {
			for _, r := range s.Resources {
				if transformations, ok := r.Properties["MetricTransformations"].([]any); ok {
					if m := transformations[0].(map[string]any); m["MetricName"] == "FunctionFailures" {
						m["MetricNamespace"] = "Tienda"
					}
				}
			}
			props(s, failures)["Namespace"] = "Tienda"
		}, []string{`the metric "FunctionFailures" of Tienda`}},
		"NoData": {func(s translated.Stack) { delete(props(s, api), "TreatMissingData") }, []string{"TreatMissingData is not set"}},
		"MathOfOtherMetric": {func(s translated.Stack) {
			query(s, math, 0)["MetricStat"].(map[string]any)["Metric"].(map[string]any)["MetricName"] = "5XXError"
		}, []string{`the metric "5XXError"`}},
		"MathOfUnknownId": {func(s translated.Stack) { query(s, math, 2)["Expression"] = "failed / asked" }, []string{`its expression uses "asked"`}},
		"TableUnwatched": {func(s translated.Stack) {
			query(s, "TableThrottlesAlarm", 4)["MetricStat"].(map[string]any)["Metric"].(map[string]any)["Dimensions"] = []any{dimension("TableName", ref("AuthTable"))}
		}, []string{"no alarm watches ReadThrottleEvents of RateLimitTable"}},
		"MathReturnsAll": {func(s translated.Stack) { delete(query(s, math, 0), "ReturnData") }, []string{"2 of its metrics return data"}},
	})
}

// query is one metric of an alarm that computes its value.
func query(s translated.Stack, alarm string, n int) map[string]any {
	return props(s, alarm)["Metrics"].([]any)[n].(map[string]any)
}

func TestDashboardsNamesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	replace := func(old, changed string) func(translated.Stack) {
		return func(s translated.Stack) {
			body := props(s, "Dashboard", "DashboardBody")["Fn::Sub"].([]any)
			body[0] = strings.Replace(body[0].(string), old, changed, 1)
		}
	}
	red(t, translated.Dashboards, map[string]plant{
		"NotJSON":     {replace(`{"widgets"`, `"widgets"`), []string{"its body is not JSON"}},
		"NoWidgets":   {replace(`"widgets"`, `"panels"`), []string{"it has no widgets"}},
		"RESTName":    {replace(`[".", "5xx"`, `[".", "5XXError"`), []string{"the metric 5XXError of AWS/ApiGateway"}},
		"NoDimension": {replace(`"Count", "ApiId", "${Api}", "Stage", "$default"`, `"Count"`), []string{"the metric Count of", "the metric 5xx of", "the metric 4xx of"}},
		"NoTable": {func(s translated.Stack) {
			body := props(s, "Dashboard", "DashboardBody")["Fn::Sub"].([]any)
			body[0] = strings.ReplaceAll(body[0].(string), "${RateLimitTable}", "ratelimit")
		}, []string{"it does not show RateLimitTable"}},
		"NoLogGroup": {func(s translated.Stack) {
			groups := props(s, "Dashboard", "DashboardBody")["Fn::Sub"].([]any)[1].(map[string]any)["Groups"].(map[string]any)
			groups["Fn::Sub"] = strings.Replace(groups["Fn::Sub"].(string), "${LimitsLogGroup}", "limits", 1)
		}, []string{"it does not show LimitsLogGroup"}},
		"NoFilter": {replace(`"FunctionFailures"`, `"Failures"`), []string{"no filter makes the metric Failures"}},
	})
}

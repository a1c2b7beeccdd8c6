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
		return translated.Tables(s, map[string]translated.TableRule{"CommerceTable": tables("prod")["CommerceTable"]})
	}
	red(t, rule, map[string]plant{
		"NoTTL":        {func(s translated.Stack) { props(s, id, "TimeToLiveSpecification")["Enabled"] = false }, []string{`expire by "", want "ttl"`}},
		"OtherTTL":     {func(s translated.Stack) { props(s, id, "TimeToLiveSpecification")["AttributeName"] = "expires" }, []string{`expire by "expires"`}},
		"NoBackup":     {func(s translated.Stack) { delete(props(s, id), "PointInTimeRecoverySpecification") }, []string{"point-in-time recovery is false"}},
		"NoStream":     {func(s translated.Stack) { delete(props(s, id), "StreamSpecification") }, []string{`stream is ""`}},
		"NotEncrypted": {func(s translated.Stack) { delete(props(s, id), "SSESpecification") }, []string{"not encrypted"}},
		"Provisioned":  {func(s translated.Stack) { props(s, id)["BillingMode"] = "PROVISIONED" }, []string{"billing mode is PROVISIONED"}},
		"Unprotected":  {func(s translated.Stack) { props(s, id)["DeletionProtectionEnabled"] = false }, []string{"does not refuse to delete"}},
		"ProtectedByNobody": {func(s translated.Stack) {
			s.Parameters["DeletionProtection"] = translated.Parameter{Default: "false"}
		}, []string{"does not refuse to delete"}},
		"FixedName":  {func(s translated.Stack) { props(s, id)["TableName"] = "commerce" }, []string{"fixed name"}},
		"Deleted":    {func(s translated.Stack) { s.Resources[id] = policies("Delete", "Retain")(s.Resources[id]) }, []string{`DeletionPolicy is "Delete"`}},
		"Replaced":   {func(s translated.Stack) { s.Resources[id] = policies("Retain", "")(s.Resources[id]) }, []string{`UpdateReplacePolicy is ""`}},
		"Undeclared": {func(s translated.Stack) { s.Resources["OtherTable"] = s.Resources[id] }, []string{"OtherTable: nobody declares"}},
		"Gone":       {func(s translated.Stack) { delete(s.Resources, id) }, []string{"no such table"}},
	})
}

func TestSecretsNamesWhatMayBeLost(t *testing.T) {
	t.Parallel()
	const id = "TokenKeysSecret"
	red(t, translated.Secrets, map[string]plant{
		"Deleted":       {func(s translated.Stack) { s.Resources[id] = policies("", "Retain")(s.Resources[id]) }, []string{`DeletionPolicy is ""`}},
		"Replaced":      {func(s translated.Stack) { s.Resources[id] = policies("Retain", "Delete")(s.Resources[id]) }, []string{`UpdateReplacePolicy is "Delete"`}},
		"InTheTemplate": {func(s translated.Stack) { props(s, id)["SecretString"] = "x" }, []string{"value stands in the template"}},
	})
}

func TestAlarmsNamesTheOneThatNeverRings(t *testing.T) {
	t.Parallel()
	const id = "ApiServerErrorsAlarm"
	metric := func(name string) func(translated.Stack) {
		return func(s translated.Stack) { props(s, id)["MetricName"] = name }
	}
	query := func(text string) func(translated.Stack) {
		return func(s translated.Stack) {
			props(s, "FunctionErrorsAlarm")["Metrics"].([]any)[0].(map[string]any)["Expression"] = text
		}
	}
	dimensions := func(all ...any) func(translated.Stack) {
		return func(s translated.Stack) { props(s, id)["Dimensions"] = all }
	}
	dimension := func(name string, value any) map[string]any { return map[string]any{"Name": name, "Value": value} }
	red(t, translated.Alarms, map[string]plant{
		"RESTName":      {metric("5XXError"), []string{`no metric "5XXError"`}},
		"RESTDimension": {dimensions(dimension("ApiName", "tienda")), []string{"dimension ApiName is tienda", "[ApiName]"}},
		"OnlyStage":     {dimensions(dimension("Stage", "$default")), []string{"[Stage]"}},
		"OtherStage":    {dimensions(dimension("ApiId", ref("Api")), dimension("Stage", "prod")), []string{"dimension Stage is prod"}},
		"OtherAPI":      {dimensions(dimension("ApiId", ref("CommerceTable")), dimension("Stage", "$default")), []string{"dimension ApiId is"}},
		"QueryMetric":   {query(`SELECT SUM(Error) FROM SCHEMA("AWS/Lambda", FunctionName)`), []string{`no metric "Error"`}},
		"QuerySchema":   {query(`SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName, Version)`), []string{"[FunctionName Version]"}},
		"QueryGroup":    {query(`SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName) GROUP BY Resource`), []string{"groups by Resource"}},
		"QueryForm":     {query(`SEARCH('{AWS/Lambda}', 'Sum')`), []string{"of no form"}},
		"NoData":        {func(s translated.Stack) { delete(props(s, id), "TreatMissingData") }, []string{"what no data means"}},
	})
}

func TestWatchedNamesTheUnwatched(t *testing.T) {
	t.Parallel()
	red(t, translated.Watched, map[string]plant{
		"NoAlarm": {func(s translated.Stack) { delete(s.Resources, "FunctionThrottlesAlarm") }, []string{
			"AuthorizerFunction: no alarm watches its Throttles", "CreateProductFunction: no", "ListProductsFunction: no", "NotFoundFunction: no",
		}},
		"OneFunctionOnly": {func(s translated.Stack) {
			s.Resources["FunctionThrottlesAlarm"] = translated.Resource{Type: "AWS::CloudWatch::Alarm", Properties: map[string]any{
				"Namespace": "AWS/Lambda", "MetricName": "Throttles",
				"Dimensions": []any{map[string]any{"Name": "FunctionName", "Value": ref("CreateProductFunction")}},
			}}
		}, []string{"AuthorizerFunction: no", "ListProductsFunction: no", "NotFoundFunction: no"}},
		"Filtered": {func(s translated.Stack) {
			props(s, "FunctionErrorsAlarm")["Metrics"].([]any)[0].(map[string]any)["Expression"] = `SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName) WHERE FunctionName = 'x'`
		}, []string{
			"AuthorizerFunction: no alarm watches its Errors", "CreateProductFunction: no", "ListProductsFunction: no", "NotFoundFunction: no",
		}},
	})
}

func TestVersionsNamesTheParameterThatIsLeftOut(t *testing.T) {
	t.Parallel()
	const id = "CreateProductFunction"
	version := func(s translated.Stack) map[string]any {
		for name, r := range s.Resources {
			if r.Type == "AWS::Lambda::Version" && r.Properties["FunctionName"].(map[string]any)["Ref"] == id {
				return props(s, name)
			}
		}
		t.Fatal("no version")
		return nil
	}
	red(t, translated.Versions, map[string]plant{
		"NoDescription": {func(s translated.Stack) { delete(version(s), "Description") }, []string{
			"the parameter Architecture reaches", "the parameter DynamoDBEndpoint reaches", "the parameter LogLevel reaches", "the parameter Tracing reaches",
		}},
		"NewParameter": {func(s translated.Stack) { props(s, id, "Environment", "Variables")["X"] = ref("TokenIssuer") }, []string{"TokenIssuer reaches it and changes no property"}},
		"NewParameterInSub": {func(s translated.Stack) {
			props(s, id, "Environment", "Variables")["X"] = map[string]any{"Fn::Sub": "a-${Stage}"}
		}, []string{"Stage reaches it"}},
		"TooLong": {func(s translated.Stack) {
			version(s)["Description"].(map[string]any)["Fn::Sub"] = "${Architecture}${LogLevel}${Tracing}${DynamoDBEndpoint}${TokenIssuer}"
		}, []string{"want at most 256"}},
	})
}

func TestDocumentedNamesTheValueThatIsNotDeployed(t *testing.T) {
	t.Parallel()
	stack := translated.Stack{Parameters: map[string]translated.Parameter{"Stage": {Default: "dev"}, "Topic": {Default: ""}}}
	const stage, topic = "| `Stage` | `dev` | what for |\n", "| `Topic` | empty | alarms |\n"
	tests := map[string]struct {
		page string
		want []string
	}{
		"Nothing":    {page: "| Parameter | dev | |\n|---|---|---|\n" + stage + topic},
		"OtherValue": {page: strings.Replace(stage, "dev", "prod", 1) + topic, want: []string{`Stage: the page says "prod" in column 1, and "dev" is deployed`}},
		"NotEmpty":   {page: stage + strings.Replace(topic, "empty", "`x`", 1), want: []string{`Topic: the page says "x"`}},
		"Missing":    {page: stage, want: []string{"Topic: the page does not have it"}},
		"Unknown":    {page: stage + topic + "| `Gone` | `x` | old |\n", want: []string{"Gone: the page has it, and the template does not"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, translated.Documented(test.page, []translated.Stack{stack}), test.want...)
		})
	}
}

package translated_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tienda-dev/tienda/tests/contract"
	"github.com/tienda-dev/tienda/tests/contract/translated"
)

// planted is a copy of the stack of prod, which deploys gradually, to plant faults in.
func planted(t *testing.T) translated.Stack {
	t.Helper()
	if _, err := translate(); err != nil {
		t.Skip("TestTranslatedTemplate reports why the template does not translate")
	}
	return read(t, "prod")
}

// props are the properties at a path of keys of a resource.
func props(s translated.Stack, id string, path ...string) map[string]any {
	m := s.Resources[id].Properties
	for _, key := range path {
		m = m[key].(map[string]any)
	}
	return m
}

// plant is a fault and texts that the rule must report.
type plant struct {
	breaks func(s translated.Stack)
	want   []string
}

// red runs a rule on each planted fault. TestTranslatedTemplate reports the faults that the template has now.
func red(t *testing.T, rule func(translated.Stack) []string, plants map[string]plant) {
	t.Helper()
	for name, p := range plants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack := planted(t)
			before := rule(stack)
			p.breaks(stack)
			after := slices.DeleteFunc(rule(stack), func(fault string) bool { return slices.Contains(before, fault) })
			contract.Expect(t, after, p.want...)
		})
	}
}

func ref(name string) map[string]any { return map[string]any{"Ref": name} }

func getAtt(name, attribute string) map[string]any {
	return map[string]any{"Fn::GetAtt": []any{name, attribute}}
}

func TestFunctionsNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	const id = "CreateProductFunction"
	red(t, translated.Functions, map[string]plant{
		"SharedRole": {func(s translated.Stack) { props(s, id)["Role"] = getAtt("AuthorizerRole", "Arn") }, []string{`role is "AuthorizerRole"`}},
		"SAMsRole":   {func(s translated.Stack) { props(s, id)["Role"] = getAtt("CreateProductFunctionRole", "Arn") }, []string{`"CreateProductFunctionRole": define CreateProductRole`}},
		"NoRole":     {func(s translated.Stack) { delete(s.Resources, "CreateProductRole") }, []string{"define CreateProductRole"}},
		"SlowAsGate": {func(s translated.Stack) { props(s, id)["Timeout"] = 30.0 }, []string{"Timeout is 30 s"}},
		"NoTimeout":  {func(s translated.Stack) { delete(props(s, id), "Timeout") }, []string{"Timeout is <nil>"}},
		"EndlessWorker": {func(s translated.Stack) {
			props(s, "CheckInvariantsFunction")["Timeout"] = 901.0
		}, []string{"CheckInvariantsFunction: its Timeout is 901 s"}},
	})
}

func TestLogGroupsNamesTheOneThatNobodyReads(t *testing.T) {
	t.Parallel()
	red(t, translated.LogGroups, map[string]plant{
		"NoRetention": {func(s translated.Stack) { delete(props(s, "ApiLogGroup"), "RetentionInDays") }, []string{"ApiLogGroup: it keeps"}},
		"NoParameter": {func(s translated.Stack) { delete(s.Parameters, "LogRetentionDays") }, []string{"it keeps logs for ever"}},
		"ForeignGroup": {func(s translated.Stack) {
			props(s, "CreateProductFunction", "LoggingConfig")["LogGroup"] = "/aws/lambda/create-product"
		}, []string{"to one of this stack"}},
		"MayNotWrite": {func(s translated.Stack) {
			props(s, "CreateProductFunction", "LoggingConfig")["LogGroup"] = ref("ApiLogGroup")
		}, []string{"it may not write to ApiLogGroup: add"}},
		"NoFilter": {func(s translated.Stack) { delete(s.Resources, "CatalogFailures") }, []string{"no alarm counts the failed invocations in CatalogLogGroup"}},
		"OtherFilter": {func(s translated.Stack) {
			props(s, "FallbackFailures")["FilterPattern"] = `{ $.type = "platform.report" && $.status != "success" }`
		}, []string{"NotFoundFunction: no alarm counts"}},
		"NoAlarm":    {func(s translated.Stack) { delete(s.Resources, "FunctionErrorsAlarm") }, []string{"no alarm counts"}},
		"AlarmAtTwo": {with(1.0, "FunctionErrorsAlarm", "Threshold"), []string{"CheckInvariantsFunction: no alarm counts", "no alarm counts"}},
		"AlarmAtTwoMinutes": {
			with(2.0, "FunctionErrorsAlarm", "DatapointsToAlarm"), []string{"CheckInvariantsFunction: no alarm counts", "no alarm counts"},
		},
		"TextLogs":  {func(s translated.Stack) { props(s, "NotFoundFunction", "LoggingConfig")["LogFormat"] = "Text" }, []string{"want LogFormat JSON"}},
		"NoReports": {func(s translated.Stack) { props(s, "NotFoundFunction", "LoggingConfig")["SystemLogLevel"] = "WARN" }, []string{"want LogFormat JSON"}},
	})
}

func TestAliasesNamesTheFunctionWithout(t *testing.T) {
	t.Parallel()
	const alias = "CreateProductFunctionAliaslive"
	red(t, translated.Aliases, map[string]plant{
		"NoAlias": {func(s translated.Stack) { delete(s.Resources, alias) }, []string{"has 0 aliases"}},
		"OldDescription": {func(s translated.Stack) {
			version := props(s, alias)["FunctionVersion"].(map[string]any)["Fn::GetAtt"].([]any)[0].(string)
			props(s, version)["Description"] = map[string]any{"Fn::Sub": "LogLevel=${LogLevel}"}
		}, []string{"set VersionDescription: !Ref ConfigVersion"}},
		"OtherVersion": {func(s translated.Stack) { props(s, alias)["FunctionVersion"] = getAtt("CreateProductRole", "Version") }, []string{`version "CreateProductRole"`}},
		"Latest":       {func(s translated.Stack) { props(s, alias)["FunctionVersion"] = "$LATEST" }, []string{`version ""`}},
		"OnAuthorizer": {func(s translated.Stack) { props(s, alias)["FunctionName"] = ref("AuthorizerFunction") }, []string{"has 0 aliases", "sam local skips an authorizer"}},
	})
}

func TestDeploymentsNamesTheOneThatNothingStops(t *testing.T) {
	t.Parallel()
	const group = "CreateProductFunctionDeploymentGroup"
	red(t, translated.Deployments, map[string]plant{
		"NoGroup":    {func(s translated.Stack) { delete(s.Resources, group) }, []string{"no deployment group"}},
		"NoAlarm":    {func(s translated.Stack) { props(s, group, "AlarmConfiguration")["Alarms"] = []any{} }, []string{"no alarm stops it"}},
		"AlarmsOff":  {func(s translated.Stack) { props(s, group, "AlarmConfiguration")["Enabled"] = false }, []string{"no alarm stops it"}},
		"GoneAlarm":  {func(s translated.Stack) { delete(s.Resources, "FunctionErrorsAlarm") }, []string{"its alarm"}},
		"NoRollback": {func(s translated.Stack) { props(s, group, "AutoRollbackConfiguration")["Enabled"] = false }, []string{"does not roll back"}},
		"OtherEvents": {func(s translated.Stack) {
			props(s, group, "AutoRollbackConfiguration")["Events"] = []any{"DEPLOYMENT_FAILURE"}
		}, []string{"does not roll back"}},
	})
}

func TestSizeNamesWhatGrows(t *testing.T) {
	t.Parallel()
	grow := func(prefix string, n int) func(translated.Stack) {
		return func(s translated.Stack) {
			for i := range n {
				s.Resources[fmt.Sprintf("%s%d", prefix, i)] = translated.Resource{}
			}
		}
	}
	red(t, translated.Size, map[string]plant{
		"OneAlarmEach": {grow("CreateProductAlarm", 1), []string{"CreateProductFunction: it has 7 resources"}},
		"Stack":        {grow("Other", 480), []string{"resources, want at most 480"}},
		"LongerName": {func(s translated.Stack) {
			s.Resources["CreateProductsFunction"] = s.Resources["CreateProductFunction"]
			grow("CreateProductsThing", 5)(s)
		}, nil},
	})
}

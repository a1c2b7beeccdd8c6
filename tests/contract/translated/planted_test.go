package translated_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/tests/contract/translated"
)

// planted is a small stack without a fault: the authorizer, three functions, a table and alarms, as
// the transform writes them for an environment that deploys gradually.
func planted(t *testing.T) translated.Stack {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "working_stack.json"))
	if err != nil {
		t.Fatal(err)
	}
	stack, err := translated.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// props are the properties at a path of keys of a resource.
func props(s translated.Stack, id string, path ...string) map[string]any {
	m := s.Resources[id].Properties
	for _, key := range path {
		m = m[key].(map[string]any)
	}
	return m
}

// expect fails unless exactly the faults that contain the wanted texts were found.
func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.ContainsFunc(got, func(g string) bool { return strings.Contains(g, w) }) {
			t.Errorf("no fault says %q; got %q", w, got)
		}
	}
	for _, g := range got {
		if !slices.ContainsFunc(want, func(w string) bool { return strings.Contains(g, w) }) {
			t.Errorf("unexpected fault %q", g)
		}
	}
}

// plant is a fault and what must be said about it.
type plant struct {
	breaks func(s translated.Stack)
	want   []string
}

// red runs a rule on the stack without a fault and on each planted one.
func red(t *testing.T, rule func(translated.Stack) []string, plants map[string]plant) {
	t.Helper()
	t.Run("Nothing", func(t *testing.T) {
		t.Parallel()
		expect(t, rule(planted(t)))
	})
	for name, p := range plants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack := planted(t)
			p.breaks(stack)
			expect(t, rule(stack), p.want...)
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
		"SAMsRole":   {func(s translated.Stack) { props(s, id)["Role"] = getAtt("CreateProductFunctionRole", "Arn") }, []string{`"CreateProductFunctionRole", want a role of its own`}},
		"NoRole":     {func(s translated.Stack) { delete(s.Resources, "CreateProductRole") }, []string{"want a role of its own"}},
		"SlowAsGate": {func(s translated.Stack) { props(s, id)["Timeout"] = 30.0 }, []string{"timeout is 30 s"}},
		"NoTimeout":  {func(s translated.Stack) { delete(props(s, id), "Timeout") }, []string{"timeout is <nil>"}},
	})
}

func TestLogGroupsNamesTheOneThatNobodyReads(t *testing.T) {
	t.Parallel()
	red(t, translated.LogGroups, map[string]plant{
		"NoRetention": {func(s translated.Stack) { delete(props(s, "ApiLogGroup"), "RetentionInDays") }, []string{"ApiLogGroup: it keeps"}},
		"NoParameter": {func(s translated.Stack) { delete(s.Parameters, "LogRetentionDays") }, []string{
			"ApiLogGroup", "AuthorizerLogGroup", "CatalogLogGroup", "FallbackLogGroup",
		}},
		"ForeignGroup": {func(s translated.Stack) {
			props(s, "CreateProductFunction", "LoggingConfig")["LogGroup"] = "/aws/lambda/create-product"
		}, []string{"want one of this stack"}},
		"MayNotWrite": {func(s translated.Stack) {
			props(s, "CreateProductFunction", "LoggingConfig")["LogGroup"] = ref("ApiLogGroup")
		}, []string{"FunctionBasics does not let it write to ApiLogGroup"}},
		"NoFilter": {func(s translated.Stack) { delete(s.Resources, "CatalogFailures") }, []string{
			"CreateProductFunction: no alarm counts", "ListProductsFunction: no alarm counts",
		}},
		"OtherFilter": {func(s translated.Stack) {
			props(s, "FallbackFailures")["FilterPattern"] = `{ $.type = "platform.report" && $.status != "success" }`
		}, []string{"NotFoundFunction: no alarm counts"}},
		"NoAlarm": {func(s translated.Stack) { delete(s.Resources, "FunctionErrorsAlarm") }, []string{
			"AuthorizerFunction: no alarm", "CreateProductFunction: no alarm", "ListProductsFunction: no alarm", "NotFoundFunction: no alarm",
		}},
		"TextLogs":  {func(s translated.Stack) { props(s, "NotFoundFunction", "LoggingConfig")["LogFormat"] = "Text" }, []string{"want JSON"}},
		"NoReports": {func(s translated.Stack) { props(s, "NotFoundFunction", "LoggingConfig")["SystemLogLevel"] = "WARN" }, []string{"want JSON"}},
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
		}, []string{"want !Ref ConfigVersion"}},
		"OtherVersion": {func(s translated.Stack) { props(s, alias)["FunctionVersion"] = getAtt("CreateProductRole", "Version") }, []string{`version "CreateProductRole"`}},
		"Latest":       {func(s translated.Stack) { props(s, alias)["FunctionVersion"] = "$LATEST" }, []string{`version ""`}},
		"OnAuthorizer": {func(s translated.Stack) { props(s, alias)["FunctionName"] = ref("AuthorizerFunction") }, []string{"has 0 aliases", "leaves its routes open"}},
	})
}

func TestDeploymentsNamesTheOneThatNothingStops(t *testing.T) {
	t.Parallel()
	const group = "CreateProductFunctionDeploymentGroup"
	red(t, translated.Deployments, map[string]plant{
		"NoGroup":    {func(s translated.Stack) { delete(s.Resources, group) }, []string{"no deployment group"}},
		"NoAlarm":    {func(s translated.Stack) { props(s, group, "AlarmConfiguration")["Alarms"] = []any{} }, []string{"no alarm stops it"}},
		"AlarmsOff":  {func(s translated.Stack) { props(s, group, "AlarmConfiguration")["Enabled"] = false }, []string{"no alarm stops it"}},
		"GoneAlarm":  {func(s translated.Stack) { delete(s.Resources, "FunctionErrorsAlarm") }, []string{"CreateProductFunctionDeploymentGroup: its alarm", "ListProductsFunctionDeploymentGroup: its alarm", "NotFoundFunctionDeploymentGroup: its alarm"}},
		"NoRollback": {func(s translated.Stack) { props(s, group, "AutoRollbackConfiguration")["Enabled"] = false }, []string{"does not roll back"}},
		"OtherEvents": {func(s translated.Stack) {
			props(s, group, "AutoRollbackConfiguration")["Events"] = []any{"DEPLOYMENT_FAILURE"}
		}, []string{"does not roll back"}},
	})
}

func TestConcurrencyNamesWhatHashesWithoutAReserve(t *testing.T) {
	t.Parallel()
	const id = "CreateProductFunction"
	rule := func(s translated.Stack) []string { return translated.Concurrency(s, []string{id}) }
	reserve := func(s translated.Stack) {
		s.Parameters["SignInConcurrency"] = translated.Parameter{Default: ""}
		s.Conditions["ReserveSignIn"] = map[string]any{"Fn::Not": []any{map[string]any{"Fn::Equals": []any{ref("SignInConcurrency"), ""}}}}
		props(s, id)["ReservedConcurrentExecutions"] = map[string]any{
			"Fn::If": []any{"ReserveSignIn", ref("SignInConcurrency"), ref("AWS::NoValue")},
		}
	}
	tests := map[string]plant{
		"Reserved":  {reserve, nil},
		"NoReserve": {func(translated.Stack) {}, []string{"no parameter that may be left unset"}},
		"Fixed":     {func(s translated.Stack) { props(s, id)["ReservedConcurrentExecutions"] = 5.0 }, []string{"no parameter that may be left unset"}},
		"AlwaysOne": {func(s translated.Stack) {
			reserve(s)
			s.Parameters["SignInConcurrency"] = translated.Parameter{Default: "5"}
		}, []string{"SignInConcurrency is 5 by default"}},
		"OtherSwitch": {func(s translated.Stack) { reserve(s); s.Conditions["ReserveSignIn"] = s.Conditions["TracingActive"] }, []string{"does not depend on a parameter of its own"}},
		"Gone":        {func(s translated.Stack) { delete(s.Resources, id) }, []string{"no such function"}},
	}
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack := planted(t)
			p.breaks(stack)
			expect(t, rule(stack), p.want...)
		})
	}
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
		"OneAlarmEach": {grow("CreateProductAlarm", 1), []string{"CreateProductFunction: it becomes 7 resources"}},
		"Stack":        {grow("Other", 60), []string{"with 65 functions, want at most 450"}},
		"LongerName": {func(s translated.Stack) {
			s.Resources["CreateProductsFunction"] = s.Resources["CreateProductFunction"]
			grow("CreateProductsThing", 5)(s)
		}, nil},
	})
}

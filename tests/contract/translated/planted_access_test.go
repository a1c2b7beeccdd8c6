package translated_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/tests/contract/translated"
)

// allow is a policy statement.
func allow(action string, resource any) map[string]any {
	return map[string]any{"Effect": "Allow", "Action": action, "Resource": resource}
}

// grant adds a statement to a role.
func grant(s translated.Stack, role string, statement any) {
	policy := props(s, role)["Policies"].([]any)[0].(map[string]any)["PolicyDocument"].(map[string]any)
	policy["Statement"] = append(policy["Statement"].([]any), statement)
}

func TestRolesNamesWhatIsWide(t *testing.T) {
	t.Parallel()
	const role = "CreateProductRole"
	add := func(statement any) func(translated.Stack) {
		return func(s translated.Stack) { grant(s, role, statement) }
	}
	sub := func(text string) map[string]any { return map[string]any{"Fn::Sub": text} }
	red(t, translated.Roles, map[string]plant{
		"WildAction":    {add(allow("dynamodb:Batch*", getAtt("CommerceTable", "Arn"))), []string{`it allows "dynamodb:Batch*"`}},
		"AnyResource":   {add(allow("dynamodb:GetItem", "*")), []string{"[dynamodb:GetItem] on every resource"}},
		"AnyIndex":      {add(allow("dynamodb:Query", sub("${CommerceTable.Arn}/index/*"))), []string{`on "${CommerceTable.Arn}/index/*"`}},
		"ForeignTable":  {add(allow("dynamodb:GetItem", "arn:aws:dynamodb:eu-central-1:1:table/x")), []string{"not a resource of this stack"}},
		"HeadersAlways": {add(allow("secretsmanager:GetSecretValue", ref("OtlpHeadersSecretArn"))), []string{"not a resource of this stack"}},
		"HeadersPut": {
			add(map[string]any{"Fn::If": []any{"HasOtlpHeaders", allow("secretsmanager:PutSecretValue", ref("OtlpHeadersSecretArn")), ref("AWS::NoValue")}}),
			[]string{"not a resource of this stack"},
		},
		"TracingAlways": {add(allow("xray:PutTraceSegments", "*")), []string{"[xray:PutTraceSegments] on every resource"}},
		"HiddenInIf": {
			add(map[string]any{"Fn::If": []any{"TracingActive", allow("s3:GetObject", "*"), ref("AWS::NoValue")}}),
			[]string{"[s3:GetObject] on every resource"},
		},
		"Deny": {
			add(map[string]any{"Effect": "Deny", "Action": "dynamodb:Scan", "Resource": getAtt("CommerceTable", "Arn")}),
			[]string{"has not the form"},
		},
		"NotAction": {
			add(map[string]any{"Effect": "Allow", "NotAction": "iam:PassRole", "Resource": getAtt("CommerceTable", "Arn")}),
			[]string{"has not the form"},
		},
		"Managed": {
			func(s translated.Stack) {
				props(s, role)["ManagedPolicyArns"] = []any{"arn:aws:iam::aws:policy/ReadOnlyAccess"}
			},
			[]string{"want [!Ref FunctionBasics]"},
		},
		"NoBasics": {func(s translated.Stack) { delete(props(s, role), "ManagedPolicyArns") }, []string{"want [!Ref FunctionBasics]"}},
		"WideBasics": {func(s translated.Stack) {
			document := props(s, "FunctionBasics", "PolicyDocument")
			document["Statement"] = append(document["Statement"].([]any), allow("dynamodb:GetItem", "*"))
		}, []string{"FunctionBasics: it allows [dynamodb:GetItem] on every resource"}},
		"SameInEveryRole": {func(s translated.Stack) {
			same := []any{map[string]any{"PolicyDocument": map[string]any{"Statement": allow("dynamodb:PutItem", getAtt("CommerceTable", "Arn"))}}}
			for _, r := range s.Resources {
				if r.Type == "AWS::IAM::Role" {
					r.Properties["Policies"] = same
				}
			}
		}, []string{"FunctionBasics: add dynamodb:PutItem on"}},
		"AnybodyAssumes": {func(s translated.Stack) {
			props(s, role, "AssumeRolePolicyDocument")["Statement"].([]any)[0].(map[string]any)["Principal"] = map[string]any{"AWS": "*"}
		}, []string{"assumed by [AWS *]"}},
		"CodeDeployRoleForLambda": {func(s translated.Stack) {
			props(s, "CodeDeployServiceRole", "AssumeRolePolicyDocument")["Statement"].([]any)[0].(map[string]any)["Principal"] = map[string]any{"Service": "lambda.amazonaws.com"}
		}, []string{"want CodeDeploy alone"}},
	})
}

func TestRoutesNamesTheOpenAndTheUnreachable(t *testing.T) {
	t.Parallel()
	post := func(s translated.Stack) map[string]any {
		return props(s, "Api", "Body", "paths", "/v1/products", "post")
	}
	rule := func(s translated.Stack) []string { return translated.Routes(s, routes()) }
	red(t, rule, map[string]plant{
		"Open": {func(s translated.Stack) { delete(post(s), "security") }, []string{`POST /v1/products: its Authorizer in template.yaml is "", want "TokenAuthorizer"`}},
		"Weak": {func(s translated.Stack) {
			post(s)["security"] = []any{map[string]any{"OtherAuthorizer": []any{}}}
		}, []string{`its Authorizer in template.yaml is "OtherAuthorizer"`}},
		"EitherOf": {func(s translated.Stack) {
			post(s)["security"] = append(post(s)["security"].([]any), map[string]any{"OtherAuthorizer": []any{}})
		}, []string{`"TokenAuthorizer or OtherAuthorizer"`}},
		"Undeclared": {func(s translated.Stack) {
			props(s, "Api", "Body", "paths")["/v1/other"] = map[string]any{"get": post(s)}
		}, []string{"GET /v1/other: no routes.go", `GET /v1/other: its Authorizer in template.yaml is "TokenAuthorizer", want ""`, "GET /v1/other: the gateway may not invoke"}},
		"Gone":         {func(s translated.Stack) { delete(props(s, "Api", "Body", "paths"), "/$default") }, []string{"$default: template.yaml does not have this route"}},
		"NoPermission": {func(s translated.Stack) { delete(s.Resources, "CreateProductFunctionRoutePermission") }, []string{"POST /v1/products: the gateway may not invoke CreateProductFunctionAliaslive"}},
		"PermissionOnFunction": {func(s translated.Stack) {
			props(s, "CreateProductFunctionRoutePermission")["FunctionName"] = ref("CreateProductFunction")
		}, []string{"may not invoke CreateProductFunctionAliaslive"}},
		"PermissionForOtherMethod": {func(s translated.Stack) {
			props(s, "CreateProductFunctionRoutePermission")["SourceArn"] = props(s, "ListProductsFunctionRoutePermission")["SourceArn"]
		}, []string{"may not invoke CreateProductFunctionAliaslive"}},
		"WithoutAlias": {func(s translated.Stack) {
			props(s, "Api", "Body", "paths", "/v1/products", "post", "x-amazon-apigateway-integration")["uri"] = map[string]any{
				"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${CreateProductFunction.Arn}/invocations",
			}
		}, []string{`it invokes "CreateProductFunction", want the alias`}},
		"NoAuthorizerEntry": {func(s translated.Stack) {
			delete(props(s, "Api", "Body", "components", "securitySchemes"), "TokenAuthorizer")
		}, []string{"TokenAuthorizer: the API has no such authorizer"}},
		"AuthorizerByAlias": {func(s translated.Stack) {
			entry := props(s, "Api", "Body", "components", "securitySchemes", "TokenAuthorizer", "x-amazon-apigateway-authorizer")
			entry["authorizerUri"].(map[string]any)["Fn::Sub"].([]any)[1] = map[string]any{"__FunctionArn__": ref("CreateProductFunctionAliaslive")}
		}, []string{"want a function without an alias"}},
		"AuthorizerNotPermitted": {func(s translated.Stack) {
			maps.DeleteFunc(s.Resources, func(id string, _ translated.Resource) bool { return strings.HasSuffix(id, "AuthorizerPermission") })
		}, []string{"the gateway may not invoke AuthorizerFunction"}},
	})
}

func TestCORSNamesWhatDiffersOrIsOpen(t *testing.T) {
	t.Parallel()
	set := func(side int, member string, value any) func(translated.Stack) {
		return func(s translated.Stack) {
			choice := props(s, "Api", "Body", "x-amazon-apigateway-cors")["Fn::If"].([]any)
			choice[side].(map[string]any)[member] = value
		}
	}
	red(t, translated.CORS, map[string]plant{
		"NoCondition": {func(s translated.Stack) {
			props(s, "Api", "Body")["x-amazon-apigateway-cors"] = map[string]any{"allowOrigins": []any{"*"}}
		}, []string{"want CorsConfiguration: !If"}},
		"OtherMethods":  {set(2, "allowMethods", []any{"GET"}), []string{"CORS has allowMethods ["}},
		"NoMethods":     {set(1, "allowMethods", nil), []string{"CORS has no allowMethods"}},
		"UnknownMember": {set(1, "AllowMethods", []any{"GET"}), []string{"CORS has AllowMethods, which"}},
		"Localhost":     {set(2, "allowOrigins", []any{"https://a.example", "http://localhost:5173"}), []string{"allows http://localhost:5173 in prod"}},
		"Loopback":      {set(2, "allowOrigins", []any{"http://127.0.0.1"}), []string{"allows http://127.0.0.1 in prod"}},
	})
}

func TestAccessLogsNamesPersonalData(t *testing.T) {
	t.Parallel()
	const stage = "ApiApiGatewayDefaultStage"
	format := func(text string) func(translated.Stack) {
		return func(s translated.Stack) { props(s, stage, "AccessLogSettings")["Format"] = text }
	}
	const needed = `"a":"$context.requestId","b":"$context.routeKey","c":"$context.status"`
	red(t, translated.AccessLogs, map[string]plant{
		"Least":      {format("{" + needed + "}"), nil},
		"Address":    {format("{" + needed + `,"ip":"$context.identity.sourceIp"}`), []string{"$context.identity.sourceIp, which is personal"}},
		"Path":       {format("{" + needed + `,"x":"$context.path"}`), []string{"$context.path"}},
		"Subject":    {format("{" + needed + `,"x":"$context.authorizer.sub"}`), []string{"$context.authorizer.sub"}},
		"NoRouteKey": {format(`{"a":"$context.requestId","c":"$context.status"}`), []string{"lacks $context.routeKey"}},
		"NoJSON":     {format("$context.requestId $context.status"), []string{"not a JSON object"}},
		"Off":        {func(s translated.Stack) { delete(props(s, stage), "AccessLogSettings") }, []string{"writes no access log"}},
	})
}

package template_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/template"
)

// TestRefusals changes one line of the working template and expects that line in the error.
func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		old, new string
		params   map[string]string
		want     string
	}{
		"ThrottleOfNoRoute":        {old: "        GET /things/{id}: {", new: "        GET /thinks/{id}: {", want: `RouteSettings names the route "GET /thinks/{id}", which does not exist`},
		"ThrottleWithoutBurst":     {old: "ThrottlingRateLimit: 2.5, ThrottlingBurstLimit: !Ref Burst", new: "ThrottlingRateLimit: 2.5", want: "RouteSettings of GET /things/{id} must have a ThrottlingRateLimit and a ThrottlingBurstLimit above 0"},
		"ThrottleOfNothing":        {old: "ThrottlingRateLimit: 2.5", new: "ThrottlingRateLimit: 0", want: "above 0"},
		"UnsupportedAttribute":     {old: "ARN: !GetAtt Things.Arn", new: "ARN: !GetAtt Things.Streams", want: "attribute Streams of Things"},
		"UnknownReference":         {old: "TABLE: !Ref Things", new: "TABLE: !Ref Thinks", want: `"Thinks" is neither a parameter nor a resource`},
		"UnknownReferenceInSub":    {old: "{x: !Ref Level}", new: "{y: !Ref Level}", want: `"x" is neither`},
		"DynamicReference":         {old: "WON: own", new: "WON: '{{resolve:ssm:/x}}'", want: "dynamic reference"},
		"RestAPIEvent":             {old: "        Route:\n          Type: HttpApi", new: "        Route:\n          Type: Api", want: "of type Api"},
		"RestAPI":                  {old: "    Type: AWS::IAM::Role", new: "    Type: AWS::Serverless::Api", want: "Role is an AWS::Serverless::Api"},
		"WebSocketAPI":             {old: "    Type: AWS::IAM::Role", new: "    Type: AWS::ApiGatewayV2::Api", want: "AWS::ApiGatewayV2::Api"},
		"JWTAuthorizer":            {old: "          Open:\n", new: "          Open:\n            JwtConfiguration: {issuer: x}\n", want: "the authorizer Open has JwtConfiguration"},
		"UnknownAuthorizer":        {old: "Auth: {Authorizer: Strict}", new: "Auth: {Authorizer: Strickt}", want: "names the authorizer Strickt, which Api does not declare"},
		"DefaultAuthorizer":        {old: "        Authorizers:", new: "        DefaultAuthorizer: Strict\n        Authorizers:", want: "Auth of Api has DefaultAuthorizer"},
		"IAMPolicies":              {old: "            EnableSimpleResponses: true\n", new: "", want: "the authorizer Strict answers with IAM policies"},
		"AuthorizerPayloadOne":     {old: "AuthorizerPayloadFormatVersion: '2.0'", new: "AuthorizerPayloadFormatVersion: '1.0'", want: `the authorizer Strict has payload version "1.0"`},
		"StageVariableIdentity":    {old: "Context: [routeKey]", new: "StageVariables: [v]", want: "Identity of the authorizer Strict has StageVariables"},
		"QueryIdentity":            {old: "Context: [routeKey]", new: "QueryStrings: [q]", want: "Identity of the authorizer Strict has QueryStrings"},
		"NamedStage":               {old: "      CorsConfiguration:", new: "      StageName: dev\n      CorsConfiguration:", want: "Api has the stage dev; the local API serves $default only"},
		"StageVariables":           {old: "      CorsConfiguration:", new: "      StageVariables: {a: b}\n      CorsConfiguration:", want: "Api has StageVariables"},
		"LocalIndex":               {old: "      GlobalSecondaryIndexes:", new: "      LocalSecondaryIndexes:", want: "Things has LocalSecondaryIndexes"},
		"AuthorizationScopes":      {old: "Auth: {Authorizer: Strict}", new: "Auth: {AuthorizationScopes: [a]}", want: "AuthorizationScopes"},
		"ImplicitAPI":              {old: "{ApiId: !Ref Api, Method: get,", new: "{Method: get,", want: "does not name the template's HTTP API"},
		"PayloadVersionOne":        {old: "Path: '/things/{id}'", new: "PayloadFormatVersion: '1.0', Path: '/things/{id}'", want: "payload version 1.0"},
		"PathWithoutSlash":         {old: "Path: '/things/{id}'", new: "Path: 'things'", want: "does not start with a slash"},
		"SameRouteTwice":           {old: "Properties: {ApiId: !Ref Api}", new: "Properties: {ApiId: !Ref Api, Method: GET, Path: '/things/{other}'}", want: "is the route of ThingFunction already"},
		"AuthorizerByAlias":        {old: "FunctionArn: !GetAtt AuthorizerFunction.Arn\n            Identity", new: "FunctionArn: !Ref AuthorizerFunction.Alias\n            Identity", want: "!GetAtt Function.Arn"},
		"AuthorizerMayNotInvoke":   {old: "EnableFunctionDefaultPermissions: true\n            FunctionArn: !GetAtt AuthorizerFunction.Arn\n            Identity", new: "FunctionArn: !GetAtt AuthorizerFunction.Arn\n            Identity", want: "no permission to invoke"},
		"CacheWithoutIdentity":     {old: "Identity: {Headers: [Authorization], Context: [routeKey], ", new: "Identity: {", want: "no identity source"},
		"ContainerImage":           {old: "CodeUri: dist/get-thing/", new: "PackageType: Image", want: "ThingFunction has PackageType"},
		"OtherRuntime":             {old: "CodeUri: dist/get-thing/", new: "Runtime: nodejs22.x", want: `runtime "nodejs22.x"`},
		"Layers":                   {old: "CodeUri: dist/get-thing/", new: "Layers: [x]", want: "ThingFunction has Layers"},
		"FunctionURL":              {old: "CodeUri: dist/get-thing/", new: "FunctionUrlConfig: {AuthType: NONE}", want: "FunctionUrlConfig"},
		"APIFromADocument":         {old: "      CorsConfiguration:", new: "      DefinitionUri: api.yaml\n      CorsConfiguration:", want: "DefinitionUri"},
		"CredentialsToEveryone":    {old: "AllowOrigins: [https://a.example, !If [Local, http://b.example, !Ref AWS::NoValue]]", new: "AllowOrigins: ['*']\n        AllowCredentials: true", want: "credentials to every origin"},
		"KeyWithoutDefinition":     {old: "        - {AttributeName: N, AttributeType: N}\n", new: "", want: "key N without"},
		"GlobalTables":             {old: "      BillingMode: PAY_PER_REQUEST", new: "      Replicas: []", want: "Things has Replicas"},
		"ConditionOnItself":        {old: "Prod: !Equals [!Ref Stage, prod]", new: "Prod: !Equals [!If [Prod, a, b], a]", want: `"Prod" is not a condition`},
		"ConditionWithoutFunction": {old: "Prod: !Equals [!Ref Stage, prod]", new: "Prod: 'true'", want: "must be Fn::Equals, Fn::Not or Fn::Or"},
		"UnknownCondition":         {old: "PICKED: !If [Prod, ", new: "PICKED: !If [Prot, ", want: `"Prot" is not a condition`},
		"ParameterWithoutValue":    {old: "Level: {Type: String, Default: INFO}", new: "Level: {Type: String}", want: "no default"},
		"ParameterFromSSM":         {old: "Level: {Type: String,", new: "Level: {Type: 'AWS::SSM::Parameter::Value<String>',", want: "which is not supported"},
		"ParameterNotAllowed":      {params: map[string]string{"Stage": "test"}, want: `may not be "test"`},
		"ParameterOutOfBounds":     {params: map[string]string{"Ttl": "3601"}, want: "MaxValue is 3600"},
		"ParameterUnknown":         {params: map[string]string{"Stag": "dev"}, want: "unknown parameter Stag"},
		"SecretWithAPlainValue":    {old: "GenerateSecretString: {SecretStringTemplate", new: "SecretString: {SecretStringTemplate", want: "no GenerateSecretString"},
		"TwoHTTPAPIs":              {old: "  Role:\n    Type: AWS::IAM::Role", new: "  Role:\n    Type: AWS::Serverless::HttpApi", want: "second HTTP API"},
		"ConcurrencyNotANumber":    {old: "ReservedConcurrentExecutions: 2", new: "ReservedConcurrentExecutions: two", want: "whole number"},
		"SameKeyTwice":             {old: "          WON: own\n", new: "          WON: own\n          WON: again\n", want: "the key WON appears twice"},
		"Hooks":                    {old: "Conditions:\n", new: "Hooks: {}\nConditions:\n", want: "the template has Hooks"},
		"Mappings":                 {old: "Conditions:\n", new: "Mappings: {}\nConditions:\n", want: "the template has Mappings"},
		"GlobalAPI":                {old: "Globals:\n", new: "Globals:\n  HttpApi: {}\n", want: "Globals has HttpApi"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := working
			if tt.old != "" {
				if strings.Count(text, tt.old) < 1 {
					t.Fatalf("the template has no %q", tt.old)
				}
				text = strings.Replace(text, tt.old, tt.new, 1)
			}

			_, err := template.Read("template.yaml", []byte(text), template.Options{Parameters: tt.params})
			var problem *template.Problem
			if !errors.As(err, &problem) {
				t.Fatalf("got %v, want a *Problem", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to say %q", err, tt.want)
			}
			if problem.Line < 2 || !strings.HasPrefix(err.Error(), "template.yaml:") {
				t.Errorf("got %q, want the file and a line", err)
			}
		})
	}
}

// TestUnsupportedIntrinsics puts functions that template.yaml does not use where a value is read, in
// their short and their long form, and where a condition is read.
func TestUnsupportedIntrinsics(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"And", "Base64", "Cidr", "Condition", "FindInMap", "GetAZs", "ImportValue", "Join", "Length", "Select", "Split",
		"ToJsonString", "Transform",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for old, text := range map[string][]string{
				"REGION: !Ref AWS::Region":         {"REGION: !" + name + " x", "REGION: {'Fn::" + name + "': x}"},
				"Prod: !Equals [!Ref Stage, prod]": {"Prod: !" + name + " [x]", "Prod: !Not [!" + name + " [x]]"},
			} {
				for _, changed := range text {
					_, err := template.Read("template.yaml", []byte(strings.Replace(working, old, changed, 1)), template.Options{})
					if want := "intrinsic Fn::" + name + " is not supported"; err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("%s: got %v, want %q", changed, err, want)
					}
				}
			}
		})
	}
}

func TestRefusalNamesTheLine(t *testing.T) {
	t.Parallel()
	text := strings.Replace(working, "REGION: !Ref AWS::Region", "REGION: !ImportValue x", 1)
	line := strings.Count(text[:strings.Index(text, "!ImportValue")], "\n") + 1

	_, err := template.Read("template.yaml", []byte(text), template.Options{})
	var problem *template.Problem
	if !errors.As(err, &problem) || problem.Line != line {
		t.Errorf("got %v, want line %d", err, line)
	}
}

func TestBrokenYAML(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"NotYAML": "a: [", "NotAMapping": "- a", "Empty": "", "AliasInItsAnchor": "Conditions: &a {A: [*a]}"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := template.Read("template.yaml", []byte(text), template.Options{}); err == nil {
				t.Error("got no error")
			}
		})
	}
}

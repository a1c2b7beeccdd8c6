package template_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tienda-dev/tienda/local/template"
)

// working is a small template that uses every intrinsic function that is supported.
const working = `Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Level: {Type: String, Default: INFO}
  Burst: {Type: Number, Default: 50}
  Ttl: {Type: Number, Default: 60, MinValue: 0, MaxValue: 3600}
Conditions:
  Prod: !Equals [!Ref Stage, prod]
  Quiet: !Not [!Equals [!Ref Stage, prod]]
  Local: !Or [!Equals [!Ref Stage, local], !Equals [!Ref Stage, dev]]
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Timeout: 5
    AutoPublishAlias: live
    Environment:
      Variables:
        SHARED: global
        WON: global
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration:
        AllowOrigins: [https://a.example, !If [Local, http://b.example, !Ref AWS::NoValue]]
        AllowMethods: [GET]
        MaxAge: 60
      DefaultRouteSettings: {ThrottlingRateLimit: 100, ThrottlingBurstLimit: !Ref Burst}
      RouteSettings:
        GET /things/{id}: {ThrottlingRateLimit: 2.5, ThrottlingBurstLimit: !Ref Burst}
        $default: {DetailedMetricsEnabled: true}
      Auth:
        Authorizers:
          Strict:
            AuthorizerPayloadFormatVersion: '2.0'
            EnableSimpleResponses: true
            EnableFunctionDefaultPermissions: true
            FunctionArn: !GetAtt AuthorizerFunction.Arn
            Identity: {Headers: [Authorization], Context: [routeKey], ReauthorizeEvery: !Ref Ttl}
          Open:
            AuthorizerPayloadFormatVersion: '2.0'
            EnableSimpleResponses: true
            EnableFunctionDefaultPermissions: true
            FunctionArn: !GetAtt AuthorizerFunction.Arn
  AuthorizerFunction:
    Type: AWS::Serverless::Function
    IgnoreGlobals: [AutoPublishAlias]
    Properties: {CodeUri: dist/authorizer}
  ThingFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: dist/get-thing/
      MemorySize: !If [Prod, 1024, 256]
      ReservedConcurrentExecutions: 2
      Environment:
        Variables:
          WON: own
          TABLE: !Ref Things
          ARN: !GetAtt Things.Arn
          KEY: !Ref Key
          LONG: {'Fn::Sub': ['${AWS::StackName}-${x}-${!literal}-${Stage}', {x: !Ref Level}]}
          PICKED: !If [Prod, loud, quiet]
          GONE: !If [Quiet, !Ref 'AWS::NoValue', x]
          REGION: !Ref AWS::Region
      Events:
        Route:
          Type: HttpApi
          Properties: {ApiId: !Ref Api, Method: get, Path: '/things/{id}', Auth: {Authorizer: Strict}}
        Rest:
          Type: HttpApi
          Properties: {ApiId: !Ref Api}
  OnlyProdFunction:
    Type: AWS::Serverless::Function
    Condition: Prod
    Properties: {CodeUri: dist/only-prod}
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: PK, AttributeType: S}
        - {AttributeName: N, AttributeType: N}
      KeySchema: [{AttributeName: PK, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: ByN
          KeySchema: [{AttributeName: N, KeyType: HASH}, {AttributeName: PK, KeyType: RANGE}]
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [name]}
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Key:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: {SecretStringTemplate: '{"kid":"k1"}', GenerateStringKey: key, PasswordLength: 64}
  Role:
    Type: AWS::IAM::Role
    Properties: {Unread: !ImportValue x}
`

func read(t *testing.T, text string, opts template.Options) *template.Template {
	t.Helper()
	got, err := template.Read("template.yaml", []byte(text), opts)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRead(t *testing.T) {
	t.Parallel()
	got := read(t, working, template.Options{Ref: func(kind, id string) string {
		if kind == "AWS::DynamoDB::Table" {
			return "local-" + id
		}
		return ""
	}})

	t.Run("FunctionsWhoseConditionHolds", func(t *testing.T) {
		t.Parallel()
		var names []string
		for _, f := range got.Functions {
			names = append(names, f.Name)
		}
		if diff := cmp.Diff([]string{"authorizer", "get-thing"}, names); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("GlobalsUnderTheFunctionsOwn", func(t *testing.T) {
		t.Parallel()
		f, _ := got.Function("ThingFunction")
		want := map[string]string{
			"SHARED": "global", "WON": "own", "TABLE": "local-Things", "KEY": "Key",
			"ARN":  "arn:aws:dynamodb:us-east-1:123456789012:table/local-Things",
			"LONG": "local-INFO-${literal}-dev", "PICKED": "quiet", "REGION": "us-east-1",
		}
		if diff := cmp.Diff(want, f.Environment); diff != "" {
			t.Error(diff)
		}
		if f.MemoryMB != 256 || f.Timeout != 5*time.Second || *f.ReservedConcurrency != 2 || f.Alias != "live" {
			t.Errorf("got %+v", f)
		}
	})

	t.Run("IgnoredGlobalsAreLeftOut", func(t *testing.T) {
		t.Parallel()
		if f, _ := got.Function("AuthorizerFunction"); f.Alias != "" || f.Timeout != 5*time.Second {
			t.Errorf("got %+v", f)
		}
	})

	t.Run("RoutesAndTheDefaultRoute", func(t *testing.T) {
		t.Parallel()
		f, _ := got.Function("ThingFunction")
		var keys []string
		for _, r := range f.Routes {
			keys = append(keys, r.Key()+" "+r.Authorizer)
		}
		if diff := cmp.Diff([]string{"GET /things/{id} Strict", "$default "}, keys); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("AuthorizersWithSourcesAndLifetime", func(t *testing.T) {
		t.Parallel()
		want := []template.Authorizer{
			{
				Name: "Strict", Function: "AuthorizerFunction", TTL: time.Minute,
				IdentitySources: []string{"$request.header.Authorization", "$context.routeKey"},
			},
			{Name: "Open", Function: "AuthorizerFunction"},
		}
		if diff := cmp.Diff(want, got.API.Authorizers, cmpopts.IgnoreUnexported(template.Authorizer{})); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("Table", func(t *testing.T) {
		t.Parallel()
		want := []template.Table{{
			LogicalID: "Things", Name: "local-Things", HashKey: "PK",
			Attributes: map[string]string{"PK": "S", "N": "N"},
			Indexes: []template.Index{{
				Name: "ByN", HashKey: "N", RangeKey: "PK", Projection: "INCLUDE", Include: []string{"name"},
			}},
			TTLAttribute: "ttl", StreamView: "NEW_IMAGE",
		}}
		if diff := cmp.Diff(want, got.Tables); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("ThrottlesOfTheStageAndOfRoutes", func(t *testing.T) {
		t.Parallel()
		if diff := cmp.Diff(&template.Throttle{Rate: 100, Burst: 50}, got.API.Throttle); diff != "" {
			t.Error(diff)
		}
		want := []template.RouteThrottle{{Key: "GET /things/{id}", Throttle: template.Throttle{Rate: 2.5, Burst: 50}}}
		if diff := cmp.Diff(want, got.API.RouteThrottles, cmpopts.IgnoreUnexported(template.RouteThrottle{})); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("SecretsAndCORS", func(t *testing.T) {
		t.Parallel()
		want := []template.Secret{{LogicalID: "Key", Name: "Key", Template: `{"kid":"k1"}`, Key: "key", Length: 64}}
		if diff := cmp.Diff(want, got.Secrets); diff != "" {
			t.Error(diff)
		}
		cors := &template.CORS{AllowOrigins: []string{"https://a.example", "http://b.example"}, AllowMethods: []string{"GET"}, MaxAge: time.Minute}
		if diff := cmp.Diff(cors, got.API.CORS); diff != "" {
			t.Error(diff)
		}
	})
}

func TestParametersOverrideDefaults(t *testing.T) {
	t.Parallel()
	got := read(t, working, template.Options{Parameters: map[string]string{"Stage": "prod"}})
	if diff := cmp.Diff([]string{"https://a.example"}, got.API.CORS.AllowOrigins); diff != "" {
		t.Errorf("origins without those of dev: %s", diff)
	}
	if f, ok := got.Function("OnlyProdFunction"); !ok {
		t.Errorf("the condition did not follow the parameter: %+v", f)
	}
	if f, _ := got.Function("ThingFunction"); f.MemoryMB != 1024 || f.Environment["GONE"] != "x" {
		t.Errorf("got %+v", f)
	}
}

// TestThisRepository reads the template that is deployed.
func TestThisRepository(t *testing.T) {
	t.Parallel()
	got, err := template.ReadFile("../../template.yaml", template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range got.Functions {
		limit := 15 * time.Minute
		if len(f.Routes) > 0 {
			limit = 29 * time.Second
		}
		if f.Timeout > limit || f.Role == "" {
			t.Errorf("%s: got timeout %v, role %q", f.LogicalID, f.Timeout, f.Role)
		}
		if len(f.Routes) > 0 && f.Alias != "live" {
			t.Errorf("%s: got %d routes and the alias %q", f.LogicalID, len(f.Routes), f.Alias)
		}
		if f.LogicalID != "AuthorizerFunction" && len(f.Routes)+len(f.Sources)+len(f.Schedules) == 0 {
			t.Errorf("%s: nothing invokes it", f.LogicalID)
		}
	}
	if got.API == nil || len(got.API.Authorizers) == 0 || len(got.Tables) == 0 || len(got.Secrets) == 0 {
		t.Errorf("got %+v", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(working)
	f.Add("Resources: {A: {Type: 'AWS::Serverless::Function', Properties: !Ref A}}")
	f.Add("Resources: {A: {Type: 'AWS::DynamoDB::Table', Properties: {KeySchema: !If []}}}")
	f.Add("Conditions: {A: !Equals [!If [A, b, c], d]}\nResources: {B: {Condition: A}}")
	f.Fuzz(func(t *testing.T, text string) {
		// Every input gives a template or an error, never a panic.
		if got, err := template.Read("template.yaml", []byte(text), template.Options{}); (got == nil) == (err == nil) {
			t.Errorf("got %v and %v", got, err)
		}
	})
}

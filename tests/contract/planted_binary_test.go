package contract_test

import (
	"testing"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tests/contract"
)

func TestCORSNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		plant func(tmpl *template.Template)
		want  []string
	}{
		"Nothing":           {plant: func(*template.Template) {}},
		"FunctionHasItsOwn": {plant: func(tmpl *template.Template) { tmpl.Functions[1].Environment["CORS_ALLOW_ORIGINS"] = "*" }, want: []string{"GetThingFunction sets CORS_ALLOW_ORIGINS"}},
		"MethodNotAllowed":  {plant: func(tmpl *template.Template) { tmpl.API.CORS.AllowMethods = []string{"POST"} }, want: []string{"browsers may not send GET"}},
		"NoConfiguration":   {plant: func(tmpl *template.Template) { tmpl.API.CORS = nil }, want: []string{"no CorsConfiguration"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tmpl := plantedTemplate()
			test.plant(tmpl)
			contract.Expect(t, contract.CORS(tmpl, []api.Route{plantedRoute()}), test.want...)
		})
	}
}

func TestArrowsNamesForbiddenImports(t *testing.T) {
	t.Parallel()
	const m = contract.Module + "/"
	tests := map[string]struct {
		from, name, to string
		allowed        bool
	}{
		"MainUsesItsResource":          {from: "functions/a/get-a", name: "main", to: m + "functions/a", allowed: true},
		"MainUsesItsStore":             {from: "functions/a/get-a", name: "main", to: m + "functions/a/addb", allowed: true},
		"MainJoinsAnotherStore":        {from: "functions/a/get-a", name: "main", to: m + "functions/b/bddb", allowed: true},
		"MainOpensTheBackend":          {from: "functions/a/get-a", name: "main", to: m + "internal/backend", allowed: true},
		"MainStartsTheProcess":         {from: "functions/a/get-a", name: "main", to: m + "shared/app", allowed: true},
		"MainUsesAnotherResource":      {from: "functions/a/get-a", name: "main", to: m + "functions/b"},
		"MainUsesTheSDK":               {from: "functions/a/get-a", name: "main", to: "github.com/aws/aws-sdk-go-v2/aws"},
		"ResourceUsesThePolicy":        {from: "functions/a", name: "a", to: m + "internal/policy", allowed: true},
		"ResourceUsesTheLibrary":       {from: "functions/a", name: "a", to: m + "shared/api", allowed: true},
		"ResourceUsesAnotherResource":  {from: "functions/a", name: "a", to: m + "functions/b"},
		"ResourceUsesItsStore":         {from: "functions/a", name: "a", to: m + "functions/a/addb"},
		"ResourceUsesTheSDK":           {from: "functions/a", name: "a", to: "github.com/aws/smithy-go"},
		"ResourceStartsTheProcess":     {from: "functions/a", name: "a", to: m + "shared/app"},
		"WiringReadsTheSetup":          {from: "internal/backend", name: "backend", to: m + "shared/app", allowed: true},
		"WiringUsesAResource":          {from: "internal/backend", name: "backend", to: m + "functions/a"},
		"PolicyStartsTheProcess":       {from: "internal/policy", name: "policy", to: m + "shared/app"},
		"ResourceOpensTheBackend":      {from: "functions/a", name: "a", to: m + "internal/backend"},
		"StoreUsesItsResource":         {from: "functions/a/addb", name: "addb", to: m + "functions/a", allowed: true},
		"StoreUsesTheSDK":              {from: "functions/a/addb", name: "addb", to: "github.com/aws/aws-sdk-go-v2/service/dynamodb", allowed: true},
		"StoreUsesAnotherResource":     {from: "functions/a/addb", name: "addb", to: m + "functions/b"},
		"StoreUsesAnotherStore":        {from: "functions/a/addb", name: "addb", to: m + "functions/b/bddb"},
		"LibraryUsesTheShop":           {from: "shared/api", name: "api", to: m + "functions/a"},
		"LibraryUsesTheGateway":        {from: "shared/page", name: "page", to: m + "local/gateway"},
		"GroundImportsNothing":         {from: "shared/logging", name: "logging", to: m + "shared/identity"},
		"ProblemUsesLogging":           {from: "shared/problem", name: "problem", to: m + "shared/logging", allowed: true},
		"ProblemUsesAPI":               {from: "shared/problem", name: "problem", to: m + "shared/api"},
		"APIUsesProblem":               {from: "shared/api", name: "api", to: m + "shared/problem", allowed: true},
		"APIUsesMiddleware":            {from: "shared/api", name: "api", to: m + "shared/middleware"},
		"MiddlewareUsesAnotherConcern": {from: "shared/middleware", name: "middleware", to: m + "shared/tracing"},
		"LambdahttpUsesAPI":            {from: "shared/lambdahttp", name: "lambdahttp", to: m + "shared/api"},
		"DdbUsesApp":                   {from: "shared/ddb", name: "ddb", to: m + "shared/app"},
		"AppUsesDdb":                   {from: "shared/app", name: "app", to: m + "shared/ddb"},
		"LibraryUsesTheSDK":            {from: "shared/page", name: "page", to: "github.com/aws/aws-sdk-go-v2/aws"},
		"AwsPackageUsesTheSDK":         {from: "shared/secrets/secretsaws", name: "secretsaws", to: "github.com/aws/aws-sdk-go-v2/aws", allowed: true},
		"JwtReadsTokens":               {from: "shared/jwt", name: "jwt", to: "github.com/golang-jwt/jwt/v5", allowed: true},
		"SessionReadsTokens":           {from: "shared/session", name: "session", to: "github.com/golang-jwt/jwt/v5"},
		"LocalReadsTokens":             {from: "local/token", name: "token", to: "github.com/golang-jwt/jwt/v5"},
		"ExporterOutsideTelemetry":     {from: "shared/tracing", name: "tracing", to: "go.opentelemetry.io/otel/sdk/trace"},
		"ExporterInTelemetry":          {from: "shared/telemetry", name: "telemetry", to: "go.opentelemetry.io/otel/sdk/trace", allowed: true},
		"AuthorizerUsesTheShop":        {from: "authorizer", name: "main", to: m + "functions/a"},
		"AuthorizerOpensTheBackend":    {from: "authorizer", name: "main", to: m + "internal/backend", allowed: true},
		"LocalUsesTheLibrary":          {from: "local/gateway", name: "gateway", to: m + "shared/identity", allowed: true},
		"CodeUsesTests":                {from: "local/stack", name: "stack", to: m + "tests/contract"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := contract.Arrows([]contract.Package{{Path: m + test.from, Name: test.name, Imports: []string{"context", test.to}}})
			if test.allowed {
				contract.Expect(t, got)
			} else {
				contract.Expect(t, got, test.from+" imports ")
			}
		})
	}
}

func TestBinaryNamesWhatItMustNotLink(t *testing.T) {
	t.Parallel()
	const sdk = "github.com/aws/aws-sdk-go-v2/"
	linked := []string{"fmt", "text/template", sdk + "service/dynamodb", sdk + "config", sdk + "service/internal/checksum"}
	contract.Expect(t, contract.Binary("get-thing", linked, []string{"dynamodb"}), "links text/template", "links "+sdk+"config")
	contract.Expect(t, contract.Binary("get-thing", []string{sdk + "service/kms"}, []string{"dynamodb"}),
		"links the client of kms: if the function calls it", "does not link the client of dynamodb")
	contract.Expect(t, contract.Binary("get-thing", []string{contract.Module + "/local/gateway"}, nil), "links local/gateway")
	contract.Expect(t, contract.Binary("get-thing", []string{"github.com/swaggest/openapi-go/openapi31", contract.Module + "/internal/openapi"}, nil),
		"links github.com/swaggest/openapi-go/openapi31", "links "+contract.Module+"/internal/openapi")
	prometheus := []string{"github.com/prometheus/client_golang/prometheus"}
	contract.Expect(t, contract.Binary("get-thing", prometheus, nil), "only get-metrics serves Prometheus")
	contract.Expect(t, contract.Binary("get-metrics", prometheus, nil))
}

func TestSizeNamesWhatIsTooBig(t *testing.T) {
	t.Parallel()
	contract.Expect(t, contract.Size("get-thing", 16_500_000))
	contract.Expect(t, contract.Size("get-thing", 16_500_001), "want at most 16500000")
	contract.Expect(t, contract.Size("authorizer", 13_500_001), "want at most 13500000")
}

func TestConfigurationNamesUndocumentedVariables(t *testing.T) {
	t.Parallel()
	tags := contract.EnvTags("type Config struct {\n\tTable string `env:\"TABLE,required\"`\n\tRegion string `json:\"-\" env:\"REGION\"`\n\tother int `json:\"other\"`\n}\n")
	documented := contract.DocumentedVariables("| Variable | Default |\n|---|---|\n| `TABLE` | none |\n| `GONE` | x |\n\nSee `PROSE`.\n")
	contract.Expect(t, contract.Configuration(tags, documented, plantedTemplate()),
		"REGION is read by code: add a row", "GONE is in the table in docs/configuration.md, but nothing")

	tmpl := plantedTemplate()
	tmpl.Functions[1].Environment["STALE"] = "1"
	tmpl.Functions[1].Environment["CONFIG_VERSION"] = "1"
	contract.Expect(t, contract.Configuration([]string{"TABLE"}, []string{"TABLE", "CONFIG_VERSION"}, tmpl),
		"STALE is set in template.yaml: add a row", "STALE is set in template.yaml, but no code reads it")
}

func TestMakeCommandsNamesMissingTargets(t *testing.T) {
	t.Parallel()
	targets := contract.MakeTargets("run: deps ## Run\n\nbuild: ## Build\n\nsecret:\n")
	page := "Call `make run` and `make deploy`; make sure of it.\n\n```console\n$ make build ARCH=arm64 && make secret\nmake -C ../shop run && make -C .. none\nmake run PORT=4000\n```\nmake believe\n"
	contract.Expect(t, contract.MakeCommands("page.md", page, targets), "`make deploy`", "`make secret`", "`make none`")
}

func TestStepsReadsBothForms(t *testing.T) {
	t.Parallel()
	script := contract.Steps("step test\nstep build\n  step() {\n")
	workflow := contract.Steps("      - run: make test\n      - run: make build lint\n      - uses: x\n")
	contract.Expect(t, append(script, workflow...), "test", "build", "lint")
}

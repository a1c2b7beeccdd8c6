package openapi_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// colour is one of a few.
type colour string

// paint is what walls are covered with.
type paint struct {
	// Colour is what people see.
	Colour colour `json:"colour"`
	// Layers are counted from the wall.
	Layers int64 `json:"layers"`
	// Note is optional.
	Note string `json:"note,omitempty"`
}

type changePaint struct {
	Note   api.PatchField[string] `json:"note"`
	Colour *colour                `json:"colour"`
}

var changePaintRoute = api.Route{
	Name: "change-paint", Method: http.MethodPatch, Path: "/v1/paints/{id}", Auth: api.Required, Roles: []string{"painter"}, MaxBody: 512,
	Rate: policy.RateSensitive,
}

var getPaintRoute = api.Route{Name: "get-paint", Method: http.MethodGet, Path: "/v1/paints/{id}", Auth: api.Public, Rate: policy.RateLogin}

var errDry = problem.New(problem.Conflict, "paint_dry", "The paint is dry.")

// resource returns a description without contradictions.
func resource() openapi.Resource {
	return openapi.Resource{
		Name: "paints",
		Schemas: []openapi.Schema{
			{Name: "Paint", Value: paint{}, Members: map[string]openapi.Rules{"layers": openapi.Between(1, 9)}},
			{Name: "Colour", Value: colour(""), Members: map[string]openapi.Rules{"": {Enum: []any{"red", "blue", "clear"}}}},
			{
				Name: "ChangePaint", Value: changePaint{}, Required: []string{},
				Members: map[string]openapi.Rules{"note": {MaxLength: 20, Nullable: true}, "colour": {Enum: []any{"red", "blue"}}},
			},
		},
		Operations: []openapi.Operation{
			{
				Route: getPaintRoute, Summary: "Read a paint", Parameters: []openapi.Parameter{openapi.PathID("id", "The paint.")},
				Responses: []openapi.Response{{Status: http.StatusOK, Description: "The paint.", Body: paint{}, Example: true}},
			},
			{
				Route: changePaintRoute, Summary: "Change a paint", Body: changePaint{}, BodyType: api.ContentTypeMergePatch,
				Parameters: []openapi.Parameter{openapi.PathID("id", "The paint."), openapi.IfMatch(true)},
				Responses:  []openapi.Response{{Status: http.StatusOK, Description: "The paint.", Body: paint{}}},
				Problems:   []*problem.Error{errDry},
			},
		},
	}
}

// folder returns a repository with the sample events, and comments where the types of the document are.
func folder(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range map[string]string{
		"events/change-paint.json":       `{"body":"{\"note\":\"second\"}"}`,
		"events/expected/get-paint.json": `{"status":200,"body":{"colour":"red","layers":3}}`,
	} {
		write(t, filepath.Join(root, path), text)
	}
	for _, source := range []string{"shared/api", "shared/money", "shared/problem", "internal/openapi"} {
		if err := os.CopyFS(filepath.Join(root, source), os.DirFS(filepath.Join("../..", source))); err != nil {
			t.Fatal(err)
		}
	}
	// Types of a test are in a package of their own.
	if err := os.CopyFS(filepath.Join(root, "internal/openapi_test"), os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// built returns the document of a resource as maps.
func built(t *testing.T, r openapi.Resource) map[string]any {
	t.Helper()
	spec, err := openapi.Build(openapi.Source{Root: folder(t), Title: "Paints", Version: "1", Server: "http://localhost", Resources: []openapi.Resource{r}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := openapi.YAML(spec)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

// at returns the value at a path of member names.
func at(t *testing.T, document any, path ...string) any {
	t.Helper()
	for _, name := range path {
		object, ok := document.(map[string]any)
		if !ok || object[name] == nil {
			t.Fatalf("no %q at %q", name, strings.Join(path, " "))
		}
		document = object[name]
	}
	return document
}

func TestDocument(t *testing.T) {
	t.Parallel()
	document := built(t, resource())
	schemas := []string{"components", "schemas"}
	change := []string{"paths", "/v1/paints/{id}", "patch"}
	for name, c := range map[string]struct {
		path []string
		want string
	}{
		"TypesHaveTheirComments":       {append(schemas, "Paint", "description"), "What walls are covered with."},
		"MembersHaveTheirComments":     {append(schemas, "Paint", "properties", "layers", "description"), "Counted from the wall."},
		"RulesAreConstraints":          {append(schemas, "Paint", "properties", "layers", "maximum"), "9"},
		"AnswersRequireTheirMembers":   {append(schemas, "Paint", "required"), "- colour\n- layers"},
		"RequestsRefuseOthers":         {append(schemas, "ChangePaint", "additionalProperties"), "false"},
		"PatchFieldsMayBeNull":         {append(schemas, "ChangePaint", "properties", "note", "type"), "- string\n- \"null\""},
		"PatchFieldsHaveTheirRules":    {append(schemas, "ChangePaint", "properties", "note", "maxLength"), "20"},
		"FewerValuesReplaceTheType":    {append(schemas, "ChangePaint", "properties", "colour"), "enum:\n    - red\n    - blue\ntype: string"},
		"TypesOfValuesAreReferences":   {append(schemas, "Paint", "properties", "colour", "allOf"), "- $ref: '#/components/schemas/Colour'"},
		"OperationsAreCamelCase":       {append(change, "operationId"), "changePaint"},
		"RolesAreListed":               {append(change, "x-roles"), "- painter"},
		"TheTokenIsRequired":           {append(change, "security"), "- bearer: []"},
		"BodyLimitIsTold":              {append(change, "description"), "|-\n    The caller needs one of the roles: `painter`.\n\n    Rate class `sensitive`: 5 requests in 60 s, and 5 at once, of each user.\n\n    The body has at most 512 bytes."},
		"SampleEventIsTheExample":      {append(change, "requestBody", "content", api.ContentTypeMergePatch, "example"), "note: second"},
		"ExpectedAnswerIsTheExample":   {[]string{"paths", "/v1/paints/{id}", "get", "responses", "200", "content", "application/json", "example"}, "colour: red\nlayers: 3"},
		"OwnCodesAreListed":            {append(change, "responses", "409", "content", "application/problem+json", "schema", "allOf"), "- $ref: '#/components/schemas/Problem'\n- properties:\n    code:\n        enum:\n            - paint_dry\n        type: string\n    status:\n        const: 409\n        type: integer"},
		"TheGatewaysAnswerIsListed":    {append(change, "responses", "401", "content", "application/json", "schema", "$ref"), "'#/components/schemas/GatewayMessage'"},
		"MissingIfMatchHasItsStatus":   {append(change, "responses", "428", "description"), "|-\n    Precondition Required:\n\n    - `precondition_required`: Send the entity tag that the change is based on as If-Match."},
		"RateClassIsListed":            {append(change, "x-rate-class"), "sensitive"},
		"ClosedLimitsHaveTheirCode":    {append(change, "responses", "503", "content", "application/problem+json", "schema", "allOf"), "- $ref: '#/components/schemas/Problem'\n- properties:\n    code:\n        enum:\n            - auth_unavailable\n            - rate_limit_unavailable\n            - unavailable\n        type: string\n    status:\n        const: 503\n        type: integer"},
		"RefusalsOfLimitsAreListed":    {append(change, "responses", "429", "content", "application/problem+json", "schema", "allOf"), "- $ref: '#/components/schemas/Problem'\n- properties:\n    code:\n        enum:\n            - rate_limited\n        type: string\n    status:\n        const: 429\n        type: integer"},
		"LimitsHaveHeaders":            {append(change, "responses", "200", "headers", "Ratelimit", "$ref"), "'#/components/headers/Ratelimit'"},
		"PublicReadsAreServedWithHEAD": {[]string{"paths", "/v1/paints/{id}", "head", "operationId"}, "headGetPaint"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := yaml.Marshal(at(t, document, c.path...))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(string(text)); got != c.want {
				t.Errorf("%v:\n%s\nwant\n%s", c.path, got, c.want)
			}
		})
	}
	t.Run("HEADHasNoContent", func(t *testing.T) {
		t.Parallel()
		answer, _ := at(t, document, "paths", "/v1/paints/{id}", "head", "responses", "200").(map[string]any)
		if _, ok := answer["content"]; ok {
			t.Error("the answer to HEAD has content")
		}
		at(t, document, "paths", "/v1/paints/{id}", "get", "responses", "200", "content")
	})
}

func TestHiddenLimitsHaveOnlyTheirPolicy(t *testing.T) {
	t.Parallel()
	headers, _ := at(t, built(t, resource()), "paths", "/v1/paints/{id}", "get", "responses", "200", "headers").(map[string]any)
	if headers["Ratelimit-Policy"] == nil || headers["Ratelimit"] != nil {
		t.Errorf("the headers of an answer of class login are %v", headers)
	}
}

func TestBuildRefusesContradictions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*openapi.Resource)
		want  string
	}{
		"RulesOfNoMember": {
			func(r *openapi.Resource) { r.Schemas[0].Members["gloss"] = openapi.Rules{} },
			`the schema Paint has rules for the member "gloss", which it does not have`,
		},
		"RequiredWithoutMember": {
			func(r *openapi.Resource) { r.Schemas[2].Required = []string{"gloss"} },
			`the schema ChangePaint requires the member "gloss", which it does not have`,
		},
		"TwoTypesWithOneName": {
			func(r *openapi.Resource) { r.Schemas[1].Name = "Paint" },
			"two types have the schema name Paint",
		},
		"TwoNamesForOneType": {
			func(r *openapi.Resource) {
				r.Schemas = append(r.Schemas, openapi.Schema{Name: "Varnish", Value: paint{}})
			},
			"the type openapi_test.paint has two schemas",
		},
		"ParameterThatThePathLacks": {
			func(r *openapi.Resource) {
				r.Operations[0].Parameters = append(r.Operations[0].Parameters, openapi.PathID("wall", "The wall."))
			},
			`get-paint: the path does not have the parameter "wall"`,
		},
		"ParameterOfThePathMissing": {
			func(r *openapi.Resource) { r.Operations[0].Parameters = nil },
			`get-paint: the parameter "id" of the path is not described`,
		},
		"ExampleWithAnotherStatus": {
			func(r *openapi.Resource) { r.Operations[0].Responses[0].Status = http.StatusCreated },
			"has the status 200, not 201",
		},
		"UnknownRateClass": {
			func(r *openapi.Resource) { r.Operations[0].Route.Rate = "often" },
			`get-paint: unknown rate class "often"`,
		},
		"ExampleMissing": {
			func(r *openapi.Resource) { r.Operations[1].Responses[0].Example = true },
			"events/expected/change-paint.json",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := resource()
			c.spoil(&r)
			_, err := openapi.Build(openapi.Source{Root: folder(t), Resources: []openapi.Resource{r}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestIDIsCamelCase(t *testing.T) {
	t.Parallel()
	if got := openapi.ID(changePaintRoute); got != "changePaint" {
		t.Errorf("got %q", got)
	}
}

package table_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/tools/authroutes/table"
)

func route(name, method, path string, auth api.Auth, class identity.Revocation) api.Route {
	return api.Route{Name: name, Method: method, Path: path, Auth: auth, Rate: api.Unlimited, Revocation: class}
}

func TestSource(t *testing.T) {
	t.Parallel()
	got, err := table.Source([]api.Route{
		route("create-thing", http.MethodPost, "/v1/things", api.Required, identity.Strict),
		route("list-things", http.MethodGet, "/v1/things", api.Optional, identity.Default),
		route("get-status", http.MethodGet, "/v1/status", api.Required, identity.Strict),
		route("get-health", http.MethodGet, "/v1/health", api.Public, identity.Default),
		route("get-thing", http.MethodGet, "/v1/things/{id}", api.Required, identity.Default),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(got), "return ")
	want := `map[string]identity.Revocation{
		"GET /v1/status":      identity.Strict,
		"GET /v1/things":      identity.Default,
		"POST /v1/things":     identity.Strict,
		"GET /v1/things/{id}": identity.Default,
	}
}
`
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	routes := []api.Route{
		route("create-thing", http.MethodPost, "/v1/things", api.Required, identity.Strict),
		route("get-thing", http.MethodGet, "/v1/things/{id}", api.Public, identity.Default),
	}
	routes[0].Roles, routes[0].MaxAuthAge, routes[0].MaxBody = []string{"admin", "clerk"}, 15*time.Minute, 5<<10
	routes[0].Rate = "user-write"
	const page = "above\n<!-- The routes: written by make generate from routes.go and template.yaml -->\nold\n<!-- End of the routes -->\nbelow\n"
	got, err := table.Page(page, routes, []byte(deployed))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(page, "old\n", `
| Route | Who may call it | Revocation | Largest body | Rate class | Per second, at once |
|---|---|---|---|---|---|
| `+"`POST /v1/things`"+` | `+"`admin`, `clerk`"+`, logged in within 15 min | strict | 5 KiB | `+"`user-write`"+` | the stage's |
| `+"`GET /v1/things/{id}`"+` | everybody |  |  | `+"`unlimited`"+` | 20, 40 |
| `+"`HEAD /v1/things/{id}`"+` | everybody |  |  | `+"`unlimited`"+` | 7, 8 |

`, 1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	if again, err := table.Page(got, routes, []byte(deployed)); err != nil || again != got {
		t.Errorf("a second run changes it: %v\n%s", err, again)
	}
	for name, refused := range map[string]func() (string, error){
		"NoPlace":      func() (string, error) { return table.Page("above\n", routes, []byte(deployed)) },
		"UnknownRoute": func() (string, error) { return table.Page(page, routes[:1], []byte(deployed)) },
		"NoAPI":        func() (string, error) { return table.Page(page, routes, []byte("Resources: {}")) },
	} {
		if got, err := refused(); err == nil {
			t.Errorf("%s: wrote %s", name, got)
		}
	}
}

// deployed is a template with two functions and three routes.
const deployed = `Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: provided.al2023, Handler: bootstrap}}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      RouteSettings:
        GET /v1/things/{id}: {ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40}
        HEAD /v1/things/{id}: {ThrottlingRateLimit: 7, ThrottlingBurstLimit: 8}
      Auth:
        Authorizers:
          Tokens:
            AuthorizerPayloadFormatVersion: '2.0'
            EnableSimpleResponses: true
            EnableFunctionDefaultPermissions: true
            FunctionArn: !GetAtt AuthorizerFunction.Arn
  AuthorizerFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: dist/authorizer}
  GetThingFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: dist/get-thing
      Events:
        Route: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: '/v1/things/{id}'}}
        Head: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: HEAD, Path: '/v1/things/{id}'}}
  CreateThingFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: dist/create-thing
      Events:
        Route: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: POST, Path: /v1/things, Auth: {Authorizer: Tokens}}}
`

func TestSourceRefuses(t *testing.T) {
	t.Parallel()
	good := route("get-thing", http.MethodGet, "/v1/things/{id}", api.Required, identity.Default)
	for name, routes := range map[string][]api.Route{
		"UnknownClass": {route("get-thing", http.MethodGet, "/v1/things/{id}", api.Required, 9)},
		"OneKeyTwice":  {good, route("read-thing", http.MethodGet, "/v1/things/{id}", api.Required, identity.Strict)},
		"BrokenRoute":  {route("get-thing", "GOT", "/v1/things/{id}", api.Required, identity.Default)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := table.Source(routes); err == nil {
				t.Errorf("wrote %s", got)
			}
		})
	}
}

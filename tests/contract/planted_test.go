package contract_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tests/contract"
	"github.com/tienda-dev/tienda/tools/dist"
)

// plantedRoute and plantedTemplate agree; each test breaks one of them.
func plantedRoute() api.Route {
	return api.Route{Name: "get-thing", Method: http.MethodGet, Path: "/things/{id}", Auth: api.Required, Rate: api.Unlimited, Roles: []string{"staff"}}
}

func plantedTemplate() *template.Template {
	return &template.Template{
		API: &template.API{
			CORS: &template.CORS{
				AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"GET"},
				AllowHeaders: []string{"authorization"}, ExposeHeaders: []string{"etag"}, MaxAge: time.Minute,
			},
			Authorizers: []template.Authorizer{
				{
					Name: "TokenAuthorizer", Function: "AuthorizerFunction",
					IdentitySources: []string{"$request.header.Authorization", "$context.routeKey"},
				},
			},
		},
		Functions: []template.Function{
			{LogicalID: "AuthorizerFunction", Name: "authorizer", CodeURI: "dist/authorizer"},
			{
				LogicalID: "GetThingFunction", Name: "get-thing", CodeURI: "dist/get-thing", Timeout: 15 * time.Second,
				Role: "GetThingRole", Environment: map[string]string{"TABLE": "things"},
				Routes: []template.Route{{Method: "GET", Path: "/things/{id}", Authorizer: "TokenAuthorizer"}},
			},
		},
	}
}

func TestRoutesNamesWhatDisagrees(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		plant func(r *api.Route, fn *template.Function)
		want  []string
	}{
		"Nothing":         {plant: func(*api.Route, *template.Function) {}},
		"OtherMethod":     {plant: func(_ *api.Route, fn *template.Function) { fn.Routes[0].Method = "PUT" }, want: []string{`serves ["PUT /things/{id}"], the code ["GET /things/{id}"]`}},
		"OtherPath":       {plant: func(r *api.Route, _ *template.Function) { r.Path = "/items/{id}" }, want: []string{`the code ["GET /items/{id}"]`}},
		"OpenRoute":       {plant: func(_ *api.Route, fn *template.Function) { fn.Routes[0].Authorizer = "" }, want: []string{`authorizer "", want "TokenAuthorizer"`}},
		"OtherAuthorizer": {plant: func(_ *api.Route, fn *template.Function) { fn.Routes[0].Authorizer = "OtherAuthorizer" }, want: []string{`want "TokenAuthorizer"`}},
		"PublicRoute":     {plant: func(r *api.Route, _ *template.Function) { r.Auth, r.Roles = api.Public, nil }, want: []string{`has authorizer "TokenAuthorizer", want ""`, `the code ["GET /things/{id}" "HEAD /things/{id}"]`}},
		"PublicReadWithHead": {plant: func(r *api.Route, fn *template.Function) {
			r.Auth, r.Roles, fn.Routes[0].Authorizer = api.Public, nil, ""
			fn.Routes = append(fn.Routes, template.Route{Method: "HEAD", Path: "/things/{id}"})
		}},
		"HeadOfAProtectedRead": {plant: func(_ *api.Route, fn *template.Function) {
			fn.Routes = append(fn.Routes, template.Route{Method: "HEAD", Path: "/things/{id}", Authorizer: "TokenAuthorizer"})
		}, want: []string{`the code ["GET /things/{id}"]`}},
		"OptionalRoute": {plant: func(r *api.Route, fn *template.Function) {
			r.Auth, r.Roles, fn.Routes[0].Authorizer = api.Optional, nil, ""
		}, want: []string{"no authorizer that accepts anonymous callers"}},
		"UndeclaredAuth":  {plant: func(r *api.Route, _ *template.Function) { r.Auth, r.Roles = 0, nil }, want: []string{"Auth is not declared", `want ""`}},
		"OtherBinary":     {plant: func(_ *api.Route, fn *template.Function) { fn.CodeURI = "dist/get-things" }, want: []string{`want "dist/get-thing"`}},
		"NoFunction":      {plant: func(_ *api.Route, fn *template.Function) { fn.LogicalID, fn.Routes = "Other", nil }, want: []string{"no function GetThingFunction"}},
		"NoRoute":         {plant: func(_ *api.Route, fn *template.Function) { fn.Routes = nil }, want: []string{`serves [], the code`}},
		"RouteNotInCode":  {plant: func(_ *api.Route, fn *template.Function) { fn.Name = "put-thing" }, want: []string{`no route in code has the name "put-thing"`}},
		"OtherLogicalID":  {plant: func(_ *api.Route, fn *template.Function) { fn.LogicalID = "ThingFunction" }, want: []string{"no function GetThingFunction"}},
		"SecondPathOnFn":  {plant: func(_ *api.Route, fn *template.Function) { fn.Routes = append(fn.Routes, fn.Routes[0]) }, want: []string{`serves ["GET /things/{id}" "GET /things/{id}"]`}},
		"NameNotKebab":    {plant: func(r *api.Route, fn *template.Function) { r.Name, fn.Name = "Get_Thing", "Get_Thing" }, want: []string{"kebab-case", "no function Get_ThingFunction"}},
		"RolesWithoutKey": {plant: func(r *api.Route, _ *template.Function) { r.Auth = api.Public }, want: []string{"Roles need Auth Required", `want ""`, `"HEAD /things/{id}"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			route, tmpl := plantedRoute(), plantedTemplate()
			test.plant(&route, &tmpl.Functions[1])
			contract.Expect(t, contract.Routes([]api.Route{route}, tmpl), test.want...)
		})
	}

	t.Run("TwoOfOneName", func(t *testing.T) {
		t.Parallel()
		contract.Expect(t, contract.Routes([]api.Route{plantedRoute(), plantedRoute()}, plantedTemplate()),
			"two routes have this name", `another route has its key "GET /things/{id}"`)
	})
}

func TestAuthorizersNamesWhatMixesCallers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		plant func(tmpl *template.Template)
		want  []string
	}{
		"Nothing": {plant: func(*template.Template) {}},
		"Alias":   {plant: func(tmpl *template.Template) { tmpl.Functions[0].Alias = "live" }, want: []string{"sam local skips"}},
		"NoRouteKey": {plant: func(tmpl *template.Template) {
			tmpl.API.Authorizers[0].IdentitySources = []string{"$request.header.Authorization"}
		}, want: []string{"TokenAuthorizer has identity sources"}},
		"Caches":           {plant: func(tmpl *template.Template) { tmpl.API.Authorizers[0].TTL = time.Minute }, want: []string{"caches for 1m0s"}},
		"AnotherFunction":  {plant: func(tmpl *template.Template) { tmpl.API.Authorizers[0].Function = "ThingFunction" }, want: []string{"must call AuthorizerFunction"}},
		"Missing":          {plant: func(tmpl *template.Template) { tmpl.API.Authorizers = nil }, want: []string{"no authorizer TokenAuthorizer"}},
		"MissingFunction":  {plant: func(tmpl *template.Template) { tmpl.Functions = tmpl.Functions[1:] }, want: []string{"no function AuthorizerFunction"}},
		"ServesARoute":     {plant: func(tmpl *template.Template) { tmpl.Functions[0].Routes = tmpl.Functions[1].Routes }, want: []string{"serves a route"}},
		"TemplateHasNoAPI": {plant: func(tmpl *template.Template) { tmpl.API = nil }, want: []string{"no HTTP API"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tmpl := plantedTemplate()
			test.plant(tmpl)
			contract.Expect(t, contract.Authorizers(tmpl), test.want...)
		})
	}
}

func TestMainNamesTheWrongRoute(t *testing.T) {
	t.Parallel()
	const working = `package main

func main() { backend.Main(things.GetThingRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	return things.GetThing(thingsddb.New(nil)), nil
}
`
	tests := map[string]struct {
		folder, old, new string
		rate             api.Rate
		want             []string
	}{
		"OtherDoor":     {folder: "functions/things/get-thing", rate: policy.RateMeta, want: []string{"call meta.Main(things.GetThingRoute, build)"}},
		"Nothing":       {folder: "functions/things/get-thing"},
		"OtherRoute":    {folder: "functions/things/get-thing", old: "GetThingRoute", new: "PutThingRoute", want: []string{"call backend.Main(things.GetThingRoute, build)"}},
		"OtherHandler":  {folder: "functions/things/get-thing", old: "things.GetThing(", new: "things.PutThing(", want: []string{"return things.GetThing(…)"}},
		"OtherResource": {folder: "functions/orders/get-thing", want: []string{"call backend.Main(orders.GetThingRoute", "return orders.GetThing(…)"}},
		"Long":          {folder: "functions/things/get-thing", new: strings.Repeat("\n", 60), want: []string{"lines, want at most 33"}},
		"Authorizer":    {folder: "authorizer", new: strings.Repeat("\n", 50)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn := dist.Function{Name: filepath.Base(test.folder), Folder: test.folder}
			contract.Expect(t, contract.Main(fn, test.rate, strings.Replace(working, test.old, test.new, 1)), test.want...)
		})
	}
}

func TestRateNamesWhatDoesNotLimitItsClients(t *testing.T) {
	t.Parallel()
	contract.Expect(t, contract.Rate(api.Route{Name: "get-thing", Auth: api.Public, Rate: policy.RatePublicRead}))
	contract.Expect(t, contract.Rate(api.Route{Name: "get-thing", Auth: api.Required, Rate: policy.RateUserRead}))
	contract.Expect(t, contract.Rate(api.Route{Name: "get-thing", Auth: api.Public, Rate: policy.RateUserRead}), "limits users")
	contract.Expect(t, contract.Rate(api.Route{Name: "get-thing", Rate: "fast"}), "internal/policy does not have")
}

func TestFoldersNamesWhatHasNoCounterpart(t *testing.T) {
	t.Parallel()
	functions := []dist.Function{{Name: "authorizer", Folder: "authorizer"}, {Name: "get-thing", Folder: "functions/things/get-thing"}}
	contract.Expect(t, contract.Folders([]string{"get-thing"}, functions))
	contract.Expect(t, contract.Folders([]string{"put-thing"}, functions),
		`add GetThingRoute with the Name "get-thing" to Routes() in functions/things/routes.go`,
		"functions/<resource>/put-thing/main.go is missing")
}

func TestEventNamesWhatAPIGatewayWouldNotSend(t *testing.T) {
	t.Parallel()
	working := string(readTestdata(t, "working_event.json"))
	tests := map[string]struct {
		old, new string
		form     bool // whether the content-type is that of a form
		want     []string
	}{
		"Nothing":           {},
		"OtherVersion":      {old: `"version": "2.0"`, new: `"version": "1.0"`, want: []string{`version is "1.0"`}},
		"OtherRouteKey":     {old: `"routeKey": "GET /things/{id}"`, new: `"routeKey": "GET /v1/things/{id}"`, want: []string{"routeKey is"}},
		"OtherPath":         {old: `"rawPath": "/things/7"`, new: `"rawPath": "/things/8"`, want: []string{"rawPath"}},
		"UpperCaseHeader":   {old: `"host"`, new: `"Host"`, want: []string{`header "Host": want "host"`}},
		"EmptyBody":         {old: `"isBase64Encoded"`, new: `"body": "", "isBase64Encoded"`, want: []string{"body is empty"}},
		"TextBody":          {old: `"isBase64Encoded"`, new: `"body": "a=b", "isBase64Encoded"`, want: []string{"content-type", "want JSON or a form"}},
		"PlainForm":         {old: `"isBase64Encoded"`, new: `"body": "a=b", "isBase64Encoded"`, form: true, want: []string{"the form is not base64-encoded"}},
		"BrokenForm":        {old: `"isBase64Encoded": false`, new: `"body": "YT0lenoK", "isBase64Encoded": true`, form: true, want: []string{"is not a form"}},
		"BrokenBase64":      {old: `"isBase64Encoded": false`, new: `"body": "*", "isBase64Encoded": true`, form: true, want: []string{"is not base64"}},
		"Form":              {old: `"isBase64Encoded": false`, new: `"body": "YT1i", "isBase64Encoded": true`, form: true},
		"MissingMember":     {old: `"rawQueryString": "",`, want: []string{"rawQueryString is missing"}},
		"UnknownMember":     {old: `"rawQueryString"`, new: `"httpMethod": "GET", "rawQueryString"`, want: []string{"unknown field"}},
		"NamedStage":        {old: `"$default"`, new: `"prod"`, want: []string{`stage is "prod"`}},
		"SecondsAsEpoch":    {old: `1795550430217`, new: `1795550430`, want: []string{"timeEpoch in ms"}},
		"AnonymousCaller":   {old: `"auth": "ok", "sub": "u-1", "roles": "staff"`, new: `"auth": "anonymous"`, want: []string{`auth is "anonymous"`, "want one of"}},
		"OtherRole":         {old: `"roles": "staff"`, new: `"roles": "customer"`, want: []string{`want one of ["staff"]`}},
		"UnknownAnnotation": {old: `"roles": "staff"`, new: `"roles": "staff", "tier": "gold"`, want: []string{"what the authorizer writes"}},
		"NumberAnnotation":  {old: `"sub": "u-1"`, new: `"sub": 1`, want: []string{"not a string", "malformed"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event := strings.Replace(working, test.old, test.new, 1)
			if event == working && test.old != "" {
				t.Fatalf("the event has no %q", test.old)
			}
			if test.form {
				event = strings.Replace(event, `"headers": {`, `"headers": {"content-type": "application/x-www-form-urlencoded", `, 1)
			}
			contract.Expect(t, contract.Event(plantedRoute(), []byte(event)), test.want...)
		})
	}

	t.Run("AuthorizerOnAPublicRoute", func(t *testing.T) {
		t.Parallel()
		public := plantedRoute()
		public.Auth, public.Roles = api.Public, nil
		contract.Expect(t, contract.Event(public, []byte(working)), "the route is public")
	})
}

func TestAuthorizerEventNamesWhatDisagrees(t *testing.T) {
	t.Parallel()
	working := string(readTestdata(t, "working_authorizer_event.json"))
	tests := map[string]struct {
		old, new string
		want     string
	}{
		"Nothing":        {},
		"TokenType":      {old: `"type": "REQUEST"`, new: `"type": "TOKEN"`, want: "2.0 and REQUEST"},
		"UnknownRoute":   {old: `"routeKey": "GET /things/{id}", "rawPath"`, new: `"routeKey": "GET /other", "rawPath"`, want: "want that of a route that needs a caller"},
		"IdentitySource": {old: `["Bearer x.y.z", "GET /things/{id}"]`, new: `["Bearer x.y.z"]`, want: "identitySource is"},
		"OtherStage":     {old: `/$default/GET/things/7`, new: `/prod/GET/things/7`, want: "routeArn is"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event := strings.Replace(working, test.old, test.new, 1)
			if event == working && test.old != "" {
				t.Fatalf("the event has no %q", test.old)
			}
			var want []string
			if test.want != "" {
				want = append(want, test.want)
			}
			contract.Expect(t, contract.AuthorizerEvent([]api.Route{plantedRoute()}, []byte(event)), want...)
		})
	}
}

func TestEventFilesNamesMissingAndForeign(t *testing.T) {
	t.Parallel()
	contract.Expect(t, contract.EventFiles("events", "write it", []string{"a", "b"}, []string{"b.json", "c.json"}),
		"events/a.json is missing: write it", "events/c.json belongs to no function")
}

func readTestdata(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestSAMCommandsNamesTheOneThatNoShellFinds(t *testing.T) {
	t.Parallel()
	const path = "PATH=$PWD/.cache/venv/bin:$PATH\n"
	for page, want := range map[string]string{
		"```sh\n" + path + "```\n```sh\nsam deploy\n```\n":     "",
		"`sam deploy` is SAM's\n":                              "",
		"```sh\nsam deploy # x\n" + path + "```\n":             "shows `sam deploy # x`",
		"```console\n$ make build && sam deploy\n```\n":        "sam deploy",
		path + "```sh\nsam deploy\n```\n":                      "sam deploy",
		"```sh\n.cache/venv/bin/sam deploy\nmake sam-api\n```": "",
	} {
		got := contract.SAMCommands("p.md", page)
		if want == "" {
			contract.Expect(t, got)
		} else {
			contract.Expect(t, got, want)
		}
	}
}

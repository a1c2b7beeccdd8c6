package contract

import (
	"slices"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/api"
)

// The template's names that every route refers to.
const (
	authorizerFunction = "AuthorizerFunction"
	tokenAuthorizer    = "TokenAuthorizer"
)

// Routes compares the routes in code with the template's functions: one function per route, under
// the names that follow from the operation, behind the authorizer that the policy needs. A public read has
// an event for HEAD too.
func Routes(routes []api.Route, t *template.Template) []string {
	var f faults
	names, keys := map[string]bool{}, map[string]bool{}
	for _, route := range routes {
		if err := route.Validate(); err != nil {
			f.add("%v", err)
		}
		if names[route.Name] {
			f.add("%s: two routes have this name", route.Name)
		}
		for _, key := range route.Keys() {
			if keys[key] {
				f.add("%s: another route has its key %q", route.Name, key)
			}
			keys[key] = true
		}
		names[route.Name] = true

		id := Camel(route.Name) + "Function"
		fn, ok := t.Function(id)
		if !ok {
			f.add("%s: template.yaml has no function %s: copy the function and the role of a neighbour, and rename them", route.Name, id)
			continue
		}
		if want := "dist/" + route.Name; fn.CodeURI != want {
			f.add("%s: CodeUri of %s in template.yaml is %q, want %q", route.Name, id, fn.CodeURI, want)
		}
		compareRoute(&f, route, fn)
	}

	for _, fn := range t.Functions {
		if len(fn.Routes) > 0 && !names[fn.Name] {
			f.add("template.yaml: %s: no route in code has the name %q: add it to routes.go, or remove the function", fn.LogicalID, fn.Name)
		}
	}
	return f
}

func compareRoute(f *faults, route api.Route, fn template.Function) {
	want := ""
	switch route.Auth {
	case api.Required:
		want = tokenAuthorizer
	case api.Optional:
		f.add("%s: is optional, and the template has no authorizer that accepts anonymous callers", route.Name)
	case api.Public:
	}
	var keys []string
	for _, got := range fn.Routes {
		keys = append(keys, got.Key())
		if got.Authorizer != want {
			f.add("%s: is %s and has authorizer %q, want %q", route.Name, route.Auth, got.Authorizer, want)
		}
	}
	if !slices.Equal(keys, route.Keys()) {
		f.add("%s: %s in template.yaml serves %q, the code %q: give it an event of type HttpApi for each", route.Name, fn.LogicalID, keys, route.Keys())
	}
}

// Authorizers checks the API's entry of the authorizer. Its identity sources decide which requests the
// gateway refuses itself, and which requests share a cached result.
func Authorizers(t *template.Template) []string {
	var f faults
	fn, ok := t.Function(authorizerFunction)
	switch {
	case !ok:
		f.add("the template has no function %s", authorizerFunction)
	case fn.Alias != "":
		f.add("%s has the alias %q: sam local skips an authorizer behind an alias and serves its routes open", authorizerFunction, fn.Alias)
	case len(fn.Routes) > 0:
		f.add("%s serves a route: remove its event", authorizerFunction)
	}
	if t.API == nil {
		f.add("the template has no HTTP API")
		return f
	}

	a, ok := t.API.Authorizer(tokenAuthorizer)
	if !ok {
		f.add("the API has no authorizer %s", tokenAuthorizer)
		return f
	}
	if a.Function != authorizerFunction {
		f.add("%s must call %s", tokenAuthorizer, authorizerFunction)
	}
	if want := []string{"$request.header.Authorization", "$context.routeKey"}; !slices.Equal(a.IdentitySources, want) {
		f.add("%s has identity sources %q, want %q", tokenAuthorizer, a.IdentitySources, want)
	}
	if a.TTL != 0 {
		f.add("%s caches for %s by default: a cached result outlives a revoked token", tokenAuthorizer, a.TTL)
	}
	return f
}

package translated

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// defaultRoute is the key of the route for requests that match no other.
const defaultRoute = "$default"

// route is an operation of the API's document.
type route struct {
	key       string // "GET /v1/products/{id}"
	operation map[string]any
}

// Routes checks every route of the API's document. want maps route keys to the authorizer that they must
// have; empty is a public route. A route must invoke an alias, and the gateway must have the permission to
// invoke that alias and the authorizer.
func Routes(s Stack, want map[string]string) []string {
	var f faults
	seen := map[string]bool{}
	for _, api := range s.of(typeAPI) {
		body := s.Resources[api].Properties["Body"]
		for _, r := range routes(body) {
			seen[r.key] = true
			declared, ok := want[r.key]
			if !ok {
				f.add("%s: no routes.go declares this route: add it there, or remove it from template.yaml", r.key)
			}
			if got := security(r.operation); got != declared {
				f.add("%s: its Authorizer in template.yaml is %q, want %q", r.key, got, declared)
			}
			alias := invoked(at(r.operation, "x-amazon-apigateway-integration", "uri"))
			if !s.is(alias, typeAlias) {
				f.add("%s: it invokes %q, want the alias that Globals make", r.key, alias)
			} else if !s.permitted(api, alias, sourceOf(r.key)) {
				f.add("%s: the gateway may not invoke %s", r.key, alias)
			}
		}
		f = append(f, s.authorizerFaults(api, body, want)...)
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !seen[key] {
			f.add("%s: template.yaml does not have this route: add the function's event", key)
		}
	}
	return f
}

// authorizerFaults checks the authorizers that routes want.
func (s Stack) authorizerFaults(api string, body any, want map[string]string) []string {
	var f faults
	for _, name := range slices.Compact(slices.Sorted(maps.Values(want))) {
		if name == "" {
			continue
		}
		entry := at(body, "components", "securitySchemes", name, "x-amazon-apigateway-authorizer")
		function := invoked(at(entry, "authorizerUri"))
		switch {
		case entry == nil:
			f.add("%s: the API has no such authorizer", name)
		case !s.is(function, typeFunction):
			f.add("%s: it invokes %q, want a function without an alias (!GetAtt AuthorizerFunction.Arn)", name, function)
		case !s.permitted(api, function, "authorizers/*"):
			f.add("%s: the gateway may not invoke %s: set EnableFunctionDefaultPermissions", name, function)
		}
	}
	return f
}

// routes lists the operations of an OpenAPI document in order.
func routes(body any) []route {
	paths, _ := at(body, "paths").(map[string]any)
	var all []route
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		methods, _ := paths[path].(map[string]any)
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			operation, _ := methods[method].(map[string]any)
			key := strings.ToUpper(method) + " " + path
			switch method {
			case "options":
				continue // the gateway's own preflight answer
			case "x-amazon-apigateway-any-method":
				key = "ANY " + path
				if path == "/"+defaultRoute {
					key = defaultRoute
				}
			}
			all = append(all, route{key: key, operation: operation})
		}
	}
	return all
}

// security names the authorizer of an operation; empty is none.
func security(operation map[string]any) string {
	var all []string
	for _, e := range list(operation["security"]) {
		entry, _ := e.(map[string]any)
		all = append(all, slices.Sorted(maps.Keys(entry))...)
	}
	return strings.Join(all, " or ")
}

// invoked is the logical id of what an integration's uri invokes.
func invoked(uri any) string {
	sub := list(at(uri, "Fn::Sub"))
	if len(sub) == 0 {
		return ""
	}
	_, rest, _ := strings.Cut(fmt.Sprint(sub[0]), ":lambda:path/2015-03-31/functions/${")
	name, _, _ := strings.Cut(rest, "}")
	if len(sub) == 2 {
		if v := at(sub[1], name); v != nil {
			if id := attribute(v, "Arn"); id != "" {
				return id
			}
			return ref(v)
		}
	}
	return strings.TrimSuffix(name, ".Arn")
}

// sourceOf is the end of the source ARN with which the gateway invokes a route's function; path variables
// are wildcards.
func sourceOf(key string) string {
	method, path, found := strings.Cut(key, " ")
	if !found {
		return "*"
	}
	if method == "ANY" {
		method = "*"
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = "*"
		}
	}
	return method + strings.Join(segments, "/")
}

// permitted reports whether a permission lets the API invoke the target, a function or an alias, from
// the source.
func (s Stack) permitted(api, target, source string) bool {
	for _, id := range s.of(typePermission) {
		props := s.Resources[id].Properties
		function := ref(props["FunctionName"])
		if function == "" {
			function = attribute(props["FunctionName"], "Arn")
		}
		if function != target || props["Action"] != "lambda:InvokeFunction" || props["Principal"] != "apigateway.amazonaws.com" {
			continue
		}
		sub := list(at(props, "SourceArn", "Fn::Sub"))
		if len(sub) != 2 || ref(at(sub[1], "__ApiId__")) != api {
			continue
		}
		_, arn, _ := strings.Cut(fmt.Sprint(sub[0]), "${__ApiId__}/")
		if strings.TrimPrefix(arn, "${__Stage__}/") == source {
			return true
		}
	}
	return false
}

// AccessLogs checks that every stage writes a JSON access log with the request, the route and the status,
// and without personal data: an address, a browser, or a path, which contains identifiers.
func AccessLogs(s Stack) []string {
	var f faults
	for _, id := range s.of(typeStage) {
		settings := s.Resources[id].Properties["AccessLogSettings"]
		if !s.is(attribute(at(settings, "DestinationArn"), "Arn"), typeLogGroup) {
			f.add("%s: it writes no access log: set AccessLogSettings", id)
			continue
		}
		format := text(settings, "Format")
		var fields map[string]string
		if err := json.Unmarshal([]byte(format), &fields); err != nil {
			f.add("%s: the Format of its access log is not a JSON object of strings: %v", id, err)
			continue
		}
		values := slices.Sorted(maps.Values(fields))
		for _, needed := range []string{"$context.requestId", "$context.routeKey", "$context.status"} {
			if !slices.Contains(values, needed) {
				f.add("%s: its access log lacks %s", id, needed)
			}
		}
		for _, value := range values {
			if personal(value) {
				f.add("%s: its access log has %s, which is personal data: remove it", id, value)
			}
		}
	}
	return f
}

// personal reports whether a variable of the access log may identify the sender.
func personal(variable string) bool {
	name, _ := strings.CutPrefix(variable, "$context.")
	if strings.HasPrefix(name, "authorizer.") {
		return !slices.Contains([]string{"authorizer.status", "authorizer.latency", "authorizer.error", "authorizer.requestId", "authorizer.integrationStatus"}, name)
	}
	return name == "path" || strings.HasPrefix(name, "identity.") || strings.HasPrefix(name, "customDomain.basePathMatched")
}

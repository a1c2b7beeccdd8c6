package contract

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

// Event checks that data is an event as API Gateway would send it to the route: payload 2.0, the
// route's key and path, lower-case headers, absent fields left out, and an authorizer's answer
// that fits the policy.
func Event(route api.Route, data []byte) []string {
	var f faults
	var event events.APIGatewayV2HTTPRequest
	if err := decodeStrictly(data, &event); err != nil {
		f.add("%v", err)
		return f
	}
	f = append(f, shape(data)...)

	rc := event.RequestContext
	if event.Version != "2.0" {
		f.add("version is %q, want 2.0", event.Version)
	}
	if event.RouteKey != route.Key() || rc.RouteKey != route.Key() {
		f.add("routeKey is %q and %q, want %q", event.RouteKey, rc.RouteKey, route.Key())
	}
	if rc.Stage != "$default" {
		f.add("stage is %q, want $default", rc.Stage)
	}
	if rc.RequestID == "" || rc.TimeEpoch < 1e12 || rc.Time == "" || rc.DomainName == "" {
		f.add("requestId, time, timeEpoch in ms and domainName must be there")
	}
	if rc.HTTP.Path != event.RawPath {
		f.add("requestContext.http.path is %q, rawPath %q", rc.HTTP.Path, event.RawPath)
	}
	for name := range event.Headers {
		if name != strings.ToLower(name) {
			f.add("header %q is not lower case", name)
		}
	}
	if route.Path != api.DefaultPath {
		if rc.HTTP.Method != route.Method {
			f.add("method is %q, want %q", rc.HTTP.Method, route.Method)
		}
		if got := fill(route.Path, event.PathParameters); got != event.RawPath {
			f.add("the path parameters make %q, rawPath is %q", got, event.RawPath)
		}
	}
	body(&f, event)
	authorized(&f, route, event)
	return f
}

func decodeStrictly(data []byte, dst any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(dst); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("more than one JSON value")
	}
	return nil
}

// shape checks what decoding into a struct does not show: members that must be there, and empty
// ones that API Gateway leaves out.
func shape(data []byte) []string {
	var f faults
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		f.add("%v", err)
		return f
	}
	for _, name := range []string{"version", "routeKey", "rawPath", "rawQueryString", "headers", "requestContext", "isBase64Encoded"} {
		if _, ok := members[name]; !ok {
			f.add("%s is missing", name)
		}
	}
	for _, name := range []string{"body", "cookies", "queryStringParameters", "pathParameters", "stageVariables"} {
		if value, ok := members[name]; ok && slices.Contains([]string{`""`, "[]", "{}", "null"}, string(value)) {
			f.add("%s is empty: API Gateway leaves it out", name)
		}
	}
	return f
}

// fill puts parameters into a path template.
func fill(path string, parameters map[string]string) string {
	for name, value := range parameters {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	return path
}

func body(f *faults, event events.APIGatewayV2HTTPRequest) {
	if event.Body == "" {
		return
	}
	contentType, _, _ := strings.Cut(event.Headers["content-type"], ";")
	switch {
	case contentType == "application/x-www-form-urlencoded":
		form(f, event)
	case !strings.HasSuffix(contentType, "json"):
		f.add("a body of content-type %q, want JSON or a form", contentType)
	case event.IsBase64Encoded:
		f.add("a JSON body is not base64-encoded")
	case !json.Valid([]byte(event.Body)):
		f.add("the body is not JSON")
	}
}

// form checks a body that API Gateway does not take for text.
func form(f *faults, event events.APIGatewayV2HTTPRequest) {
	if !event.IsBase64Encoded {
		f.add("a form is base64-encoded")
		return
	}
	decoded, err := base64.StdEncoding.DecodeString(event.Body)
	if err != nil {
		f.add("the body is not base64: %v", err)
		return
	}
	if _, err := url.ParseQuery(string(decoded)); err != nil {
		f.add("the body is not a form: %v", err)
	}
}

func authorized(f *faults, route api.Route, event events.APIGatewayV2HTTPRequest) {
	answer := event.RequestContext.Authorizer
	if route.Auth == api.Public {
		if answer != nil {
			f.add("a public route has no authorizer")
		}
		return
	}
	if answer == nil || answer.Lambda == nil {
		f.add("requestContext.authorizer.lambda is missing on a route that is %s", route.Auth)
		return
	}
	flat := map[string]string{}
	for name, value := range answer.Lambda {
		s, ok := value.(string)
		if !ok {
			f.add("authorizer.lambda.%s is not a string", name)
		}
		flat[name] = s
	}
	a, err := identity.ParseAnnotation(flat)
	if err != nil {
		f.add("%v", err)
		return
	}
	if !maps.Equal(a.Map(), flat) {
		f.add("authorizer.lambda is %v, the authorizer writes %v", flat, a.Map())
	}
	if route.Auth == api.Required && a.Outcome != identity.OK {
		f.add("outcome is %q on a route that needs a caller", a.Outcome)
	}
	if len(route.Roles) > 0 && !a.Identity.HasAnyRole(route.Roles...) {
		f.add("roles are %q, want one of %q", a.Identity.Roles, route.Roles)
	}
}

// AuthorizerEvent checks that data is an authorizer's event (payload 2.0) for one of the routes.
func AuthorizerEvent(routes []api.Route, data []byte) []string {
	var f faults
	var event events.APIGatewayV2CustomAuthorizerV2Request
	if err := decodeStrictly(data, &event); err != nil {
		f.add("%v", err)
		return f
	}
	if event.Version != "2.0" || event.Type != "REQUEST" {
		f.add("version is %q and type %q, want 2.0 and REQUEST", event.Version, event.Type)
	}
	i := slices.IndexFunc(routes, func(r api.Route) bool { return r.Key() == event.RouteKey })
	if i < 0 || routes[i].Auth != api.Required {
		f.add("routeKey %q is no route that needs a caller", event.RouteKey)
		return f
	}
	token := event.Headers["authorization"]
	if want := []string{token, event.RouteKey}; !slices.Equal(event.IdentitySource, want) {
		f.add("identitySource is %q, want the token and the route key %q", event.IdentitySource, want)
	}
	if !strings.HasPrefix(token, "Bearer ") {
		f.add("the authorization header carries no bearer token")
	}
	if !strings.HasPrefix(event.RouteArn, "arn:aws:execute-api:") ||
		!strings.HasSuffix(event.RouteArn, "/$default/"+routes[i].Method+event.RawPath) {
		f.add("routeArn is %q, want arn:aws:execute-api:…/$default/METHOD/path", event.RouteArn)
	}
	return f
}

// EventFiles checks that there is one event per function and no other, by file name.
func EventFiles(functions []string, files []string) []string {
	var f faults
	for _, name := range functions {
		if !slices.Contains(files, name+".json") {
			f.add("events/%s.json is missing", name)
		}
	}
	for _, file := range files {
		if !slices.Contains(functions, strings.TrimSuffix(file, ".json")) {
			f.add("events/%s belongs to no function", file)
		}
	}
	return f
}

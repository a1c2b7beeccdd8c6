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

// Event checks that data is an event as API Gateway sends it to the route: payload 2.0, the route's key
// and path, headers in lower case, no empty fields, and an authorizer's answer that fits the policy.
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
		f.add("requestContext lacks requestId, time, timeEpoch in ms or domainName")
	}
	if rc.HTTP.Path != event.RawPath {
		f.add("requestContext.http.path is %q, want rawPath %q", rc.HTTP.Path, event.RawPath)
	}
	for name := range event.Headers {
		if name != strings.ToLower(name) {
			f.add("header %q: want %q", name, strings.ToLower(name))
		}
	}
	if route.Path != api.DefaultPath {
		if rc.HTTP.Method != route.Method {
			f.add("method is %q, want %q", rc.HTTP.Method, route.Method)
		}
		if got := fill(route.Path, event.PathParameters); got != event.RawPath {
			f.add("%s with the pathParameters is %q, want rawPath %q", route.Path, got, event.RawPath)
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

// shape checks what decoding into a struct does not show: members that API Gateway always sends, and those
// that it leaves out if they are empty.
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
			f.add("%s is empty: remove it, as API Gateway does", name)
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
		f.add("the body has the content-type %q, want JSON or a form", contentType)
	case event.IsBase64Encoded:
		f.add("the JSON body is base64-encoded: API Gateway sends JSON as text")
	case !json.Valid([]byte(event.Body)):
		f.add("the body is not JSON")
	}
}

// form checks a body that API Gateway encodes, because it does not treat a form as text.
func form(f *faults, event events.APIGatewayV2HTTPRequest) {
	if !event.IsBase64Encoded {
		f.add("the form is not base64-encoded: API Gateway encodes it")
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
			f.add("the route is public: remove requestContext.authorizer")
		}
		return
	}
	if answer == nil || answer.Lambda == nil {
		f.add("requestContext.authorizer.lambda is missing, but the route is %s", route.Auth)
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
		f.add("authorizer.lambda is %v, want what the authorizer writes: %v", flat, a.Map())
	}
	if route.Auth == api.Required && a.Outcome != identity.OK {
		f.add("authorizer.lambda.auth is %q, want %q: the route needs a caller", a.Outcome, identity.OK)
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
		f.add("routeKey is %q, want that of a route that needs a caller", event.RouteKey)
		return f
	}
	token := event.Headers["authorization"]
	if want := []string{token, event.RouteKey}; !slices.Equal(event.IdentitySource, want) {
		f.add("identitySource is %q, want the authorization header and the route key: %q", event.IdentitySource, want)
	}
	if !strings.HasPrefix(token, "Bearer ") {
		f.add("the authorization header does not start with Bearer")
	}
	if !strings.HasPrefix(event.RouteArn, "arn:aws:execute-api:") ||
		!strings.HasSuffix(event.RouteArn, "/$default/"+routes[i].Method+event.RawPath) {
		f.add("routeArn is %q, want arn:aws:execute-api:…/$default/METHOD/path", event.RouteArn)
	}
	return f
}

// EventFiles checks that a folder has one file per function and no other. For a missing one it repeats the
// advice.
func EventFiles(folder, advice string, functions, files []string) []string {
	var f faults
	for _, name := range functions {
		if !slices.Contains(files, name+".json") {
			f.add("%s/%s.json is missing: %s", folder, name, advice)
		}
	}
	for _, file := range files {
		if !slices.Contains(functions, strings.TrimSuffix(file, ".json")) {
			f.add("%s/%s belongs to no function: remove it, or give it the function's name", folder, file)
		}
	}
	return f
}

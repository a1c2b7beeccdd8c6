package gateway_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
)

func TestRouteSelection(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes(
		"$default", "ANY /{proxy+}", "GET /pets/{proxy+}", "GET /pets/dog/{id}", "GET /pets/dog/1",
		"GET /v1/products/{id}", "GET /v1/products/search", "GET /v1/products", "POST /v1/products",
		"ANY /v1/products/{id}/inventory", "GET /v1/products/{id}/inventory", "GET /",
	)}, nil)
	none := map[string]any(nil)
	tests := map[string]struct {
		method, target, wantKey string
		wantParameters          map[string]any
	}{
		// The first four are the example of AWS's developer guide.
		"FullMatch":             {"GET", "/pets/dog/1", "GET /pets/dog/1", none},
		"PathVariable":          {"GET", "/pets/dog/2", "GET /pets/dog/{id}", map[string]any{"id": "2"}},
		"GreedyVariable":        {"GET", "/pets/cat/1", "GET /pets/{proxy+}", map[string]any{"proxy": "cat/1"}},
		"AnyMethod":             {"POST", "/test/5", "ANY /{proxy+}", map[string]any{"proxy": "test/5"}},
		"LiteralBeforeVariable": {"GET", "/v1/products/search", "GET /v1/products/search", none},
		"Variable":              {"GET", "/v1/products/01J", "GET /v1/products/{id}", map[string]any{"id": "01J"}},
		"MethodBeforeAny":       {"GET", "/v1/products/1/inventory", "GET /v1/products/{id}/inventory", map[string]any{"id": "1"}},
		"AnyTakesTheRest":       {"PUT", "/v1/products/1/inventory", "ANY /v1/products/{id}/inventory", map[string]any{"id": "1"}},
		"MethodOfALiteral":      {"POST", "/v1/products", "POST /v1/products", none},
		"OtherMethodFallsBack":  {"DELETE", "/v1/products", "ANY /{proxy+}", map[string]any{"proxy": "v1/products"}},
		"HeadIsNotGet":          {"HEAD", "/v1/products", "ANY /{proxy+}", map[string]any{"proxy": "v1/products"}},
		"TrailingSlashCounts":   {"GET", "/v1/products/", "ANY /{proxy+}", map[string]any{"proxy": "v1/products/"}},
		"CaseCounts":            {"GET", "/V1/products", "ANY /{proxy+}", map[string]any{"proxy": "V1/products"}},
		"Root":                  {"GET", "/", "GET /", none},
		"RootOfAnotherMethod":   {"POST", "/", "$default", none},
		"EmptySegment":          {"GET", "/v1/products//inventory", "ANY /{proxy+}", map[string]any{"proxy": "v1/products//inventory"}},
		"DoubleSlash":           {"GET", "//v1", "ANY /{proxy+}", map[string]any{"proxy": "/v1"}},
		"EncodedSlashSeparates": {"GET", "/v1/products%2F7", "GET /v1/products/{id}", map[string]any{"id": "7"}},
		"EncodedTwiceIsInside":  {"GET", "/v1/products/a%252Fb", "GET /v1/products/{id}", map[string]any{"id": "a/b"}},
		"PlusIsAPlus":           {"GET", "/v1/products/a+b%2Bc", "GET /v1/products/{id}", map[string]any{"id": "a+b+c"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a.do(t, test.method, test.target, "").check(t, http.StatusOK)
			event := a.last(t).Event
			context := event["requestContext"].(map[string]any)
			if event["routeKey"] != test.wantKey || context["routeKey"] != test.wantKey {
				t.Errorf("route %v, %v, want %s", event["routeKey"], context["routeKey"], test.wantKey)
			}
			got, _ := event["pathParameters"].(map[string]any)
			if diff := cmp.Diff(test.wantParameters, got); diff != "" {
				t.Errorf("path parameters (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRouteSelectionDoesNotDependOnTheirOrder(t *testing.T) {
	t.Parallel()
	keys := []string{
		"GET /v1/products/{id}", "GET /v1/products", "GET /v1/categories", "POST /v1/products", "$default",
		"GET /v1/products/{id}/inventory", "PATCH /v1/products/{id}", "DELETE /v1/products/{id}", "GET /health",
		"POST /v1/products/{id}/inventory/adjustments", "GET /health/live", "GET /v1/products/search", "ANY /{proxy+}",
	}
	order := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		order.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		a := serve(t, gateway.Config{Routes: routes(keys...)}, nil)
		a.do(t, "GET", "/v1/products/search", "").check(t, http.StatusOK)
		if got := a.last(t).Event["routeKey"]; got != "GET /v1/products/search" {
			t.Fatalf("of %q, %v was selected", keys, got)
		}
	}
}

// check checks only the status.
func (r reply) check(t *testing.T, status int) {
	t.Helper()
	if r.Status != status {
		t.Errorf("got %d %s, want %d", r.Status, r.Body, status)
	}
}

// The table is of requests to a deployed HTTP API, see decodePath.
func TestRawPathIsDecodedAsAWSDoes(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("$default")}, nil)
	tests := map[string]string{
		"/capture/plain":                               "/capture/plain",
		"/capture/space%20value":                       "/capture/space value",
		"/capture/question%3Fvalue":                    "/capture/question",
		"/capture/hash%23value":                        "/capture/hash#value",
		"/capture/slash%2Fvalue":                       "/capture/slash/value",
		"/capture/unicode-%CE%BB-%E4%B8%96%E7%95%8C":   "/capture/unicode-λ-世界",
		"/capture/literal%252Fvalue":                   "/capture/literal/value",
		"/capture/literal%253Fvalue":                   "/capture/literal?value",
		"/capture/literal%2525value":                   "/capture/literal%value",
		"/capture/question%3Fvalue?marker=path&a=%3Fb": "/capture/question",
	}
	for target, want := range tests {
		t.Run(target, func(t *testing.T) {
			a.do(t, "GET", target, "").check(t, http.StatusOK)
			event := a.last(t).Event
			http := event["requestContext"].(map[string]any)["http"].(map[string]any)
			if event["rawPath"] != want || http["path"] != want {
				t.Errorf("rawPath %q, path %q, want %q", event["rawPath"], http["path"], want)
			}
			if _, rawQuery, _ := strings.Cut(target, "?"); event["rawQueryString"] != rawQuery {
				t.Errorf("rawQueryString %q, want %q", event["rawQueryString"], rawQuery)
			}
		})
	}
	a.do(t, "GET", "/capture/percent%25done", "").want(t, http.StatusBadRequest, `{"message":"Bad Request"}`)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	route := func(change func(*gateway.Route)) gateway.Config {
		r := gateway.Route{RouteKey: "GET /x", Function: "f"}
		change(&r)
		return gateway.Config{Routes: []gateway.Route{r}}
	}
	key := func(key string) gateway.Config { return gateway.Config{Routes: routes(key)} }
	authorizer := func(a gateway.Authorizer) gateway.Config {
		return gateway.Config{Routes: routes("$default"), Authorizers: map[string]gateway.Authorizer{"A": a}}
	}
	tests := map[string]struct {
		cfg  gateway.Config
		want string
	}{
		"NoRoutes":                {gateway.Config{}, "no routes"},
		"NoMethod":                {key("/x"), `route "/x": want`},
		"LowerCaseMethod":         {key("get /x"), "want"},
		"NoSlash":                 {key("GET x"), "want"},
		"VariableWithoutName":     {key("GET /{}"), "needs a name"},
		"VariableTwice":           {key("GET /{a}/{a}"), "needs a name of its own"},
		"HalfAVariable":           {key("GET /a{b}"), "malformed path variable"},
		"GreedyInTheMiddle":       {key("GET /{a+}/b"), "must be the last segment"},
		"SameRouteTwice":          {gateway.Config{Routes: routes("GET /x", "GET /x")}, "takes the same requests"},
		"SameButForTheName":       {gateway.Config{Routes: routes("GET /{a}", "GET /{b}")}, "takes the same requests"},
		"NoFunction":              {route(func(r *gateway.Route) { r.Function = "" }), "no function"},
		"UnknownAuthorizer":       {route(func(r *gateway.Route) { r.Authorizer = "J" }), `no authorizer "J"`},
		"AuthorizerFunction":      {authorizer(gateway.Authorizer{}), "authorizer A: no function"},
		"AuthorizerTTL":           {authorizer(gateway.Authorizer{Function: "a", TTL: 2 * time.Hour}), "TTL"},
		"TTLWithoutIdentity":      {authorizer(gateway.Authorizer{Function: "a", TTL: time.Second}), "needs an identity source"},
		"QueryIdentity":           {authorizer(gateway.Authorizer{Function: "a", IdentitySources: []string{"$request.querystring.x"}}), "not supported"},
		"StageVariable":           {authorizer(gateway.Authorizer{Function: "a", IdentitySources: []string{"$stageVariables.x"}}), "not supported"},
		"IdentitySource":          {authorizer(gateway.Authorizer{Function: "a", IdentitySources: []string{"$request.body.x"}}), "not supported"},
		"ContextVariable":         {authorizer(gateway.Authorizer{Function: "a", IdentitySources: []string{"$context.status"}}), "not supported"},
		"IdentityWithoutName":     {authorizer(gateway.Authorizer{Function: "a", IdentitySources: []string{"$request.header."}}), "not supported"},
		"CredentialsForEverybody": {gateway.Config{Routes: routes("$default"), CORS: &gateway.CORS{AllowOrigins: []string{"*"}, AllowCredentials: true}}, "credentials"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.cfg.Invoker = &fake{}
			if _, err := gateway.New(test.cfg); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
		})
	}
	if _, err := gateway.New(gateway.Config{Routes: routes("$default")}); err == nil {
		t.Error("a gateway without an invoker")
	}
	var _ gateway.Invoker = (*runtime.Runtime)(nil)
}

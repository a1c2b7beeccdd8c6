package gateway_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/gateway"
)

// cors returns the CORS headers of an answer.
func (r reply) cors() map[string]string {
	found := map[string]string{}
	for name := range r.Header {
		if short, ok := strings.CutPrefix(name, "Access-Control-"); ok {
			found[short] = strings.Join(r.Header.Values(name), "|")
		}
	}
	return found
}

func TestCORS(t *testing.T) {
	t.Parallel()
	backend := says(`{"statusCode":200,"body":"ok","headers":{
		"access-control-allow-origin":"https://backend","access-control-expose-headers":"x-backend","x-own":"1"}}`)
	list := routes("GET /x", "ANY /any", "GET /closed")
	list[2].Authorizer = "A"
	a := serve(t, gateway.Config{
		Routes:      list,
		Authorizers: map[string]gateway.Authorizer{"A": {Function: "a", IdentitySources: []string{"$request.header.authorization"}}},
		CORS: &gateway.CORS{
			AllowOrigins: []string{"https://shop.example", "http://*"}, AllowMethods: []string{"GET", "POST"},
			AllowHeaders: []string{"authorization", "content-type"}, ExposeHeaders: []string{"etag", "location"},
			AllowCredentials: true, MaxAge: 10 * time.Minute,
		},
	}, map[string]answering{"f": backend})
	preflight := map[string]string{
		"Allow-Origin": "https://shop.example", "Allow-Credentials": "true", "Allow-Methods": "GET,POST",
		"Allow-Headers": "authorization,content-type", "Max-Age": "600",
	}
	answer := map[string]string{
		"Allow-Origin": "https://shop.example", "Allow-Credentials": "true", "Expose-Headers": "etag,location",
	}
	withOrigin := func(values map[string]string, origin string) map[string]string {
		changed := map[string]string{}
		maps.Copy(changed, values)
		changed["Allow-Origin"] = origin
		return changed
	}
	const shop, method = "Origin: https://shop.example", "Access-Control-Request-Method: GET"
	tests := map[string]struct {
		method, path string
		headers      []string
		wantStatus   int
		wantCORS     map[string]string
	}{
		"Preflight":                  {"OPTIONS", "/x", []string{shop, method}, 204, preflight},
		"PreflightOfNoRoute":         {"OPTIONS", "/nowhere", []string{shop, method}, 204, preflight},
		"PreflightOfAClosedRoute":    {"OPTIONS", "/closed", []string{shop, method}, 204, preflight},
		"PreflightDoesNotInvokeAny":  {"OPTIONS", "/any", []string{shop, method}, 204, preflight},
		"PreflightOfAnOriginPattern": {"OPTIONS", "/x", []string{"Origin: http://localhost:5173", method}, 204, withOrigin(preflight, "http://localhost:5173")},
		"PreflightOfAnotherOrigin":   {"OPTIONS", "/x", []string{"Origin: https://evil.example", method}, 204, map[string]string{}},
		"PreflightOfAPrefix":         {"OPTIONS", "/x", []string{"Origin: https://shop.example.evil", method}, 204, map[string]string{}},
		"OptionsWithoutOrigin":       {"OPTIONS", "/x", []string{method}, 204, map[string]string{}},
		"Answer":                     {"GET", "/x", []string{shop}, 200, answer},
		"AnswerToAnotherOrigin":      {"GET", "/x", []string{"Origin: https://evil.example"}, 200, map[string]string{}},
		"AnswerWithoutOrigin":        {"GET", "/x", nil, 200, map[string]string{}},
		"Refusal":                    {"GET", "/closed", []string{shop}, 401, answer},
		"NotFound":                   {"GET", "/nowhere", []string{shop}, 404, answer},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := a.do(t, test.method, test.path, "", test.headers...)
			got.check(t, test.wantStatus)
			if diff := cmp.Diff(test.wantCORS, got.cors()); diff != "" {
				t.Errorf("CORS headers (-want +got):\n%s", diff)
			}
			if test.wantStatus == 200 && got.Header.Get("X-Own") != "1" {
				t.Errorf("other headers are gone: %v", got.Header)
			}
		})
	}
	if n := a.count("f"); n != 3 {
		t.Errorf("the function was invoked %d times", n)
	}
}

func TestCORSOfAnyOrigin(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("GET /x"), CORS: &gateway.CORS{AllowOrigins: []string{"*"}}}, nil)
	got := a.do(t, "GET", "/x", "", "Origin: https://anyone.example")
	if diff := cmp.Diff(map[string]string{"Allow-Origin": "*"}, got.cors()); diff != "" {
		t.Errorf("CORS headers (-want +got):\n%s", diff)
	}
}

func TestWithoutCORSTheFunctionRules(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("ANY /x")}, map[string]answering{
		"f": says(`{"statusCode":202,"headers":{"access-control-allow-origin":"https://own"}}`),
	})
	got := a.do(t, "OPTIONS", "/x", "", "Origin: https://o", "Access-Control-Request-Method: GET")
	got.check(t, http.StatusAccepted)
	if diff := cmp.Diff(map[string]string{"Allow-Origin": "https://own"}, got.cors()); diff != "" {
		t.Errorf("CORS headers (-want +got):\n%s", diff)
	}
	a.do(t, "OPTIONS", "/nowhere", "", "Origin: https://o", "Access-Control-Request-Method: GET").check(t, 404)
}

func TestPreflightThatFallsToAProtectedDefaultIsRefused(t *testing.T) {
	t.Parallel()
	list := routes("$default")
	list[0].Authorizer = "A"
	a := serve(t, gateway.Config{
		Routes:      list,
		Authorizers: map[string]gateway.Authorizer{"A": {Function: "a", IdentitySources: []string{"$request.header.authorization"}}},
		CORS:        &gateway.CORS{AllowOrigins: []string{"*"}},
	}, nil)
	a.do(t, "OPTIONS", "/x", "", "Origin: https://o", "Access-Control-Request-Method: GET").check(t, 401)
}

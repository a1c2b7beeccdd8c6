package contract

import (
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/api"
)

// Origins checks that the template allows exactly the page of the shop, and in development also one page on this
// machine: anything on a customer's own machine could call the API in the customer's browser otherwise.
func Origins(t *template.Template, stage string) []string {
	var f faults
	want := []string{t.Parameters["ShopOrigin"]}
	if stage == "dev" || stage == "local" {
		want = append(want, "http://localhost:5173")
	}
	if t.API == nil || t.API.CORS == nil || !slices.Equal(t.API.CORS.AllowOrigins, want) {
		f.add("template.yaml: AllowOrigins of CorsConfiguration in %s must be %q", stage, want)
	}
	return f
}

// CORS checks that the gateway alone answers for CORS, because it overrides what a function says, and
// that it lets browsers send the method of every route.
func CORS(t *template.Template, routes []api.Route) []string {
	var f faults
	for _, fn := range t.Functions {
		for name := range fn.Environment {
			if strings.HasPrefix(name, "CORS_") {
				f.add("template.yaml: %s sets %s: remove it, the API's CorsConfiguration decides", fn.LogicalID, name)
			}
		}
	}
	if t.API == nil || t.API.CORS == nil {
		f.add("template.yaml: Api has no CorsConfiguration: browsers could not call it")
		return f
	}
	for _, route := range routes {
		if route.Path != api.DefaultPath && !slices.Contains(t.API.CORS.AllowMethods, route.Method) {
			f.add("%s: browsers may not send %s: add it to AllowMethods of CorsConfiguration in template.yaml", route.Name, route.Method)
		}
	}
	return f
}

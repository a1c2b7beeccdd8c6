package contract

import (
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/api"
)

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

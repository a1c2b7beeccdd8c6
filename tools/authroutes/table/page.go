package table

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

// The files of the table for people.
const (
	PageFile     = "docs/security.md"
	TemplateFile = "template.yaml"
)

// The lines around the table in PageFile.
const (
	begin = "<!-- The routes: written by make generate from routes.go and template.yaml -->\n"
	end   = "<!-- End of the routes -->\n"
)

// Page returns the page with the table of the routes that the template deploys: who may call them by the
// policies in code, the class of its rate limits, and the throttle of each by the template.
func Page(page string, routes []api.Route, text []byte) (string, error) {
	before, rest, found := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("%s has no lines %q and %q", PageFile, begin, end)
	}
	model, err := template.Read(TemplateFile, text, template.Options{})
	if err != nil {
		return "", err
	}
	if model.API == nil {
		return "", fmt.Errorf("%s has no HTTP API", TemplateFile)
	}
	throttles, err := routeSettings(text, model.API.LogicalID)
	if err != nil {
		return "", fmt.Errorf("read RouteSettings of %s: %w", TemplateFile, err)
	}

	policies := map[string]api.Route{}
	for _, r := range routes {
		policies[r.Name] = r
	}
	type row struct{ path, method, text string }
	var rows []row
	for _, fn := range model.Functions {
		for _, deployed := range fn.Routes {
			route, ok := policies[fn.Name]
			if !ok {
				return "", fmt.Errorf("no route in code has the name %q", fn.Name)
			}
			throttle := "the stage's"
			if own, ok := throttles[deployed.Key()]; ok {
				throttle = fmt.Sprintf("%d, %d", own["ThrottlingRateLimit"], own["ThrottlingBurstLimit"])
			}
			rows = append(rows, row{deployed.Path, deployed.Method, fmt.Sprintf("| %#q | %s | %s | %s | %#q | %s |\n",
				deployed.Key(), callers(route), revocation(route), body(route, deployed.Method), route.Rate, throttle)})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method)) })

	var b strings.Builder
	b.WriteString(before + begin + "\n| Route | Who may call it | Revocation | Largest body | Rate class | Per second, at once |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		b.WriteString(r.text)
	}
	b.WriteString("\n" + end + after)
	return b.String(), nil
}

// routeSettings returns the throttles of an API's routes in the template, by route key.
func routeSettings(text []byte, api string) (map[string]map[string]int, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	for _, key := range []string{"Resources", api, "Properties", "RouteSettings"} {
		var members map[string]yaml.Node
		if err := node.Decode(&members); err != nil {
			return nil, err
		}
		node = members[key]
	}
	if node.IsZero() {
		return nil, nil
	}
	var settings map[string]map[string]int
	err := node.Decode(&settings)
	return settings, err
}

// callers says who may call a route.
func callers(r api.Route) string {
	if r.Auth == api.Public {
		return "everybody"
	}
	who := "a user"
	if len(r.Roles) > 0 {
		who = "`" + strings.Join(r.Roles, "`, `") + "`"
	}
	if len(r.Scopes) > 0 {
		who += " with the scopes `" + strings.Join(r.Scopes, "`, `") + "`"
	}
	if r.MaxAuthAge > 0 {
		who += fmt.Sprintf(", logged in within %d min", r.MaxAuthAge/time.Minute)
	}
	return who
}

// revocation is the route's class; empty for a route without tokens.
func revocation(r api.Route) string {
	switch {
	case r.Auth == api.Public:
		return ""
	case r.Revocation == identity.Strict:
		return "strict"
	default:
		return "default"
	}
}

// body is the largest body of a request with a method that has one.
func body(r api.Route, method string) string {
	if !slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, method) {
		return ""
	}
	if limit := r.BodyLimit(); limit%1024 != 0 {
		return fmt.Sprintf("%d bytes", limit)
	}
	return fmt.Sprintf("%d KiB", r.BodyLimit()/1024)
}

package contract

import (
	"path"
	"strings"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tools/dist"
)

// The most lines of a main.go. What does not fit belongs to the resource, its store or the backend. The
// authorizer reads its own configuration, because no other function has it.
const (
	maxMainLines       = 33
	maxWorkerMainLines = 35 // it opens a dead-letter queue too
	maxAuthorizerLines = 65
)

// Main checks that a function's main.go is short and serves the route that its folder names, through its
// own resource and the door of its rate class. The linters refuse variables and an init function.
func Main(fn dist.Function, rate api.Rate, source string) []string {
	var f faults
	file, limit := fn.Folder+"/main.go", maxMainLines
	if fn.Folder == "authorizer" {
		limit = maxAuthorizerLines
	}
	if lines := strings.Count(source, "\n"); lines > limit {
		f.add("%s has %d lines, want at most %d: move what is not unique into the resource or internal/backend", file, lines, limit)
	}
	if fn.Folder == "authorizer" {
		return f
	}
	operation := path.Base(path.Dir(fn.Folder)) + "." + Camel(fn.Name)
	door := "backend"
	if rate == policy.RateMeta { // it must not link a database because of its limits
		door = "meta"
	}
	if call := door + ".Main(" + operation + "Route, "; !strings.Contains(source, call) {
		f.add("%s does not serve the route of its folder: call %sbuild)", file, call)
	}
	if !strings.Contains(source, " "+operation+"(") {
		f.add("%s does not build the handler of its folder: return %s(…)", file, operation)
	}
	return f
}

// WorkerMain checks that the main.go of a worker is short, starts without a route's chain and builds the function
// of its folder from its own resource.
func WorkerMain(fn dist.Function, source string) []string {
	var f faults
	file := fn.Folder + "/main.go"
	if lines := strings.Count(source, "\n"); lines > maxWorkerMainLines {
		f.add("%s has %d lines, want at most %d: move what is not unique into the resource or internal/", file, lines, maxWorkerMainLines)
	}
	if !strings.Contains(source, "process.Func(build)") {
		f.add("%s does not start a worker: call process.Func(build)", file)
	}
	if operation := path.Base(path.Dir(fn.Folder)) + "." + Camel(fn.Name); !strings.Contains(source, " "+operation+"(") {
		f.add("%s does not build the function of its folder: return %s(…)", file, operation)
	}
	return f
}

// Rate checks that a route has a class of rate limits that knows its clients.
func Rate(route api.Route) []string {
	var f faults
	class, ok := policy.ClassOf(route.Rate)
	if !ok {
		f.add("the route %s has the rate class %q, which internal/policy does not have", route.Name, route.Rate)
	}
	if route.Auth == api.Public && class.User != nil {
		f.add("the route %s is public, and its rate class %q limits users: take one that limits addresses", route.Name, route.Rate)
	}
	return f
}

// Folders checks that every route has a folder with a main.go and every such folder a route.
func Folders(routes []string, functions []dist.Function) []string {
	var f faults
	known := map[string]bool{"authorizer": true}
	for _, name := range routes {
		known[name] = true
	}
	built := map[string]bool{}
	for _, fn := range functions {
		built[fn.Name] = true
		if !known[fn.Name] {
			f.add("%s serves no route: add %sRoute with the Name %q to Routes() in %s/routes.go", fn.Folder, Camel(fn.Name), fn.Name, path.Dir(fn.Folder))
		}
	}
	for _, name := range routes {
		if !built[name] {
			f.add("functions/<resource>/%s/main.go is missing: copy that of a neighbour", name)
		}
	}
	return f
}

package contract

import (
	"path"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tools/dist"
)

// maxBlockLines is how many lines of the template a function and its role may have.
const maxBlockLines = 35

// Blocks checks that each function's block in the template is short, that its role follows it, and that
// it logs to the group of its resource's folder.
func Blocks(functions []dist.Function, t *template.Template, resources map[string]Resource) []string {
	var f faults
	for _, folder := range functions {
		id := Camel(folder.Name) + "Function"
		fn, ok := t.Function(id)
		if !ok {
			f.add("the template has no function %s", id)
			continue
		}
		if n := lastLine(resources[fn.Role].Properties) - fn.Line + 1; n < 1 || n > maxBlockLines {
			f.add("%s: from its line %d to the end of %s are %d lines, want 1 to %d", id, fn.Line, fn.Role, n, maxBlockLines)
		}
		resource := path.Base(path.Dir(folder.Folder))
		if path.Dir(folder.Folder) == "." { // the authorizer is not below a resource
			resource = folder.Name
		}
		if want := Camel(resource) + "LogGroup"; fn.LogGroup != want {
			f.add("%s: its log group is %q, want %s, that of its folder", id, fn.LogGroup, want)
		}
	}
	return f
}

// lastLine is the line on which a node ends; 0 for nil. What an alias repeats is somewhere else.
func lastLine(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	last := n.Line
	for _, child := range n.Content {
		last = max(last, lastLine(child))
	}
	return last
}

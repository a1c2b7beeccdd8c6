package contract

import (
	"path"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tools/dist"
)

// maxBlockLines is how many lines of the template a function and its role may have.
const maxBlockLines = 38

// Blocks checks that each function's block in the template is short, that its role follows it, and that
// it logs to the group of its resource's folder. Routes reports a function without a block.
func Blocks(functions []dist.Function, t *template.Template, resources map[string]Resource) []string {
	var f faults
	for _, folder := range functions {
		id := Camel(folder.Name) + "Function"
		fn, ok := t.Function(id)
		if !ok {
			continue
		}
		switch n := lastLine(resources[fn.Role].Properties) - fn.Line + 1; {
		case n < 1:
			f.add("template.yaml:%d: the role of %s does not follow it: define %sRole below it", fn.Line, id, Camel(folder.Name))
		case n > maxBlockLines:
			f.add("template.yaml:%d: %s and its role have %d lines, want at most %d: move what other functions share into Globals or FunctionBasics",
				fn.Line, id, n, maxBlockLines)
		}
		resource := path.Base(path.Dir(folder.Folder))
		if path.Dir(folder.Folder) == "." { // the authorizer is not below a resource
			resource = folder.Name
		}
		if want := Camel(resource) + "LogGroup"; fn.LogGroup != want {
			f.add("template.yaml:%d: %s logs to %q: set LoggingConfig: {LogGroup: !Ref %s}, the group of its resource", fn.Line, id, fn.LogGroup, want)
		}
	}
	return f
}

// lastLine is the line on which a node ends; 0 for nil. It does not follow a YAML alias: its text is elsewhere.
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

package contract

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"

	"github.com/tienda-dev/tienda/tools/dist"
)

// The most lines of a main.go. What does not fit belongs to the resource, its store or the backend. The
// authorizer reads its own configuration, because no other function has it.
const (
	maxMainLines       = 30
	maxAuthorizerLines = 65
)

// Main is what a function's main.go says.
type Main struct {
	// Lines is the length of the file.
	Lines int
	// Package and Route name the variable that is handed to backend.Main: "catalog", "GetProductRoute".
	Package, Route string
	// Calls are the exported functions that the file calls, "catalog.GetProduct".
	Calls []string
	// Package-level declarations and imports that a main must not have.
	Faults []string
}

// ParseMain reads a main.go.
func ParseMain(source string) (Main, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "main.go", source, parser.SkipObjectResolution)
	if err != nil {
		return Main{}, err
	}
	m := Main{Lines: strings.Count(source, "\n")}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.Name == "init" {
				m.Faults = append(m.Faults, "it has an init function")
			}
		case *ast.GenDecl:
			if d.Tok == token.VAR {
				m.Faults = append(m.Faults, "it has a package-level variable")
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		pkg, name := selector(call.Fun)
		if pkg == "" {
			return true
		}
		m.Calls = append(m.Calls, pkg+"."+name)
		if pkg == "backend" && name == "Main" && len(call.Args) > 0 {
			m.Package, m.Route = selector(call.Args[0])
		}
		return true
	})
	return m, nil
}

func selector(e ast.Expr) (pkg, name string) {
	if index, ok := e.(*ast.IndexListExpr); ok {
		e = index.X
	}
	if index, ok := e.(*ast.IndexExpr); ok {
		e = index.X
	}
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	return x.Name, sel.Sel.Name
}

// Mains checks that each function's main.go serves the route that its folder names, through its
// own resource, and nothing more. The mains are by function name.
func Mains(functions []dist.Function, mains map[string]Main) []string {
	var f faults
	for _, fn := range functions {
		m, ok := mains[fn.Name]
		if !ok {
			f.add("%s: no main.go was read", fn.Folder)
			continue
		}
		for _, fault := range m.Faults {
			f.add("%s/main.go: %s", fn.Folder, fault)
		}
		isAuthorizer, limit := fn.Folder == "authorizer", maxMainLines
		if isAuthorizer {
			limit = maxAuthorizerLines
		}
		if m.Lines > limit {
			f.add("%s/main.go has %d lines, want at most %d", fn.Folder, m.Lines, limit)
		}

		calls := strings.Join(m.Calls, " ")
		if isAuthorizer {
			if !strings.Contains(calls, "backend.Func") {
				f.add("authorizer/main.go does not call backend.Func")
			}
			continue
		}
		resource, name := path.Base(path.Dir(fn.Folder)), Camel(fn.Name)
		if m.Package != resource || m.Route != name+"Route" {
			f.add("%s/main.go serves %s.%s, want %s.%sRoute", fn.Folder, m.Package, m.Route, resource, name)
		}
		if want := resource + "." + name; !strings.Contains(" "+calls+" ", " "+want+" ") {
			f.add("%s/main.go does not build %s", fn.Folder, want)
		}
	}
	return f
}

// RouteNames reads a routes.go and returns the Name of each api.Route variable by the variable's
// name.
func RouteNames(source string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "routes.go", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 {
			return true
		}
		lit, ok := spec.Values[0].(*ast.CompositeLit)
		if !ok {
			return true
		}
		if pkg, name := selector(lit.Type); pkg != "api" || name != "Route" {
			return true
		}
		for _, element := range lit.Elts {
			kv, ok := element.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			key, isIdent := kv.Key.(*ast.Ident)
			value, isLit := kv.Value.(*ast.BasicLit)
			if isIdent && isLit && key.Name == "Name" {
				if name, err := strconv.Unquote(value.Value); err == nil {
					names[spec.Names[0].Name] = name
				}
			}
		}
		return true
	})
	return names, nil
}

// RouteVariables checks that each route variable is named after its operation.
func RouteVariables(names map[string]string) []string {
	var f faults
	for variable, name := range names {
		if want := Camel(name) + "Route"; variable != want {
			f.add("the route %q stands in the variable %s, want %s", name, variable, want)
		}
	}
	return f
}

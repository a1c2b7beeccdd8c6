package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tools/authroutes/table"
)

// changed returns the new content of the files that the operation changes, by path.
func changed(root string, o operation) (map[string][]byte, error) {
	files := map[string][]byte{}
	edit := func(path string, change func([]byte, operation) ([]byte, error)) error {
		before, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		after, err := change(before, o)
		if err == nil && strings.HasSuffix(path, ".go") {
			after, err = format.Source(after)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if !bytes.Equal(before, after) {
			files[path] = after
		}
		return nil
	}

	err := errors.Join(
		edit("functions/"+o.Resource+"/routes.go", addRoute),
		edit("functions/"+o.Resource+"/openapi.go", addOperation),
		edit("template.yaml", func(source []byte, o operation) ([]byte, error) {
			return addBlock(source, o, resourceRoutes(root, o.Resource))
		}),
		edit("tests/suite/suite.go", addToSuite),
	)
	if !o.Public() {
		err = errors.Join(err, edit("tests/sam/differences.yaml", addDifference))
	}
	// Tests of a resource that know all of its routes.
	tests, globErr := filepath.Glob(filepath.Join(root, "functions", o.Resource, "*_test.go"))
	err = errors.Join(err, globErr)
	for _, test := range tests {
		path := "functions/" + o.Resource + "/" + filepath.Base(test)
		err = errors.Join(err, edit(path, addToTests))
	}
	return files, err
}

// insert puts text into source at a position.
func insert(source []byte, at int, text string) []byte {
	return bytes.Join([][]byte{source[:at], []byte(text), source[at:]}, nil)
}

// element puts text at the end of a list in source, before its closing bracket.
func element(source []byte, closing int, text string) []byte {
	before := bytes.TrimRight(source[:closing], " \t\n")
	if bytes.HasSuffix(before, []byte(",")) { // one element per line
		return insert(source, len(before), "\n"+text+",")
	}
	return insert(source, len(before), ", "+text)
}

// addRoute declares the route and lists it in Routes.
func addRoute(source []byte, o operation) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, 0)
	if err != nil {
		return nil, err
	}
	block, list := -1, -1
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			spec, ok := d.Specs[0].(*ast.ValueSpec)
			if ok && d.Tok == token.VAR && d.Rparen.IsValid() && strings.HasSuffix(spec.Names[0].Name, "Route") {
				block = files.Position(d.Rparen).Offset
			}
		case *ast.FuncDecl:
			if d.Name.Name != "Routes" {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if l, ok := n.(*ast.CompositeLit); ok && list < 0 {
					list = files.Position(l.Rbrace).Offset
				}
				return true
			})
		}
	}
	if block < 0 || list < block {
		return nil, errors.New("want a block of variables …Route, and then a function Routes that returns a list of them")
	}
	source = element(source, list, o.Title()+"Route")
	auth := "api.Required"
	if o.Public() {
		auth = "api.Public"
	}
	return insert(source, block, fmt.Sprintf("\t%sRoute = api.Route{\n\t\tName: %q, Method: http.%s, Path: %q, Auth: %s, Rate: policy.%s,\n\t}\n",
		o.Title(), o.Name, o.GoMethod(), o.Path, auth, o.GoRate())), nil
}

// addOperation describes the operation for the API's document.
func addOperation(source []byte, o operation) ([]byte, error) {
	list, err := lastBracket(source, func(n ast.Node) *ast.CompositeLit {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || typeName(literal) != "[]openapi.Operation" {
			return nil
		}
		return literal
	})
	if err != nil {
		return nil, err
	}
	if list == 0 {
		return nil, errors.New("want a list of type []openapi.Operation")
	}
	text, err := render("openapi.go.tmpl", o)
	if err != nil {
		return nil, err
	}
	source = element(source, list, strings.TrimRight(string(text), "\n"))
	const problems = "\t\"github.com/tienda-dev/tienda/shared/problem\"\n"
	if imports := bytes.Index(source, []byte("\n)\n")); o.HasID() && !bytes.Contains(source, []byte(problems)) {
		source = insert(source, imports+1, problems)
	}
	return source, nil
}

// addToTests adds the handler to the map of all handlers, and an empty body to the map of the largest bodies. A file
// without them is not changed.
func addToTests(source []byte, o operation) ([]byte, error) {
	handlers, err := lastBracket(source, func(n ast.Node) *ast.CompositeLit {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || typeName(literal) != "map[string]api.Handler" || len(literal.Elts) < 2 {
			return nil
		}
		return literal
	})
	if err == nil && handlers > 0 {
		source = element(source, handlers, fmt.Sprintf("%q: %s.%s()", o.Name, o.Resource, o.Title()))
	}
	if err != nil || !o.HasBody() {
		return source, err
	}
	bodies, err := lastBracket(source, func(n ast.Node) *ast.CompositeLit {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || len(assign.Rhs) != 1 {
			return nil
		}
		name, isName := assign.Lhs[0].(*ast.Ident)
		literal, isLiteral := assign.Rhs[0].(*ast.CompositeLit)
		if !isName || !isLiteral || name.Name != "bodies" || typeName(literal) != "map[string]string" {
			return nil
		}
		return literal
	})
	if err == nil && bodies > 0 {
		source = element(source, bodies, fmt.Sprintf("%q: \"\"", o.Name))
	}
	return source, err
}

// lastBracket returns the place of the closing bracket of the first literal that find returns, and 0 without one.
func lastBracket(source []byte, find func(ast.Node) *ast.CompositeLit) (int, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, 0)
	if err != nil {
		return 0, err
	}
	at := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if literal := find(n); literal != nil && at == 0 {
			at = files.Position(literal.Rbrace).Offset
		}
		return true
	})
	return at, nil
}

// typeName returns the type of a literal as it is written; empty if it has none.
func typeName(l *ast.CompositeLit) string {
	if l.Type == nil {
		return ""
	}
	return types.ExprString(l.Type)
}

// addToSuite lists the test of the route before Sweep, which reads what the others have left.
func addToSuite(source []byte, o operation) ([]byte, error) {
	at := bytes.Index(source, []byte("\t\t{\"Sweep\", "))
	if at < 0 {
		return nil, errors.New("want the part Sweep")
	}
	return insert(source, at, fmt.Sprintf("\t\t{%q, (*Caller).test%s},\n", o.Title(), o.Title())), nil
}

// addDifference lists what SAM answers without a token, after the other routes.
func addDifference(source []byte, o operation) ([]byte, error) {
	section := bytes.Index(source, []byte("\n  # Without a token."))
	if section < 0 {
		return nil, errors.New(`want the section "Without a token."`)
	}
	length := bytes.Index(source[section+1:], []byte("\n\n"))
	if length < 0 {
		return nil, errors.New(`the section "Without a token." has no end`)
	}
	entry, err := render("difference.yaml.tmpl", o)
	return insert(source, section+1+length+1, string(entry)), err
}

// nextBlock is a line that begins something else in the template's resources.
var nextBlock = regexp.MustCompile(`(?m)^  [A-Za-z#]`)

// addBlock adds function and role after those of the last function of the resource.
func addBlock(source []byte, o operation, routes []api.Route) ([]byte, error) {
	if !bytes.Contains(source, []byte("\n  "+o.ResourceTitle()+"LogGroup:\n")) {
		return nil, fmt.Errorf("there is no %sLogGroup", o.ResourceTitle())
	}
	source, err := addThrottle(source, o)
	if err != nil {
		return nil, err
	}
	after := -1
	for _, route := range routes {
		role := []byte("\n  " + title(route.Name) + "Role:\n")
		at := bytes.Index(source, role)
		if at < 0 {
			return nil, fmt.Errorf("there is no %sRole", title(route.Name))
		}
		end := at + len(role)
		if next := nextBlock.FindIndex(source[end:]); next != nil {
			end += next[0]
		}
		after = max(after, end)
	}
	if after < 0 {
		return nil, fmt.Errorf("%s has no function yet: write the first one by hand", o.Resource)
	}
	block, err := render("block.yaml.tmpl", o)
	return insert(source, after, string(block)+"\n"), err
}

// addThrottle gives a route that everybody may call a limit of its own. Those of the catalogue share the stage's.
func addThrottle(source []byte, o operation) ([]byte, error) {
	if !o.Public() || o.Resource == "catalog" {
		return source, nil
	}
	last := []byte("        $default: *QuietRoute\n")
	at := bytes.Index(source, last)
	if at < 0 {
		return nil, errors.New("want the limit of $default in RouteSettings")
	}
	limits := fmt.Sprintf("        %s: *QuietRoute\n", o.key())
	if o.Head() {
		limits += fmt.Sprintf("        HEAD %s: *QuietRoute\n", o.Path)
	}
	return insert(source, at, limits), nil
}

// resourceRoutes returns the routes of a resource that have a function in its folder.
func resourceRoutes(root, resource string) []api.Route {
	var routes []api.Route
	for _, route := range table.Routes() {
		if _, err := os.Stat(filepath.Join(root, "functions", resource, route.Name, "main.go")); err == nil {
			routes = append(routes, route)
		}
	}
	return routes
}

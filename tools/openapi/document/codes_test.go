//go:build openapi

package document_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/tools/openapi/document"
)

// elsewhere are the codes that no operation of the document answers.
func elsewhere() map[string]string {
	return map[string]string{
		"route_not_found":    "the default route answers it; the document's description says so",
		"method_not_allowed": "middleware.Mux answers it, which serves no route of the shop",
		"insufficient_scope": "no route of the shop needs a scope",
	}
}

// TestEveryCodeIsDocumented compares the codes that the source gives to problem.New with those of the document.
func TestEveryCodeIsDocumented(t *testing.T) {
	t.Parallel()
	documented, source := documentedCodes(t), map[string]string{}
	for _, folder := range []string{"shared", "functions", "internal", "authorizer"} {
		collectCodes(t, filepath.Join(root, folder), source)
	}
	if len(source) < 30 {
		t.Fatalf("only %d codes found: %v", len(source), source)
	}
	for code, where := range source {
		if _, ok := elsewhere()[code]; !documented[code] && !ok {
			t.Errorf("%s: no operation documents the code %q: add its error to Problems in the resource's openapi.go", where, code)
		}
	}
	for code := range documented {
		if _, ok := source[code]; !ok {
			t.Errorf("the document has the code %q, which the source no longer answers", code)
		}
	}
}

func documentedCodes(t *testing.T) map[string]bool {
	t.Helper()
	spec, err := document.Build(root)
	if err != nil {
		t.Fatal(err)
	}
	text, err := spec.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var all any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if code, ok := v["code"].(map[string]any); ok {
				values, _ := code["enum"].([]any)
				for _, value := range values {
					codes[value.(string)] = true
				}
			}
			for _, member := range v {
				walk(member)
			}
		case []any:
			for _, entry := range v {
				walk(entry)
			}
		}
	}
	walk(all)
	return codes
}

// collectCodes adds the codes of the packages below a folder, with the place of one use each.
func collectCodes(t *testing.T, folder string, codes map[string]string) {
	t.Helper()
	packages := map[string][]*ast.File{}
	files := token.NewFileSet()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") ||
			filepath.Base(path) == "openapi.go" || strings.Contains(filepath.ToSlash(path), "internal/openapi/") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err == nil {
			packages[filepath.Dir(path)] = append(packages[filepath.Dir(path)], file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, parsed := range packages {
		makers := map[string]int{"problem.New": 1}
		if parsed[0].Name.Name == "problem" {
			makers = map[string]int{"New": 1}
		}
		for found := true; found; { // a function that passes its parameter on makes errors too
			found = false
			for _, file := range parsed {
				for _, declared := range file.Decls {
					found = collectFrom(t, files, declared, makers, codes) || found
				}
			}
		}
	}
}

// collectFrom adds the codes that one declaration gives to makers. It returns whether it has found a new maker: a
// function of which a parameter is the code.
func collectFrom(t *testing.T, files *token.FileSet, declared ast.Decl, makers map[string]int, codes map[string]string) (found bool) {
	t.Helper()
	function, _ := declared.(*ast.FuncDecl)
	ast.Inspect(declared, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		index, ok := makers[called(call)]
		if !ok || index >= len(call.Args) {
			return true
		}
		where := files.Position(call.Pos()).String()
		switch argument := call.Args[index].(type) {
		case *ast.BasicLit:
			code, err := strconv.Unquote(argument.Value)
			if err != nil {
				t.Errorf("%s: %v", where, err)
			}
			codes[code] = where
		case *ast.SelectorExpr:
			if argument.Sel.Name != "OAuthInsufficientLogin" {
				t.Errorf("%s: the code is a constant that this test does not know", where)
			}
			codes[problem.OAuthInsufficientLogin] = where
		case *ast.Ident:
			place := parameter(function, argument.Name)
			if place < 0 {
				t.Errorf("%s: the code is neither a literal nor a parameter", where)
				return true
			}
			if _, known := makers[function.Name.Name]; !known {
				makers[function.Name.Name], found = place, true
			}
		default:
			t.Errorf("%s: the code is neither a literal nor a parameter", where)
		}
		return true
	})
	return found
}

func called(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		if pkg, ok := fun.X.(*ast.Ident); ok {
			return pkg.Name + "." + fun.Sel.Name
		}
	}
	return ""
}

// parameter returns the position of a function's parameter, or -1.
func parameter(function *ast.FuncDecl, name string) int {
	if function == nil {
		return -1
	}
	place := 0
	for _, field := range function.Type.Params.List {
		for _, declared := range field.Names {
			if declared.Name == name {
				return place
			}
			place++
		}
	}
	return -1
}

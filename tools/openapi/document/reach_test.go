//go:build openapi

package document_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tienda-dev/tienda"

// listed is what `go list` prints about a package.
type listed struct {
	ImportPath, Dir, Name, Export string
	GoFiles, Deps                 []string
}

// calls is the call graph of the functions' binaries. It has an edge for each mention of a function or a variable,
// and for each call through an interface an edge to every type of the binary that has the method. So it has more
// edges than calls can happen, and none is missing but those of reflection.
type calls struct {
	files *token.FileSet
	// packages are the module's, by import path; mains are the commands of the functions, by their route's name.
	packages map[string]*types.Package
	mains    map[string]listed
	infos    map[string]*types.Info
	syntax   map[string][]*ast.File
	// mentions are the functions, interface methods and package-level variables that a declaration names.
	mentions map[types.Object][]types.Object
	// codes are the codes that a declaration gives to a maker, with their places.
	codes map[types.Object]map[string]token.Pos
	// makers are the functions of which a parameter is the code of the error that they return, with its position.
	makers map[types.Object]int
}

// load type-checks the code that answers requests.
func load(t *testing.T) *calls {
	t.Helper()
	c := &calls{
		files: token.NewFileSet(), packages: map[string]*types.Package{}, mains: map[string]listed{},
		infos: map[string]*types.Info{}, syntax: map[string][]*ast.File{}, mentions: map[types.Object][]types.Object{},
		codes: map[types.Object]map[string]token.Pos{}, makers: map[types.Object]int{},
	}
	exports := map[string]string{}
	compiled := importer.ForCompiler(c.files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, p := range list(t, "./authorizer/...", "./functions/...", "./internal/...", "./shared/...") { // dependencies come first
		if !strings.HasPrefix(p.ImportPath, module+"/") {
			exports[p.ImportPath] = p.Export
			continue
		}
		if p.Name == "main" && strings.HasPrefix(p.ImportPath, module+"/functions/") {
			c.mains[path.Base(p.ImportPath)] = p
		}
		c.check(t, p, compiled)
	}
	// A function that passes its parameter on as the code is a maker too.
	c.makers[c.packages[module+"/shared/problem"].Scope().Lookup("New")] = 1
	for known := 0; known < len(c.makers); {
		known = len(c.makers)
		for path := range c.packages {
			c.read(t, path)
		}
	}
	return c
}

func list(t *testing.T, patterns ...string) []listed {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-json=ImportPath,Dir,Name,Export,GoFiles,Deps")
	command.Args = append(command.Args, patterns...)
	command.Dir = root
	var failed bytes.Buffer
	command.Stderr = &failed
	text, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, failed.String())
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// imports is a types.Importer: the module's packages from their source, the others from what the compiler exported.
type imports struct {
	own    map[string]*types.Package
	others types.Importer
}

func (i imports) Import(path string) (*types.Package, error) {
	if p, ok := i.own[path]; ok {
		return p, nil
	}
	return i.others.Import(path)
}

func (c *calls) check(t *testing.T, p listed, others types.Importer) {
	t.Helper()
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(c.files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		c.syntax[p.ImportPath] = append(c.syntax[p.ImportPath], file)
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
	}
	config := types.Config{Importer: imports{c.packages, others}}
	checked, err := config.Check(p.ImportPath, c.files, c.syntax[p.ImportPath], info)
	if err != nil {
		t.Fatal(err)
	}
	c.packages[p.ImportPath], c.infos[p.ImportPath] = checked, info
}

// read notes what each declaration of a package mentions, and its codes.
func (c *calls) read(t *testing.T, path string) {
	t.Helper()
	info := c.infos[path]
	for _, file := range c.syntax[path] {
		for _, declared := range file.Decls {
			switch declared := declared.(type) {
			case *ast.FuncDecl:
				if declared.Body != nil {
					c.walk(t, info, info.Defs[declared.Name], declared, declared.Body)
				}
			case *ast.GenDecl:
				for _, spec := range declared.Specs {
					values, ok := spec.(*ast.ValueSpec)
					if !ok || declared.Tok != token.VAR {
						continue
					}
					for i, name := range values.Names {
						for j, value := range values.Values {
							if i == j || len(values.Values) == 1 {
								c.walk(t, info, info.Defs[name], nil, value)
							}
						}
					}
				}
			}
		}
	}
}

// walk notes what one declaration mentions. What errors.Is or a comparison asks for is not what it answers.
func (c *calls) walk(t *testing.T, info *types.Info, owner types.Object, function *ast.FuncDecl, tree ast.Node) {
	t.Helper()
	mentioned := map[types.Object]bool{}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			called := object(info, n.Fun)
			if called != nil && called.Pkg() != nil && called.Pkg().Path() == "errors" && called.Name() == "Is" {
				c.walk(t, info, owner, function, n.Args[0])
				return false
			}
			if index, ok := c.makers[called]; ok {
				c.code(t, info, owner, function, n.Args[index])
			}
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				for _, side := range []ast.Expr{n.X, n.Y} {
					if !global(object(info, side)) {
						c.walk(t, info, owner, function, side)
					}
				}
				return false
			}
		case *ast.Ident:
			switch used := info.Uses[n].(type) {
			case *types.Func:
				mentioned[used.Origin()] = true
			case *types.Var:
				mentioned[used] = global(used)
			}
		}
		return true
	})
	for used, ok := range mentioned {
		if ok && !slices.Contains(c.mentions[owner], used) {
			c.mentions[owner] = append(c.mentions[owner], used)
		}
	}
}

// code notes the code that a call gives to a maker, or that its function is a maker.
func (c *calls) code(t *testing.T, info *types.Info, owner types.Object, function *ast.FuncDecl, argument ast.Expr) {
	t.Helper()
	if value := info.Types[argument].Value; value != nil {
		if c.codes[owner] == nil {
			c.codes[owner] = map[string]token.Pos{}
		}
		c.codes[owner][strings.Trim(value.ExactString(), `"`)] = argument.Pos()
		return
	}
	name, ok := argument.(*ast.Ident)
	if place := parameter(function, name); ok && place >= 0 {
		c.makers[owner] = place
		return
	}
	t.Errorf("%s: the code is neither a constant nor a parameter", c.files.Position(argument.Pos()))
}

// parameter returns the position of a function's parameter, or -1.
func parameter(function *ast.FuncDecl, name *ast.Ident) int {
	if function == nil || name == nil {
		return -1
	}
	place := 0
	for _, field := range function.Type.Params.List {
		for _, declared := range field.Names {
			if declared.Name == name.Name {
				return place
			}
			place++
		}
	}
	return -1
}

// object returns what an expression names, or nil.
func object(info *types.Info, expression ast.Expr) types.Object {
	switch expression := expression.(type) {
	case *ast.Ident:
		return info.Uses[expression]
	case *ast.SelectorExpr:
		return info.Uses[expression.Sel]
	}
	return nil
}

// global reports whether an object is a variable of a package.
func global(o types.Object) bool {
	v, ok := o.(*types.Var)
	return ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
}

// reached returns the codes that what the command builds can answer, with the place of one use each.
func (c *calls) reached(name string) map[string]string {
	command := c.mains[name]
	found, seen := map[string]string{}, map[types.Object]bool{}
	next := []types.Object{c.packages[command.ImportPath].Scope().Lookup("build")}
	for len(next) > 0 {
		o := next[0]
		next = next[1:]
		if seen[o] {
			continue
		}
		seen[o] = true
		for code, at := range c.codes[o] {
			found[code] = c.files.Position(at).String()
		}
		next = append(next, c.mentions[o]...)
		if method, ok := o.(*types.Func); ok {
			next = append(next, c.implementations(command, method)...)
		}
	}
	return found
}

// implementations returns the methods of a command's types that a call of an interface's method can reach.
func (c *calls) implementations(command listed, method *types.Func) []types.Object {
	receiver := method.Signature().Recv()
	if receiver == nil || !types.IsInterface(receiver.Type()) || method.Pkg() == nil || c.packages[method.Pkg().Path()] == nil {
		return nil
	}
	asked, ok := receiver.Type().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	var all []types.Object
	for _, path := range append(command.Deps, command.ImportPath) {
		p, ok := c.packages[path]
		if !ok {
			continue
		}
		for _, name := range p.Scope().Names() {
			declared, ok := p.Scope().Lookup(name).(*types.TypeName)
			if !ok || types.IsInterface(declared.Type()) {
				continue
			}
			pointer := types.NewPointer(declared.Type())
			if !types.Implements(pointer, asked) {
				continue
			}
			if found, _, _ := types.LookupFieldOrMethod(pointer, true, method.Pkg(), method.Name()); found != nil {
				if concrete, ok := found.(*types.Func); ok {
					all = append(all, concrete.Origin())
				}
			}
		}
	}
	return all
}

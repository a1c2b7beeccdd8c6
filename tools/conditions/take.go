package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// condition is an expression that guards a write of DynamoDB.
type condition struct {
	// file is relative to the repository's folder, with slashes; line is where the expression begins.
	file string
	line int
	// text is the expression, without its line breaks.
	text string
	// begin and end are its bytes in the file.
	begin, end int
}

// place identifies a condition across changes of other lines.
func (c condition) place() string { return c.file + ": " + c.text }

// folder is the package's folder, as go's commands take it.
func (c condition) folder() string { return "./" + filepath.ToSlash(filepath.Dir(c.file)) }

// without returns the file's source in which every item passes the condition. The expression stays in it, so that the
// file compiles.
func (c condition) without(source []byte) []byte {
	every := "ddb.Present(), ddb.Absent()"
	if filepath.Base(filepath.Dir(c.file)) == "ddb" {
		every = "Present(), Absent()"
	}
	var b bytes.Buffer
	b.Write(source[:c.begin])
	fmt.Fprintf(&b, "(%s).Or(%s)", source[c.begin:c.end], every)
	b.Write(source[c.end:])
	return b.Bytes()
}

// guards has the methods that take a condition, and which argument it is.
func guards(method string) (argument int, ok bool) {
	switch method {
	case "If", "IfElse", "WithCondition":
		return 0, true
	case "UpdateIf":
		return 3, true
	default:
		return 0, false
	}
}

// find returns the conditions in the packages of DynamoDB stores below the folders, and in package ddb.
func find(root string, folders ...string) ([]condition, error) {
	var found []condition
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry os.DirEntry, err error) error {
			store := strings.HasSuffix(filepath.Base(filepath.Dir(path)), "ddb")
			if err != nil || entry.IsDir() || !store || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			more, err := conditions(filepath.ToSlash(rel), source)
			found = append(found, more...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// conditions returns those of one file: what guards a write, and each operand of a conjunction by itself, wherever it
// is put together. A conjunction is not taken out as a whole: its operands say more.
func conditions(name string, source []byte) ([]condition, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var found []condition
	add := func(e ast.Expr) {
		begin, end := files.Position(e.Pos()), files.Position(e.End())
		found = append(found, condition{
			file: name, line: begin.Line, begin: begin.Offset, end: end.Offset,
			text: strings.Join(strings.Fields(string(source[begin.Offset:end.Offset])), " "),
		})
	}
	for _, declared := range file.Decls {
		function, ok := declared.(*ast.FuncDecl)
		if !ok {
			continue
		}
		known := namesOf(function)
		ast.Inspect(function, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if argument, ok := guards(method.Sel.Name); ok && argument < len(call.Args) && known.guard(call.Args[argument]) {
				add(call.Args[argument])
			}
			if method.Sel.Name == "And" && !reads(function, call) {
				for _, operand := range known.operands(call) {
					add(operand)
				}
			}
			return true
		})
	}
	slices.SortFunc(found, func(a, b condition) int { return cmp.Compare(a.begin, b.begin) })
	return found, nil
}

// names are variables of a function whose conditions are found elsewhere.
type names struct {
	// parameters are the caller's, conjunctions have operands that are found where they are put together.
	parameters, conjunctions map[string]bool
}

func namesOf(function *ast.FuncDecl) names {
	known := names{parameters: map[string]bool{}, conjunctions: map[string]bool{}}
	for _, field := range function.Type.Params.List {
		for _, name := range field.Names {
			known.parameters[name.Name] = true
		}
	}
	ast.Inspect(function, func(n ast.Node) bool {
		if assigned, ok := n.(*ast.AssignStmt); ok && len(assigned.Lhs) == len(assigned.Rhs) {
			for i, right := range assigned.Rhs {
				if left, ok := assigned.Lhs[i].(*ast.Ident); ok && isAnd(right) {
					known.conjunctions[left.Name] = true
				}
			}
		}
		return true
	})
	return known
}

// isAnd reports whether the expression is a call of And, the method or the function.
func isAnd(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	return ok && method.Sel.Name == "And"
}

// guard reports whether the argument of a guard is a condition of its own.
func (n names) guard(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.StarExpr: // what a write holds
		return false
	case *ast.Ident:
		return !n.parameters[e.Name] && !n.conjunctions[e.Name]
	default:
		return !isAnd(e)
	}
}

// operands returns those of a call of And that are not conjunctions themselves.
func (n names) operands(call *ast.CallExpr) []ast.Expr {
	all := slices.Clone(call.Args)
	if left := call.Fun.(*ast.SelectorExpr).X; !isPackage(left) {
		all = append(all, left)
	}
	return slices.DeleteFunc(all, func(e ast.Expr) bool {
		name, ok := e.(*ast.Ident)
		return isAnd(e) || ok && n.conjunctions[name.Name]
	})
}

func isPackage(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return ok && name.Name == "expression"
}

// reads reports whether the conjunction is of a query: a range of keys or a filter.
func reads(function *ast.FuncDecl, call *ast.CallExpr) (found bool) {
	look := func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if ok && (selector.Sel.Name == "KeyConditionBuilder" || selector.Sel.Name == "Filter" || selector.Sel.Name == "Key" && isPackage(selector.X)) {
			found = true
		}
		return !found
	}
	ast.Inspect(call, look)
	if function.Type.Results != nil {
		ast.Inspect(function.Type.Results, look)
	}
	return found
}

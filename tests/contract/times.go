package contract

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// Times checks a Go file: no member of a JSON document is a time.Time, which drops zeros at the end of its fraction,
// so that clients that know one form of time read some answers only.
func Times(path string, source []byte) []string {
	var found faults
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, 0)
	if err != nil {
		return []string{err.Error()}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		field, ok := n.(*ast.Field)
		if !ok || field.Tag == nil || !strings.Contains(field.Tag.Value, `json:"`) {
			return true
		}
		ast.Inspect(field.Type, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Time" {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" {
					found.add("%s: a member of JSON is a time.Time: use api.Time, which always has milliseconds", files.Position(field.Pos()))
				}
			}
			return true
		})
		return true
	})
	return found
}

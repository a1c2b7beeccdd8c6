package openapi

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
)

// module is the path of the module, whose packages are folders.
const module = "github.com/tienda-dev/tienda/"

// comments are the comments of the types of packages.
type comments struct {
	root     string
	packages map[string]map[string]string // by import path: "Type" and "Type.Field" to the text
}

// ofType returns the comment of a type.
func (c comments) ofType(t reflect.Type) string { return sentence(t.Name(), c.of(t)[t.Name()]) }

// ofField returns the comment of a field.
func (c comments) ofField(t reflect.Type, field string) string {
	return sentence(field, c.of(t)[t.Name()+"."+field])
}

func (c comments) of(t reflect.Type) map[string]string {
	folder, ok := strings.CutPrefix(t.PkgPath(), module)
	if !ok || t.Name() == "" {
		return nil
	}
	if read, ok := c.packages[folder]; ok {
		return read
	}
	read, err := readComments(filepath.Join(c.root, folder))
	if err != nil {
		panic(fmt.Sprintf("read the comments of %s: %v", folder, err)) // the code that runs was built from it
	}
	c.packages[folder] = read
	return read
}

func readComments(folder string) (map[string]string, error) {
	found := map[string]string{}
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, declared := range parsed.Decls {
			general, ok := declared.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range general.Specs {
				if declared, ok := spec.(*ast.TypeSpec); ok {
					addComments(found, general, declared)
				}
			}
		}
	}
	return found, nil
}

func addComments(found map[string]string, general *ast.GenDecl, declared *ast.TypeSpec) {
	name, doc := declared.Name.Name, declared.Doc
	if doc == nil {
		doc = general.Doc
	}
	found[name] = doc.Text()
	structure, ok := declared.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range structure.Fields.List {
		for _, fieldName := range field.Names {
			found[name+"."+fieldName.Name] = field.Doc.Text()
		}
	}
}

// sentence returns the first paragraph of a comment as a description: on one line, without the Go name that it starts
// with. Later paragraphs are for readers of the code.
func sentence(name, comment string) string {
	first, _, _ := strings.Cut(comment, "\n\n")
	text := strings.Join(strings.Fields(first), " ")
	for _, opening := range []string{name + " is ", name + " are ", name + " has "} {
		if rest, ok := strings.CutPrefix(text, opening); ok && rest != "" {
			return strings.ToUpper(rest[:1]) + rest[1:]
		}
	}
	return text
}

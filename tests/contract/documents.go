package contract

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tienda-dev/tienda/local/template"
)

// EnvTags returns the environment variables that the struct tags of a Go file name.
func EnvTags(source string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		field, ok := n.(*ast.Field)
		if !ok || field.Tag == nil {
			return true
		}
		tag, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			return true
		}
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("env"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
		}
		return true
	})
	return names, nil
}

// DocumentedVariables returns the variables of the tables in a Markdown page: the rows whose first
// cell is one name in code style.
func DocumentedVariables(page string) []string {
	row := regexp.MustCompile("(?m)^\\|\\s*`([A-Z][A-Z0-9_]*)`\\s*\\|")
	var names []string
	for _, m := range row.FindAllStringSubmatch(page, -1) {
		names = append(names, m[1])
	}
	return names
}

// Configuration checks that the documented variables are the ones that exist: read by code through
// an env tag, or set by the template for the Go runtime.
func Configuration(tags, documented []string, t *template.Template) []string {
	var f faults
	set := map[string]bool{}
	for _, fn := range t.Functions {
		for name := range fn.Environment {
			set[name] = true
		}
	}
	for name := range set {
		if !slices.Contains(documented, name) {
			f.add("%s is set in the template and not in the table", name)
		}
		// The Go runtime reads these two itself.
		if !slices.Contains(tags, name) && name != "GOMAXPROCS" && name != "GOMEMLIMIT" {
			f.add("%s is set in the template and read by nothing", name)
		}
	}
	for _, name := range tags {
		if !slices.Contains(documented, name) {
			f.add("%s is read by code and not in the table", name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(tags, name) && !set[name] {
			f.add("%s is in the table, and nothing reads or sets it", name)
		}
	}
	slices.Sort(f)
	return slices.Compact(f)
}

// PackageDocs checks that each package has a doc comment. The files are the sources of one folder
// each, by folder.
func PackageDocs(folders map[string][]string) []string {
	var f faults
	for folder, sources := range folders {
		documented := slices.ContainsFunc(sources, func(source string) bool {
			file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments|parser.PackageClauseOnly)
			return err == nil && file.Doc != nil
		})
		if !documented {
			f.add("the package in %s has no doc comment", folder)
		}
	}
	slices.Sort(f)
	return f
}

// MakeTargets returns the targets that a Makefile documents with ##.
func MakeTargets(makefile string) []string {
	var targets []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):.*## `).FindAllStringSubmatch(makefile, -1) {
		targets = append(targets, m[1])
	}
	return targets
}

// MakeCommands checks that the make commands in a Markdown page name targets that exist. A command
// stands in a fenced block or in a code span.
func MakeCommands(name, page string, targets []string) []string {
	var f faults
	command := regexp.MustCompile(`(?:^|&& |; )(?:\$ )?(?:[A-Z_]+=\S+ )*make((?: +[A-Za-z0-9_./:=-]+)+)`)
	for _, code := range codeOf(page) {
		for _, m := range command.FindAllStringSubmatch(code, -1) {
			for word := range strings.FieldsSeq(m[1]) {
				if !strings.Contains(word, "=") && !slices.Contains(targets, word) {
					f.add("%s says `make %s`, which is no target", name, word)
				}
			}
		}
	}
	return f
}

// codeOf returns the lines of a page's fenced blocks and its code spans.
func codeOf(page string) []string {
	var code []string
	span := regexp.MustCompile("`([^`]+)`")
	fenced := false
	for line := range strings.SplitSeq(page, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		if fenced {
			code = append(code, line)
			continue
		}
		for _, m := range span.FindAllStringSubmatch(line, -1) {
			code = append(code, m[1])
		}
	}
	return code
}

// Steps returns the make targets that a CI script or workflow runs, in their order.
func Steps(script string) []string {
	var steps []string
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:step|- run: make) ([a-z -]+)$`).FindAllStringSubmatch(script, -1) {
		steps = append(steps, strings.Fields(m[1])...)
	}
	return steps
}

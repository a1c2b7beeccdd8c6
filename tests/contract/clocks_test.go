package contract_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A frozen Lambda stops the monotonic clock, so nothing in shared/, internal/ and functions/ keeps a reading
// with one. Every clock is called in a way that drops it, or is one of clock.Wall.
func TestNoHolderOfAClockKeepsAMonotonicReading(t *testing.T) {
	t.Parallel()
	packages := map[string][]*ast.File{}
	files := token.NewFileSet()
	for _, dir := range []string{"shared", "internal", "functions"} {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, d fs.DirEntry, err error) error {
			in := filepath.Dir(path)
			if err != nil || d.IsDir() || slices.ContainsFunc(measured, func(file string) bool { return strings.HasSuffix(path, file) }) || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(in, "test") {
				return err
			}
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			packages[in] = append(packages[in], file)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range measured {
		if _, err := os.Stat(filepath.Join("../..", name)); err != nil {
			t.Error(err)
		}
	}
	for dir, parsed := range packages {
		for _, at := range rawReadings(dir, parsed) {
			t.Errorf("%s keeps a monotonic reading: take the clock through clock.Wall, or drop the reading with Round(0) or Truncate", files.Position(at))
		}
	}
}

// measured are the files that measure what is under way, which the monotonic clock does best, or that sign.
var measured = []string{
	"shared/app/app.go", "shared/middleware/access_log.go", "shared/awsjson/client.go", "shared/metrics/business.go",
	"shared/metrics/http.go", "shared/tracing/dynamodb.go", "shared/tracing/tracingaws/dynamodb.go",
	"shared/authorizer/authorizer.go", "shared/ddb/send.go",
}

// dropping are the methods of time.Time that drop the monotonic reading.
var dropping = []string{"Round", "Truncate", "Unix", "UnixMilli", "UnixNano", "In", "AddDate"}

// rawReadings returns where a package calls a clock without dropping the monotonic reading.
func rawReadings(dir string, files []*ast.File) []token.Pos {
	if strings.HasSuffix(dir, "shared/clock") {
		return nil
	}
	clocks := clockNames(files)
	dropped := map[ast.Node]bool{}
	var readings []*ast.CallExpr
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if name := calledName(call); len(call.Args) == 0 && clocks[name] {
				readings = append(readings, call)
			} else if name == "milliseconds" { // of functions/auth
				dropped[call.Args[0]] = true
			}
			if method, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains(dropping, method.Sel.Name) {
				dropped[method.X] = true
				if utc, ok := method.X.(*ast.CallExpr); ok && calledName(utc) == "UTC" {
					dropped[utc.Fun.(*ast.SelectorExpr).X] = true
				}
			}
			return true
		})
	}
	var raw []token.Pos
	for _, call := range readings {
		if !dropped[call] {
			raw = append(raw, call.Pos())
		}
	}
	return raw
}

// clockNames returns the names of the package's clocks: time.Now, and parameters and fields that are functions without
// parameters which return a time.Time, without those that are called wall or only ever set to a clock of clock.Wall.
func clockNames(files []*ast.File) map[string]bool {
	clocks, wall := map[string]bool{}, map[string]bool{}
	set := func(name string, value ast.Expr) {
		call, ok := value.(*ast.CallExpr)
		ident, _ := value.(*ast.Ident)
		isWall := ok && calledName(call) == "Wall" || ident != nil && ident.Name == "wall"
		if before, known := wall[name]; !known || before {
			wall[name] = isWall
		}
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				if isClock(n.Type) {
					for _, name := range n.Names {
						clocks[name.Name] = true
					}
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok {
					set(key.Name, n.Value)
				}
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					if field, ok := to.(*ast.SelectorExpr); ok && len(n.Rhs) == len(n.Lhs) {
						set(field.Sel.Name, n.Rhs[i])
					}
				}
			}
			return true
		})
	}
	maps.DeleteFunc(clocks, func(name string, _ bool) bool { return wall[name] || name == "wall" })
	clocks["Now"] = true // time.Now itself
	return clocks
}

func isClock(t ast.Expr) bool {
	f, ok := t.(*ast.FuncType)
	if !ok || len(f.Params.List) != 0 || f.Results == nil || len(f.Results.List) != 1 {
		return false
	}
	result, ok := f.Results.List[0].Type.(*ast.SelectorExpr)
	return ok && result.Sel.Name == "Time"
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func TestRawReadingsFindsWhatKeepsAMonotonicReading(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]int{
		`func F(now func() time.Time) { use(now()) }`:                                                                  1,
		`func F(now func() time.Time) { use(now().Add(1), now().UTC()) }`:                                              2,
		`func F() { use(time.Now()) }`:                                                                                 1,
		`func F(now func() time.Time) { use(now().Round(0), now().UTC().Truncate(1), milliseconds(now())) }`:           0,
		`type T struct{ c func() time.Time }; func F(now func() time.Time) { t := T{c: now}; use(t.c()) }`:             1,
		`type T struct{ c func() time.Time }; func F(now func() time.Time) { t := T{c: clock.Wall(now)}; use(t.c()) }`: 0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x; "+source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := rawReadings("x", []*ast.File{file}); len(got) != want {
			t.Errorf("%s: %d readings, want %d", source, len(got), want)
		}
	}
}

package contract_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tests/contract"
	"github.com/tienda-dev/tienda/tools/authroutes/table"
	"github.com/tienda-dev/tienda/tools/dist"
)

// root is the repository, seen from this package's folder.
const root = "../.."

// routes are the routes of every resource, of which no function may be missing.
func routes() []api.Route { return table.Routes() }

// clients are the AWS services whose client a function may link, by function. A new one costs
// every cold start and is a decision.
func clients(function string) []string {
	switch function {
	case "authorizer", "get-jwks", "get-liveness", "not-found":
		return nil
	default:
		return []string{"dynamodb"}
	}
}

func TestRoutesInCodeAreTheTemplates(t *testing.T) {
	t.Parallel()
	report(t, contract.Routes(routes(), readTemplate(t)))
}

func TestAuthorizerEntriesSeparateCallers(t *testing.T) {
	t.Parallel()
	report(t, contract.Authorizers(readTemplate(t)))
}

func TestEveryFunctionHasARoute(t *testing.T) {
	t.Parallel()
	var names []string
	for _, route := range routes() {
		names = append(names, route.Name)
	}
	for _, fn := range functions(t) {
		if fn.Name != "authorizer" && !slices.Contains(names, fn.Name) {
			t.Errorf("%s: no resource's Routes() has the name %q", fn.Folder, fn.Name)
		}
	}
	if len(names)+1 != len(functions(t)) {
		t.Errorf("%d routes and %d functions, want one function per route and the authorizer", len(names), len(functions(t)))
	}
}

func TestBlocksOfTheTemplateAreShort(t *testing.T) {
	t.Parallel()
	resources, err := contract.ReadResources([]byte(read(t, "template.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	report(t, contract.Blocks(functions(t), readTemplate(t), resources))
}

func TestMainsServeTheirFoldersRoute(t *testing.T) {
	t.Parallel()
	mains := map[string]contract.Main{}
	for _, fn := range functions(t) {
		m, err := contract.ParseMain(read(t, fn.Folder+"/main.go"))
		if err != nil {
			t.Fatal(err)
		}
		mains[fn.Name] = m
	}
	report(t, contract.Mains(functions(t), mains))
}

func TestRouteVariablesAreNamedAfterTheirOperation(t *testing.T) {
	t.Parallel()
	var total int
	for _, source := range sources(t, "functions") {
		names, err := contract.RouteNames(source)
		if err != nil {
			t.Fatal(err)
		}
		total += len(names)
		report(t, contract.RouteVariables(names))
	}
	if total != len(routes()) {
		t.Errorf("%d route variables and %d routes, want as many", total, len(routes()))
	}
}

func TestSampleEventsFitTheirRoutes(t *testing.T) {
	t.Parallel()
	var names []string
	for _, fn := range functions(t) {
		names = append(names, fn.Name)
	}
	// An event, and beside it what the function answers.
	for _, folder := range []string{"events", "events/expected"} {
		entries, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, e := range entries {
			if e.Name() != "expected" || !e.IsDir() {
				files = append(files, e.Name())
			}
		}
		report(t, contract.EventFiles(names, files))
	}

	for _, route := range routes() {
		t.Run(route.Name, func(t *testing.T) {
			t.Parallel()
			report(t, contract.Event(route, []byte(read(t, "events/"+route.Name+".json"))))
		})
	}
	t.Run("authorizer", func(t *testing.T) {
		t.Parallel()
		report(t, contract.AuthorizerEvent(routes(), []byte(read(t, "events/authorizer.json"))))
	})
}

func TestGatewayAndMiddlewareAnswerCORSAlike(t *testing.T) {
	t.Parallel()
	report(t, contract.CORS(readTemplate(t), routes()))
}

func TestImportsFollowTheArrows(t *testing.T) {
	t.Parallel()
	report(t, contract.Arrows(packages(t)))
}

func TestBinariesLinkWhatTheyMay(t *testing.T) {
	t.Parallel()
	all := packages(t)
	for _, fn := range functions(t) {
		linked := contract.Linked(contract.Module+"/"+fn.Folder, all)
		report(t, contract.Binary(fn.Name, linked, clients(fn.Name)))
	}
}

func TestBinariesAreSmall(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "dist")
	result, err := dist.Build(t.Context(), dist.Options{Root: root, Out: out, GOARCH: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	for _, fn := range result.Functions {
		info, err := os.Stat(filepath.Join(out, fn.Name, "bootstrap"))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%-20s %5.1f MB", fn.Name, float64(info.Size())/1e6)
		report(t, contract.Size(fn.Name, info.Size()))
	}
}

func TestEveryPackageHasADocComment(t *testing.T) {
	t.Parallel()
	report(t, contract.PackageDocs(folders(t)))
}

func TestEveryVariableIsDocumented(t *testing.T) {
	t.Parallel()
	var tags []string
	for _, folder := range []string{"shared", "functions", "internal", "authorizer"} {
		for _, source := range sources(t, folder) {
			names, err := contract.EnvTags(source)
			if err != nil {
				t.Fatal(err)
			}
			tags = append(tags, names...)
		}
	}
	documented := contract.DocumentedVariables(read(t, "docs/configuration.md"))
	report(t, contract.Configuration(tags, documented, readTemplate(t)))
}

func TestDocumentedMakeCommandsExist(t *testing.T) {
	t.Parallel()
	targets := contract.MakeTargets(read(t, "Makefile"))
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		rel, err := filepath.Rel(root, page)
		if err != nil {
			t.Fatal(err)
		}
		report(t, contract.MakeCommands(rel, read(t, rel), targets))
	}
}

func TestCIRunsTheSameTargetsEverywhere(t *testing.T) {
	t.Parallel()
	here := contract.Steps(read(t, ".ci/run"))
	there := contract.Steps(read(t, ".github/workflows/ci.yml"))
	// The vulnerability database is not reachable from everywhere; GitHub's runners reach it.
	if want := append(slices.Clone(here), "govulncheck"); !slices.Equal(there, want) {
		t.Errorf("ci.yml runs %q, want what .ci/run does and govulncheck: %q", there, want)
	}
	targets := contract.MakeTargets(read(t, "Makefile"))
	for _, step := range there {
		if !slices.Contains(targets, step) {
			t.Errorf("CI runs `make %s`, which is no target", step)
		}
	}
	if len(here) == 0 || here[0] != "test" {
		t.Errorf(".ci/run starts with %q, want test", here)
	}
}

func TestDeploymentWaitsForTheChecks(t *testing.T) {
	t.Parallel()
	var workflow struct {
		Jobs map[string]struct {
			Needs string `yaml:"needs"`
			Uses  string `yaml:"uses"`
		} `yaml:"jobs"`
	}
	if err := yaml.Unmarshal([]byte(read(t, ".github/workflows/deploy.yml")), &workflow); err != nil {
		t.Fatal(err)
	}
	const checks = "./.github/workflows/ci.yml"
	for name := range workflow.Jobs {
		first := name
		for range workflow.Jobs {
			if needed := workflow.Jobs[first].Needs; needed != "" {
				first = needed
			}
		}
		if got := workflow.Jobs[first].Uses; got != checks {
			t.Errorf("the job %s of deploy.yml waits for %s, which uses %q, want %s", name, first, got, checks)
		}
	}
}

func TestBuildIsForTheTemplatesArchitecture(t *testing.T) {
	t.Parallel()
	want := "ARCH ?= " + readTemplate(t).Parameters["Architecture"]
	if !slices.Contains(strings.Split(read(t, "Makefile"), "\n"), want) {
		t.Errorf("the Makefile lacks the line %q, the template's default architecture", want)
	}
}

func report(t *testing.T, faults []string) {
	t.Helper()
	for _, fault := range faults {
		t.Error(fault)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func readTemplate(t *testing.T) *template.Template {
	t.Helper()
	model, err := template.ReadFile(filepath.Join(root, "template.yaml"), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func functions(t *testing.T) []dist.Function {
	t.Helper()
	list, err := dist.Functions(root)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// folders returns every Go source of the module by folder.
func folders(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "dist" && filepath.Dir(path) == root) {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		found[folder] = append(found[folder], string(content))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sources returns the Go files below a folder, tests left out, by path.
func sources(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		found[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// packages lists the module's packages and everything they import, as they are built for Lambda.
func packages(t *testing.T) []contract.Package {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", dist.Tags, "-json=ImportPath,Name,Imports", "./...")
	list.Dir = root
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	stdout, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	byPath := map[string]contract.Package{}
	for dec := json.NewDecoder(bytes.NewReader(stdout)); ; {
		var p struct {
			ImportPath, Name string
			Imports          []string
		}
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		byPath[p.ImportPath] = contract.Package{Path: p.ImportPath, Name: p.Name, Imports: p.Imports}
	}
	return slices.Collect(maps.Values(byPath))
}

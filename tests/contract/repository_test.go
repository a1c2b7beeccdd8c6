package contract_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tests/contract"
	"github.com/tienda-dev/tienda/tests/suite"
	"github.com/tienda-dev/tienda/tools/authroutes/table"
	"github.com/tienda-dev/tienda/tools/dist"
)

// root is the repository, seen from this package's folder.
const root = "../.."

// routes are the routes of every resource.
func routes() []api.Route { return table.Routes() }

// clients are the AWS services whose client a program links: DynamoDB's if its main opens tables or has rate limits. Another one costs
// every cold start and is a decision.
func clients(imports []string) []string {
	if slices.Contains(imports, contract.Module+"/internal/tables") || slices.Contains(imports, contract.Module+"/internal/backend") {
		return []string{"dynamodb"}
	}
	return nil
}

func TestRoutesInCodeAreInTheTemplate(t *testing.T) {
	t.Parallel()
	report(t, contract.Routes(routes(), readTemplate(t)))
}

func TestAuthorizerEntriesSeparateCallers(t *testing.T) {
	t.Parallel()
	report(t, contract.Authorizers(readTemplate(t)))
}

// The suite repeats the requests of every route with idempotency keys.
func TestEveryIdempotencyKeyIsTested(t *testing.T) {
	t.Parallel()
	var names []string
	for _, route := range routes() {
		if route.Idempotency != api.KeyIgnored {
			names = append(names, route.Name)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(names, suite.Keyed()); diff != "" {
		t.Errorf("routes with keys (-routes +tests/suite/repeated.go):\n%s", diff)
	}
}

// The suite repeats every other change of the shop's own data too. The tests of sessions, users, profiles and limits have theirs.
func TestEveryChangeIsRepeated(t *testing.T) {
	t.Parallel()
	names := []string{}
	for _, route := range routes() {
		others := slices.ContainsFunc([]string{"/v1/auth/", "/v1/users/", "/v1/customers/", "/v1/limits/"}, func(prefix string) bool {
			return strings.HasPrefix(route.Path, prefix)
		}) || slices.Contains([]string{"not-found", "put-pricing-rules"}, route.Name)
		if route.Method != http.MethodGet && route.Idempotency == api.KeyIgnored && !others {
			names = append(names, route.Name)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(names, suite.Changes()); diff != "" {
		t.Errorf("routes without keys (-routes +tests/suite/repeated_changes.go):\n%s", diff)
	}
}

func TestEveryRouteHasAFolder(t *testing.T) {
	t.Parallel()
	names := workerNames(t)
	for _, route := range routes() {
		names = append(names, route.Name)
	}
	report(t, contract.Folders(names, functions(t)))
}

func TestBlocksOfTheTemplateAreShort(t *testing.T) {
	t.Parallel()
	resources, err := contract.ReadResources([]byte(read(t, "template.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	report(t, contract.Blocks(functions(t), readTemplate(t), resources))
}

func TestMainsServeTheRouteOfTheirFolder(t *testing.T) {
	t.Parallel()
	rates := map[string]api.Rate{}
	for _, route := range routes() {
		rates[route.Name] = route.Rate
		report(t, contract.Rate(route))
	}
	workers := workerNames(t)
	for _, fn := range functions(t) {
		source := read(t, fn.Folder+"/main.go")
		if slices.Contains(workers, fn.Name) {
			report(t, contract.WorkerMain(fn, source))
			continue
		}
		report(t, contract.Main(fn, rates[fn.Name], source))
	}
}

func TestSampleEventsFitTheirRoutes(t *testing.T) {
	t.Parallel()
	names := append(workerNames(t), "authorizer")
	for _, route := range routes() {
		names = append(names, route.Name)
	}
	for folder, advice := range map[string]string{
		"events":          "write the event as API Gateway sends it",
		"events/expected": "write what the function answers to its event",
	} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range files {
			files[i] = filepath.Base(files[i])
		}
		report(t, contract.EventFiles(folder, advice, names, files))
	}

	for _, route := range routes() {
		t.Run(route.Name, func(t *testing.T) {
			t.Parallel()
			file := "events/" + route.Name + ".json"
			if _, err := os.Stat(filepath.Join(root, file)); errors.Is(err, fs.ErrNotExist) {
				t.Skip("EventFiles reports it")
			}
			for _, fault := range contract.Event(route, []byte(read(t, file))) {
				t.Errorf("%s: %s", file, fault)
			}
		})
	}
	for _, fn := range contract.Workers(readTemplate(t)) {
		t.Run(fn.Name, func(t *testing.T) {
			t.Parallel()
			file := "events/" + fn.Name + ".json"
			if _, err := os.Stat(filepath.Join(root, file)); errors.Is(err, fs.ErrNotExist) {
				t.Skip("EventFiles reports it")
			}
			for _, fault := range contract.WorkerEvent(fn, []byte(read(t, file))) {
				t.Errorf("%s: %s", file, fault)
			}
		})
	}
	t.Run("authorizer", func(t *testing.T) {
		t.Parallel()
		report(t, contract.AuthorizerEvent(routes(), []byte(read(t, "events/authorizer.json"))))
	})
}

func TestEveryFunctionIsInvoked(t *testing.T) {
	t.Parallel()
	report(t, contract.Invoked(readTemplate(t)))
}

func TestGatewayAloneAnswersForCORS(t *testing.T) {
	t.Parallel()
	report(t, contract.CORS(readTemplate(t), routes()))
}

func TestImportsFollowTheArrows(t *testing.T) {
	t.Parallel()
	report(t, contract.Arrows(packages(t)))
}

func TestBinariesLinkWhatTheyMay(t *testing.T) {
	t.Parallel()
	byPath := map[string]contract.Package{}
	for _, p := range packages(t) {
		byPath[p.Path] = p
	}
	for _, fn := range functions(t) {
		main := byPath[contract.Module+"/"+fn.Folder]
		if fn.Name == "authorizer" && len(clients(main.Imports)) > 0 {
			t.Error("the authorizer opens tables: it reads sessions without the SDK's client")
		}
		report(t, contract.Binary(fn.Name, main.Deps, clients(main.Imports)))
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

func TestEveryVariableIsDocumented(t *testing.T) {
	t.Parallel()
	var tags []string
	for _, folder := range []string{"shared", "functions", "internal", "authorizer"} {
		for _, source := range sources(t, folder) {
			tags = append(tags, contract.EnvTags(source)...)
		}
	}
	documented := contract.DocumentedVariables(read(t, "docs/configuration.md"))
	report(t, contract.Configuration(tags, documented, readTemplate(t)))
}

func TestDocumentedCommandsExist(t *testing.T) {
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
		report(t, contract.SAMCommands(rel, read(t, rel)))
	}
}

func TestCIRunsTheSameTargetsEverywhere(t *testing.T) {
	t.Parallel()
	here := contract.Steps(read(t, ".ci/run"))
	there := contract.Steps(read(t, ".github/workflows/ci.yml"))
	// The vulnerability database is not reachable from everywhere; GitHub's runners reach it.
	if want := append(slices.Clone(here), "govulncheck"); !slices.Equal(there, want) {
		t.Errorf(".github/workflows/ci.yml runs %q, want the steps of .ci/run and govulncheck: %q", there, want)
	}
	targets := contract.MakeTargets(read(t, "Makefile"))
	for _, step := range there {
		if !slices.Contains(targets, step) {
			t.Errorf("CI runs `make %s`, but the Makefile has no such target", step)
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
		if workflow.Jobs[first].Uses != checks {
			t.Errorf("deploy.yml: the job %s does not wait for %s: let its first job (%s) need the one that uses it", name, checks, first)
		}
	}
}

func TestBuildIsForTheTemplatesArchitecture(t *testing.T) {
	t.Parallel()
	want := "ARCH ?= " + readTemplate(t).Parameters["Architecture"]
	if !slices.Contains(strings.Split(read(t, "Makefile"), "\n"), want) {
		t.Errorf("the Makefile builds for another architecture than template.yaml deploys: want the line %q", want)
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

// workerNames are the operations of the workers.
func workerNames(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, fn := range contract.Workers(readTemplate(t)) {
		names = append(names, fn.Name)
	}
	return names
}

func functions(t *testing.T) []dist.Function {
	t.Helper()
	list, err := dist.Functions(root)
	if err != nil {
		t.Fatal(err)
	}
	return list
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

// packages lists the module's packages as they are built for Lambda.
func packages(t *testing.T) []contract.Package {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-tags", dist.Tags, "-json=ImportPath,Name,Imports,Deps", "./...")
	list.Dir = root
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	stdout, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []contract.Package
	for dec := json.NewDecoder(bytes.NewReader(stdout)); ; {
		var p contract.Package
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

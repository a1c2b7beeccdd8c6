package contract_test

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/tests/contract"
)

// files returns the paths from the repository's root that match a pattern; there must be one.
func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
	if err != nil || len(found) == 0 {
		t.Fatalf("no file matches %s (%v)", pattern, err)
	}
	for i, file := range found {
		found[i] = strings.TrimPrefix(filepath.ToSlash(file), root+"/")
	}
	return found
}

func TestWorkflowsRunOnlyWhatIsPinned(t *testing.T) {
	t.Parallel()
	for _, file := range files(t, ".github/workflows/*.yml") {
		text := read(t, file)
		report(t, contract.Actions(file, text))
		report(t, contract.Credentials(file, text))
		report(t, contract.Installs(file, text))
	}
	for _, file := range files(t, "tools/requirements*.txt") {
		report(t, contract.Hashes(file, read(t, file)))
	}
	for _, file := range append(files(t, "docs/*.md"), "README.md", "Makefile", "tools/tools.mk", ".ci/run") {
		report(t, contract.Installs(file, read(t, file)))
	}
	modules := []string{"/"}
	for _, file := range append(files(t, "tests/*/go.mod"), files(t, "tests/*/*/go.mod")...) {
		modules = append(modules, "/"+path.Dir(file))
	}
	report(t, contract.Dependabot(read(t, ".github/dependabot.yml"), map[string][]string{
		"github-actions": {"/"}, "pip": {"/tools"}, "npm": {"/tools/openapi/node"}, "gomod": modules,
	}))
}

func TestActionsNamesWhatIsNotPinned(t *testing.T) {
	t.Parallel()
	commit := strings.Repeat("0a", 20)
	for line, want := range map[string]string{
		"      - uses: a/b@" + commit + " # v1.2.3":     "",
		"    uses: ./.github/workflows/ci.yml":          "",
		"      # - uses: a/b@v4":                        "",
		"      - uses: a/b@v4":                          "uses a/b@v4: name the commit",
		"        uses: a/b/c@main # v1.2.3":             "uses a/b/c@main: name the commit",
		"      - uses: a/b@" + commit[1:] + " # v1.2.3": "name the commit",
		"      - uses: a/b@" + commit:                   "add its version",
		"      - uses: a/b@" + commit + " # v1":         "add its version",
		"      - {uses: a/b@v4}":                        "name the commit",
	} {
		got := contract.Actions("w.yml", "jobs:\n"+line+"\n")
		if want == "" {
			contract.Expect(t, got)
		} else {
			contract.Expect(t, got, want)
		}
	}
}

func TestCredentialsNamesWhatInstallsWithThem(t *testing.T) {
	t.Parallel()
	const aws = "{uses: aws-actions/configure-aws-credentials@1}"
	for steps, want := range map[string]string{
		"{uses: actions/setup-go@1}, {run: make venv build}, " + aws + ", {run: make package}": "",
		"{run: make venv}, " + aws + ", {run: make promote}":                                   "",
		"{run: make venv}, " + aws + ", {run: make package}":                                   "run make build before them",
		aws + ", {run: make promote}":                                                          "run make venv before them",
		aws + ", {uses: actions/setup-python@1}":                                               "installs with credentials: move actions/setup-python@1",
		aws + ", {run: pip install x}":                                                         "installs with credentials: move pip install x",
	} {
		got := contract.Credentials("w.yml", "jobs: {j: {steps: ["+steps+"]}}")
		if want == "" {
			contract.Expect(t, got)
		} else {
			contract.Expect(t, got, want)
		}
	}
}

func TestHashesNamesWhatHasNone(t *testing.T) {
	t.Parallel()
	hash := "    --hash=sha256:" + strings.Repeat("0a", 32)
	for list, want := range map[string]string{
		"# made\na-b==1.0 \\\n" + hash + " \\\n" + hash + "\nc==2 \\\n" + hash + "\n": "",
		"a==1.0\n": "is not a pinned package",
		"a==1.0 \\\n" + hash + "\nb>=2 \\\n" + hash + "\n": `"b>=2 \\" is not a pinned package`,
		"a==1.0 \\\n    --hash=md5:00\n":                   "is not a pinned package or a hash",
		"-r other.txt\na==1 \\\n" + hash + "\n":            "is not a pinned package",
		"# nothing\n":                                      "names no package",
	} {
		got := contract.Hashes("r.txt", list)
		if want == "" {
			contract.Expect(t, got)
		} else if len(got) == 0 || !strings.Contains(got[0], want) {
			t.Errorf("%q: got %q, want %q", list, got, want)
		}
	}
	contract.Expect(t, contract.Installs("f", "pip install --require-hashes -r x\nx/bin/pip install y"), "installs without --require-hashes: x/bin/pip install y")
}

func TestDependabotNamesWhatNothingWatches(t *testing.T) {
	t.Parallel()
	want := map[string][]string{"pip": {"/tools"}, "gomod": {"/", "/tests/library"}}
	contract.Expect(t, contract.Dependabot("updates: [{package-ecosystem: pip, directory: /tools}, {package-ecosystem: gomod, directories: [/, /tests/library]}]", want))
	contract.Expect(t, contract.Dependabot("updates: [{package-ecosystem: gomod, directory: /}]", want), "watches pip in /tools", "watches gomod in /tests/library")
}

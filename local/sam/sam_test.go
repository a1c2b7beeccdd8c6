package sam_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/sam"
)

const root = "../.."

// cli returns a CLI with a command that does nothing.
func cli(t *testing.T) *sam.CLI {
	t.Helper()
	c, err := sam.Open(sam.Config{Root: root, Command: "true"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestArchitecture(t *testing.T) {
	t.Parallel()
	for goarch, want := range map[string]string{"amd64": "x86_64", "arm64": "arm64"} {
		if got, err := sam.Architecture(goarch); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", goarch, got, err, want)
		}
	}
	if _, err := sam.Architecture("riscv64"); err == nil {
		t.Error("riscv64: got no error")
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cfg  sam.Config
		want string
	}{
		"NoSAM":        {sam.Config{Root: root, Command: "/nowhere/sam"}, "the SAM CLI is not at /nowhere/sam"},
		"UnknownImage": {sam.Config{Root: root, Command: "true", Image: "mine"}, `IMAGE is "mine"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := sam.Open(tc.cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestFunction(t *testing.T) {
	t.Parallel()
	c := cli(t)
	for _, name := range []string{"GetProductFunction", "get-product"} {
		if f, err := c.Function(name); err != nil || f.Name != "get-product" {
			t.Errorf("%s: got %q, %v", name, f.Name, err)
		}
	}
	for name, want := range map[string]string{"": "FN is required", "getProduct": `unknown function "getProduct"`} {
		_, err := c.Function(name)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "GetProductFunction, ") {
			t.Errorf("%q: got %v, want %q and the names of all functions", name, err, want)
		}
	}
}

func TestEventMustBeThere(t *testing.T) {
	t.Parallel()
	c := cli(t)
	f, err := c.Function("get-product")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckEvent(sam.Invocation{Function: f}); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"events/nope.json", "events"} {
		err := c.CheckEvent(sam.Invocation{Function: f, Event: path})
		if err == nil || !strings.Contains(err.Error(), "no event at") {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func TestWithoutDocker(t *testing.T) {
	c := cli(t)
	t.Setenv("PATH", t.TempDir())
	want := "Docker is not installed: SAM runs functions in containers, so install and start Docker " +
		"(https://docs.docker.com/engine/install)"
	if err := c.CheckDocker(t.Context()); err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

// samconfig.toml, typed by hand, and this package must mean the same image and the same folders.
func TestSamconfigNamesWhatIsPrepared(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(root, "samconfig.toml"))
	if err != nil {
		t.Fatal(err)
	}
	config := string(data)
	for _, arch := range []string{"x86_64", "arm64"} {
		for _, command := range []string{"invoke", "start_api", "start_lambda"} {
			section := "[local-" + arch + ".local_" + command + ".parameters]\n"
			_, body, found := strings.Cut(config, section)
			if !found {
				t.Errorf("there is no %s", section)
				continue
			}
			body, _, _ = strings.Cut(body, "\n[")
			lines := strings.Split(body, "\n")
			repository, _, _ := strings.Cut(sam.StandIn(arch), ":")
			for _, want := range []string{
				`template_file = ".cache/sam/template.yaml"`,
				`env_vars = ".cache/sam/env.json"`,
				`skip_pull_image = true`,
				`invoke_image = ["` + repository + `:al2023"]`,
				`add_host = ["host.docker.internal:host-gateway"]`,
				`parameter_overrides = ["Stage=local", "Architecture=` + arch + `"]`,
			} {
				if !slices.Contains(lines, want) {
					t.Errorf("%s lacks %s", strings.TrimSpace(section), want)
				}
			}
		}
	}
}

// An event without an expectation would not be checked, and an expectation without a function would not be
// used.
func TestEveryFunctionHasAnExpectation(t *testing.T) {
	t.Parallel()
	var want []string
	for _, f := range cli(t).Template().Functions {
		want = append(want, f.Name+".json")
		if _, err := sam.ReadExpectation(root, f.Name); err != nil {
			t.Error(err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(root, "events", "expected"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events/expected (-functions +files):\n%s", diff)
	}
}

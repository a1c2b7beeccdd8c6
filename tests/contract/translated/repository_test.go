package translated_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tests/contract/translated"
	"github.com/tienda-dev/tienda/tools/authroutes/table"
)

// root is the repository, seen from this package's folder.
const root = "../../.."

// hashing are the functions that hash passwords, by logical id.
func hashing() []string {
	return []string{"RegisterUserFunction", "LoginFunction", "ChangePasswordFunction"}
}

// tables are what the tables must be in an environment.
func tables(environment string) map[string]translated.TableRule {
	kept := environment != "default"
	return map[string]translated.TableRule{
		"AuthTable":     {TTL: "ttl", PointInTimeRecovery: true, Protected: kept},
		"CommerceTable": {TTL: "ttl", PointInTimeRecovery: true, Stream: "NEW_AND_OLD_IMAGES", Protected: kept},
	}
}

// routes are the authorizers that the routes in code want, by route key.
func routes() map[string]string {
	want := map[string]string{}
	for _, r := range table.Routes() {
		key := r.Method + " " + r.Path
		if r.Path == api.DefaultPath {
			key = "$default"
		}
		want[key] = ""
		if r.Auth != api.Public {
			want[key] = "TokenAuthorizer"
		}
	}
	return want
}

// TestConfigVersionIsADigestOfEveryParameter runs the tests of the tool that computes it.
func TestConfigVersionIsADigestOfEveryParameter(t *testing.T) {
	t.Parallel()
	run(t, "tools/translate_test.py")
}

// run runs a Python script of the repository where the template's tools are installed.
func run(t *testing.T, arguments ...string) {
	t.Helper()
	python := filepath.Join(".cache", "venv", "bin", "python")
	if _, err := os.Stat(filepath.Join(root, python)); err != nil {
		t.Fatalf("there is no %s: `make contract` installs what translates the template", python)
	}
	// Opened so that `go test` knows that the result depends on them.
	for _, input := range []string{"template.yaml", "samconfig.toml", "tools/translate", "tools/translate_test.py"} {
		if _, err := os.ReadFile(filepath.Join(root, input)); err != nil {
			t.Fatal(err)
		}
	}
	script := exec.CommandContext(t.Context(), python, arguments...)
	script.Dir = root
	if output, err := script.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}

// TestTranslatedTemplate holds what every environment of samconfig.toml deploys to the rules.
func TestTranslatedTemplate(t *testing.T) {
	t.Parallel()
	environments := []string{"default", "staging", "prod"}
	out := t.TempDir()
	run(t, append([]string{"tools/translate", "--out", out}, environments...)...)

	stacks := map[string]translated.Stack{}
	for _, environment := range environments {
		data, err := os.ReadFile(filepath.Join(out, environment+".json"))
		if err != nil {
			t.Fatal(err)
		}
		stack, err := translated.Read(data)
		if err != nil {
			t.Fatal(err)
		}
		stacks[environment] = stack
	}

	for _, environment := range environments {
		t.Run(environment, func(t *testing.T) {
			t.Parallel()
			stack := stacks[environment]
			// `make package` builds once for all of them.
			if got := stack.Parameters["Architecture"].Default; got != "arm64" {
				t.Errorf("%s deploys to %v, want the architecture that is built once for every stage, arm64", environment, got)
			}

			rules := map[string][]string{
				"Functions":   translated.Functions(stack),
				"LogGroups":   translated.LogGroups(stack),
				"Aliases":     translated.Aliases(stack),
				"Concurrency": translated.Concurrency(stack, hashing()),
				"Size":        translated.Size(stack),
				"Roles":       translated.Roles(stack),
				"Routes":      translated.Routes(stack, routes()),
				"AccessLogs":  translated.AccessLogs(stack),
				"Tables":      translated.Tables(stack, tables(environment)),
				"Secrets":     translated.Secrets(stack),
				"Alarms":      translated.Alarms(stack),
			}
			if environment != "default" {
				rules["Deployments"] = translated.Deployments(stack)
			}
			for name, faults := range rules {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					for _, fault := range faults {
						t.Error(fault)
					}
				})
			}
		})
	}
}

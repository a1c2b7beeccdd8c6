package translated_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tests/contract/translated"
	"github.com/tienda-dev/tienda/tools/authroutes/table"
)

// root is the repository, seen from this package's folder.
const root = "../../.."

// tables are what the tables of an environment must have.
func tables(environment string) map[string]translated.TableRule {
	kept := environment != "default"
	return map[string]translated.TableRule{
		"AuthTable":      {TTL: "ttl", PointInTimeRecovery: true, Protected: kept},
		"RateLimitTable": {TTL: "ttl", Protected: kept},
		"CommerceTable":  {TTL: "ttl", PointInTimeRecovery: true, Stream: "NEW_AND_OLD_IMAGES", Protected: kept},
	}
}

// routes are the authorizers of the routes in code, by route key.
func routes() map[string]string {
	want := map[string]string{}
	for _, r := range table.Routes() {
		for _, key := range r.Keys() {
			want[key] = ""
			if r.Auth != api.Public {
				want[key] = "TokenAuthorizer"
			}
		}
	}
	return want
}

// TestConfigVersionIsADigestOfEveryParameter runs the tests of the tool that computes it.
func TestConfigVersionIsADigestOfEveryParameter(t *testing.T) {
	t.Parallel()
	if err := python("tools/translate_test.py"); err != nil {
		t.Fatal(err)
	}
}

// TestCredentialsAreFoundAsTheSAMCLIFindsThem runs the tests of the tool that looks for them.
func TestCredentialsAreFoundAsTheSAMCLIFindsThem(t *testing.T) {
	t.Parallel()
	if err := python("tools/credentials_test.py"); err != nil {
		t.Fatal(err)
	}
}

// TestDeployingStartsWithCredentials runs what deploys without any, and expects that nothing was done before.
func TestDeployingStartsWithCredentials(t *testing.T) {
	t.Parallel()
	makefile, err := os.Open(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	makefile.Close()
	for target, argument := range map[string]string{"deploy": "STAGE=prod", "package": "BUCKET=none", "promote": "STAGE=dev"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			command := exec.CommandContext(t.Context(), "make", "--no-print-directory", target, argument)
			command.Dir, command.Stdout, command.Stderr = root, &stdout, &stderr
			command.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") }),
				"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true")
			if err := command.Run(); err == nil {
				t.Error("it passes without credentials")
			}
			if !strings.HasPrefix(stderr.String(), "There are no AWS credentials.") || stdout.Len() > 0 {
				t.Errorf("it prints %q and %q, want only that there are no credentials", stdout.String(), stderr.String())
			}
		})
	}
}

// environments are those of samconfig.toml that are deployed.
var environments = []string{"default", "staging", "prod"}

// translate returns the translated template of each environment.
var translate = sync.OnceValues(func() (map[string][]byte, error) {
	out, err := os.MkdirTemp("", "translated")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	if err := python(append([]string{"tools/translate", "--out", out}, environments...)...); err != nil {
		return nil, err
	}
	stacks := map[string][]byte{}
	for _, environment := range environments {
		if stacks[environment], err = os.ReadFile(filepath.Join(out, environment+".json")); err != nil {
			return nil, err
		}
	}
	return stacks, nil
})

// python runs a Python script of the repository with the SAM CLI's libraries.
func python(arguments ...string) error {
	interpreter := filepath.Join(".cache", "venv", "bin", "python")
	// Opened so that `go test` knows that the result depends on them.
	for _, input := range []string{"template.yaml", "samconfig.toml", "tools/translate", "tools/translate_test.py", "tools/credentials", "tools/credentials_test.py", interpreter} {
		file, err := os.Open(filepath.Join(root, input))
		if err != nil {
			return fmt.Errorf("%w (`make contract` installs Python's packages)", err)
		}
		file.Close()
	}
	script := exec.Command(interpreter, arguments...)
	script.Dir = root
	if output, err := script.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	return nil
}

// read returns a new copy of the stack of an environment.
func read(t *testing.T, environment string) translated.Stack {
	t.Helper()
	stacks, err := translate()
	if err != nil {
		t.Fatal(err)
	}
	stack, err := translated.Read(stacks[environment])
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

// TestTelemetryIsEncrypted has a URL that would carry telemetry, and the token for it, in clear.
func TestTelemetryIsEncrypted(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(read(t, "prod").Parameters["OtlpEndpoint"].AllowedPattern)
	for endpoint, want := range map[string]bool{
		"": true, "https://collector.example.com": true, "https://collector.example.com:4318/otlp": true,
		"http://collector.example.com:4318": false, "collector.example.com:4318": false,
	} {
		if got := pattern.MatchString(endpoint); got != want {
			t.Errorf("OtlpEndpoint accepts %q: %t, want %t", endpoint, got, want)
		}
	}
}

// TestTranslatedTemplate runs every rule on every environment.
func TestTranslatedTemplate(t *testing.T) {
	t.Parallel()
	if _, err := translate(); err != nil {
		t.Fatal(err)
	}
	for _, environment := range environments {
		t.Run(environment, func(t *testing.T) {
			t.Parallel()
			stack := read(t, environment)
			// `make package` builds once for all of them.
			if got := stack.Parameters["Architecture"].Default; got != "arm64" {
				t.Errorf("samconfig.toml: Architecture of %s is %v, want arm64, for which `make package` builds", environment, got)
			}

			rules := map[string][]string{
				"Functions":  translated.Functions(stack),
				"LogGroups":  translated.LogGroups(stack),
				"Aliases":    translated.Aliases(stack),
				"Size":       translated.Size(stack),
				"Events":     translated.Asynchronous(stack),
				"Roles":      translated.Roles(stack),
				"Routes":     translated.Routes(stack, routes()),
				"AccessLogs": translated.AccessLogs(stack),
				"Tables":     translated.Tables(stack, tables(environment)),
				"Secrets":    translated.Secrets(stack),
				"Alarms":     translated.Alarms(stack),
				"Dashboards": translated.Dashboards(stack),
				"CORS":       translated.CORS(stack),
			}
			if environment != "default" {
				rules["Deployments"] = translated.Deployments(stack)
			}
			if environment == "prod" {
				rules["Hashing"] = translated.Hashing(stack, "POST /v1/auth/login", "POST /v1/auth/register")
			}
			for name, faults := range rules {
				for _, fault := range faults {
					t.Errorf("%s: %s", name, fault)
				}
			}
		})
	}
}

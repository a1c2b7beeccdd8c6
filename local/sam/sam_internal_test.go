package sam

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/local/template"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) *CLI {
	t.Helper()
	c, err := Open(Config{Root: "../..", Command: "true", LogLevel: "WARN"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEnvironHandsNothingOnToFunctions(t *testing.T) {
	t.Parallel()
	got := open(t).environ([]string{
		"PATH=/bin", "HOME=/root", "AWS_ACCESS_KEY_ID=fake", "AWS_PROFILE=mine", "SAM_CLI_TELEMETRY=1",
		"COMMERCE_TABLE=theirs", "LOG_FORMAT=console", "DOCKER_HOST=unix:///d.sock",
	})
	want := []string{
		"PATH=/bin", "HOME=/root", "DOCKER_HOST=unix:///d.sock", "SAM_CLI_TELEMETRY=0", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_CONFIG_FILE=/dev/null", "AWS_DEFAULT_REGION=us-east-1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestEnvironmentNamesWhatSAMDoesNotKnow(t *testing.T) {
	t.Parallel()
	c := open(t)
	secrets := t.TempDir()
	for i, f := range c.template.Functions { // the secrets of this test, not of this machine
		for name, value := range f.Environment {
			if path, ok := strings.CutPrefix(value, "file:"); ok {
				mine := filepath.Join(secrets, filepath.Base(path))
				if err := os.WriteFile(mine, []byte(`{"key":"`+name+`"}`), 0o600); err != nil {
					t.Fatal(err)
				}
				c.template.Functions[i].Environment[name] = "file:" + mine
			}
		}
	}
	d := &Data{Endpoint: "http://127.0.0.1:8123", SQS: "http://127.0.0.1:9324", Stripe: "http://127.0.0.1:9325", cli: c}
	got, err := d.Environment("-mine")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"COMMERCE_TABLE": "CommerceTable-mine", "AUTH_TABLE": "AuthTable-mine", "AWS_ENDPOINT_URL_DYNAMODB": "http://host.docker.internal:8123", "LOG_LEVEL": "WARN",
		"TOKEN_KEYS_SECRET": `{"key":"TOKEN_KEYS_SECRET"}`, "CURSOR_KEY_SECRET": `{"key":"CURSOR_KEY_SECRET"}`,
		"LIMITER_KEY_SECRET": `{"key":"LIMITER_KEY_SECRET"}`, "RATELIMIT_TABLE": "RateLimitTable-mine",
		"REFRESH_KEYS_SECRET": `{"key":"REFRESH_KEYS_SECRET"}`, "IDENTIFIER_KEY_SECRET": `{"key":"IDENTIFIER_KEY_SECRET"}`,
		"AWS_ENDPOINT_URL_SQS": "http://host.docker.internal:9324",
		"STRIPE_BASE_URL":      "http://host.docker.internal:9325", "STRIPE_SECRET": `{"key":"STRIPE_SECRET"}`,
		"CARRIER_KEY_SECRET": `{"key":"CARRIER_KEY_SECRET"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestFromContainer(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:8000":         "http://host.docker.internal:8000",
		"http://localhost:8000":         "http://host.docker.internal:8000",
		"http://[::1]:8000":             "http://host.docker.internal:8000",
		"http://dynamodb.internal:8000": "http://dynamodb.internal:8000",
	} {
		if got, err := fromContainer(endpoint); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", endpoint, got, err, want)
		}
	}
}

func TestWriteEnvironmentIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "env.json")
	if err := (&CLI{template: &template.Template{}}).writeEnvironment(file, nil, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil || string(data) != "{\n  \"Parameters\": {}\n}\n" {
		t.Errorf("got %s, %v", data, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestContainersAreNoted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := &containers{out: &out}
	first, second := strings.Repeat("a", 64), strings.Repeat("b", 64)
	text := "Mounting\nSAM_CONTAINER_ID: " + first + "\nSTART\n2026 SAM_CONTAINER_ID: " + second + "\nSAM_CONTAINER_ID: x\n"
	for i := 0; i < len(text); i += 7 { // as a pipe delivers
		if _, err := w.Write([]byte(text[i:min(i+7, len(text))])); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{first, second}, w.started()); diff != "" {
		t.Errorf("containers (-want +got):\n%s", diff)
	}
	if out.String() != text {
		t.Errorf("handed on: %q", out.String())
	}
}

func TestClaimPort(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	want := fmt.Sprintf("port %d is taken: stop what listens there, or choose another one by PORT", taken)
	if _, err := claimPort(t.Context(), taken); err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	if port, err := claimPort(t.Context(), 0); err != nil || port == 0 {
		t.Errorf("got %d, %v", port, err)
	}
}

//nolint:paralleltest // it has a PATH of its own
func TestCheckDockerSaysWhatIsMissing(t *testing.T) {
	c := open(t)
	for name, tc := range map[string]struct{ script, want string }{
		"Installed": {"echo 20.10", ""},
		"Absent":    {"", "Docker is not installed: "},
		"Stopped":   {"echo cannot connect >&2; exit 1", "Docker does not answer: "},
		"Forbidden": {"echo permission denied >&2; exit 1", "Docker refuses this user: "},
	} {
		dir := t.TempDir()
		if tc.script != "" {
			if err := os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\n"+tc.script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("PATH", dir)
		err := c.CheckDocker(t.Context())
		if (err == nil) != (tc.want == "") || err != nil && !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestStandInIsTheSameBytesTwice(t *testing.T) {
	t.Parallel()
	c := open(t)
	venv := t.TempDir()
	rapid := filepath.Join(venv, "lib", "python3.11", "site-packages", "samcli", "local", "rapid")
	if err := os.MkdirAll(rapid, 0o755); err != nil {
		t.Fatal(err)
	}
	c.cfg.Command = filepath.Join(venv, "bin", "sam")
	if _, err := c.rootFS(context.Background()); err == nil || !strings.Contains(err.Error(), "has no emulator") {
		t.Errorf("without an emulator: got %v", err)
	}
	if err := os.WriteFile(filepath.Join(rapid, "aws-lambda-rie-"+c.arch), []byte("emulator"), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := c.rootFS(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.rootFS(context.Background())
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("two archives differ, %v", err)
	}
	for _, name := range []string{"var/rapid/aws-lambda-rie", "var/rapid/rie", "var/task/", "tmp/", "etc/passwd"} {
		if !bytes.Contains(first, []byte(name+"\x00")) {
			t.Errorf("the archive lacks %s", name)
		}
	}
}

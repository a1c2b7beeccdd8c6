package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"UnknownCommand": {args: []string{"deploy"}, want: `unknown command "deploy"`},
		"PortThatIsNone": {env: map[string]string{"PORT": "http"}, want: `PORT is "http", want a number`},
		"UnknownFlag":    {args: []string{"token", "-rolle", "x"}, want: "flag provided but not defined"},
		"UnknownSecret":  {args: []string{"keys", "-root", "..", "-secret", "CanarySecret"}, want: `no secret "CanarySecret"`},
		"AdminOfNobody":  {args: []string{"admin"}, want: "make admin EMAIL="},
		"AdminOfNoAPI":   {args: []string{"admin", "-root", "/nowhere", "-email", "a@b.example"}, want: "no API runs on port 3000"},
		"UnknownRole":    {args: []string{"token", "-root", "..", "-role", "catalog,nobody"}, want: `unknown role "nobody" (want admin, catalog, customer, `},
		"ThrottleOn":     {env: map[string]string{"THROTTLE": "on"}, want: `THROTTLE is "on", want off or nothing`},
		"LimitsOn":       {env: map[string]string{"LIMITS": "on"}, want: `LIMITS is "on", want off or nothing`},
		"SAMLimitsOn":    {args: []string{"sam", "api"}, env: map[string]string{"LIMITS": "on"}, want: `LIMITS is "on", want off or nothing`},
		"UnknownLogs":    {env: map[string]string{"LOGS": "xml"}, want: `LOGS is "xml", want json or nothing`},
		"NoTemplate":     {args: []string{"token", "-root", "/nowhere"}, want: "/nowhere/template.yaml"},
		"UnknownLogLevel": {
			args: []string{"token", "-root", ".."}, env: map[string]string{"LOG_LEVEL": "loud"},
			want: `the parameter LogLevel may not be "LOUD"`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := run(t.Context(), tt.args, environment(tt.env), &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestTokenIsPrintedAlone(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "template.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"token", "-root", root, "-role", "catalog"}, environment(nil), &out); err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "."); len(got) != 3 {
		t.Errorf("got %q, want one token and a line break", out.String())
	}
}

// TestInterruptedServeIsNotAFailure interrupts before the first step that can fail.
func TestInterruptedServeIsNotAFailure(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := run(ctx, []string{"-root", t.TempDir()}, environment(nil), &out); err != nil || out.Len() > 0 {
		t.Errorf("got %v and the output %q", err, &out)
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	broken := errors.New("port 3000 is taken")
	cancelled := fmt.Errorf("the fetch: %w", context.Canceled)
	for name, test := range map[string]struct {
		err         error
		interrupted bool
		code        int
		says        string
	}{
		"Success":            {nil, false, 0, ""},
		"ServedAndStopped":   {nil, true, 0, ""},
		"Failure":            {broken, false, 1, "local: port 3000 is taken\n"},
		"BrokenOff":          {cancelled, true, 130, ""},
		"FailureAndCtrlC":    {broken, true, 1, "local: port 3000 is taken\n"},
		"CancelledByNobody":  {cancelled, false, 1, "local: the fetch: context canceled\n"},
		"CodeOfAnotherOne":   {exitError(7), false, 7, ""},
		"CodeOfAWrappedOne":  {fmt.Errorf("x: %w", exitError(7)), false, 7, ""},
		"CodeOfAnEndedGroup": {exitError(130), true, 130, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var says bytes.Buffer
			if code := exitCode(test.err, test.interrupted, &says); code != test.code || says.String() != test.says {
				t.Errorf("got %d %q, want %d %q", code, &says, test.code, test.says)
			}
		})
	}
}

func TestTokenNamesTheSecretThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, ".cache", "secrets", "TokenKeysSecret.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "template.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"kid":`), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = run(t.Context(), []string{"token", "-root", root}, environment(nil), &out)
	if err == nil || !strings.HasPrefix(err.Error(), "the local secret "+path+" cannot be used: delete it") || out.Len() > 0 {
		t.Errorf("got %v and the output %q", err, &out)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	got, err := roles(" catalog, ,fulfilment")
	if diff := cmp.Diff([]string{"catalog", "fulfilment"}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestLimitsOff(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"": "", "off": "all"} {
		parameters := map[string]string{}
		if err := limits(environment(map[string]string{"LIMITS": value}), parameters); err != nil || parameters["RateLimitsOff"] != want {
			t.Errorf("LIMITS=%s: RateLimitsOff is %q (%v), want %q", value, parameters["RateLimitsOff"], err, want)
		}
	}
}

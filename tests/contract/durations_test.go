package contract_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/session"
)

// If the template accepts a duration that the code refuses, the deployed functions do not start.
func TestTemplateAcceptsNoDurationThatTheCodeRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		least, most time.Duration
		accepted    []string
	}{
		"TokenTTL":           {time.Second, jwt.MaxTTL, []string{"1s", "59s", "3600s", "1m", "15m", "60m", "1h"}},
		"SessionIdle":        {session.MinIdle, jwt.MaxRefreshTTL, []string{"1m", "90m", "99999m", "1h", "168h", "8760h"}},
		"RefreshRetryWindow": {0, session.MaxRetryWindow, []string{"0s", "2s", "99s", "300s", "1m", "5m"}},
		"SessionAbsolute":    {session.MinIdle, jwt.MaxRefreshTTL, []string{"1h", "720h", "8759h", "8760h"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			accepts := parameterPattern(t, name)
			for _, value := range tc.accepted {
				if !accepts(value) {
					t.Errorf("template.yaml: AllowedPattern or MaxLength of %s refuses %s, which the code accepts", name, value)
				}
			}
			if value := wrongDuration(accepts, tc.least, tc.most); value != "" {
				t.Errorf("template.yaml: AllowedPattern of %s accepts %s, want only whole seconds from %s to %s", name, value, tc.least, tc.most)
			}
		})
	}
}

// An attempt to log in that lived on after AttemptLife would be counted as a failure although it may be right. Workers
// log nobody in.
func TestFunctionsEndBeforeTheirAttempts(t *testing.T) {
	t.Parallel()
	for _, fn := range readTemplate(t).Functions {
		if len(fn.Routes) > 0 && fn.Timeout >= auth.AttemptLife {
			t.Errorf("%s may run for %s: raise auth.AttemptLife of %s", fn.Name, fn.Timeout, auth.AttemptLife)
		}
	}
}

func TestWrongDurationFindsWhatAPatternMustNotAccept(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ pattern, want string }{
		"Nothing":        {"[1-9]m|[1-5][0-9]m|60m|1h", ""},
		"TooLong":        {"[1-9][0-9]?m", "61m"},
		"TooLongInHours": {"[1-9]h", "2h"},
		"TooShort":       {"[0-9]m", "0m"},
		"PartOfASecond":  {"[1-9][0-9]{4}ms", "10001ms"},
		"NoUnit":         {"[1-9]m?", "1"},
		"NoUnitOfGo":     {"[1-9][md]", "1d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			accepts := regexp.MustCompile(`\A(?:` + tc.pattern + `)\z`).MatchString
			if got := wrongDuration(accepts, time.Second, time.Hour); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// wrongDuration returns an accepted value that is not a duration of whole seconds from least to most, or "".
// It tries every number below 100,000 with every unit that somebody may write.
func wrongDuration(accepts func(string) bool, least, most time.Duration) string {
	for _, unit := range []string{"", "ms", "s", "m", "h", "d"} {
		for n := range 100_000 {
			value := strconv.Itoa(n) + unit
			if !accepts(value) {
				continue
			}
			if d, err := time.ParseDuration(value); err != nil || d < least || d > most || d%time.Second != 0 {
				return value
			}
		}
	}
	return ""
}

// parameterPattern returns a function that reports whether a parameter of the template accepts a value.
func parameterPattern(t *testing.T, name string) func(string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Parameters map[string]struct {
			MaxLength      int    `yaml:"MaxLength"`
			AllowedPattern string `yaml:"AllowedPattern"`
		} `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	p := doc.Parameters[name]
	if p.AllowedPattern == "" {
		t.Fatalf("template.yaml: the parameter %s has no AllowedPattern", name)
	}
	pattern := regexp.MustCompile(`\A(?:` + p.AllowedPattern + `)\z`)
	return func(value string) bool { return len(value) <= p.MaxLength && pattern.MatchString(value) }
}

package contract_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/session"
)

// A duration that the template takes and the code refuses is a deployment whose functions do not start.
func TestTemplateTakesNoDurationThatTheCodeRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		least, most time.Duration
		taken       []string
	}{
		"TokenTTL":        {time.Second, jwt.MaxTTL, []string{"1s", "59s", "3600s", "1m", "15m", "60m", "1h"}},
		"SessionIdle":     {session.MinIdle, jwt.MaxRefreshTTL, []string{"1m", "90m", "99999m", "1h", "168h", "8760h"}},
		"SessionAbsolute": {session.MinIdle, jwt.MaxRefreshTTL, []string{"1h", "720h", "8759h", "8760h"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			takes := parameterPattern(t, name)
			for _, value := range tc.taken {
				if !takes(value) {
					t.Errorf("%s is refused", value)
				}
			}
			for _, unit := range []string{"", "ms", "s", "m", "h", "d"} {
				for n := range 100_000 {
					value := strconv.Itoa(n) + unit
					if !takes(value) {
						continue
					}
					if d, err := time.ParseDuration(value); err != nil || d < tc.least || d > tc.most || d%time.Second != 0 {
						t.Fatalf("%s is taken, and is not between %s and %s", value, tc.least, tc.most)
					}
				}
			}
		})
	}
}

// parameterPattern returns whether the template's parameter takes a value by its pattern and length.
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
		t.Fatalf("the template has no pattern of %s", name)
	}
	pattern := regexp.MustCompile(`\A(?:` + p.AllowedPattern + `)\z`)
	return func(value string) bool { return len(value) <= p.MaxLength && pattern.MatchString(value) }
}

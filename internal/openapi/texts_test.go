package openapi_test

import (
	"regexp"
	"testing"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/internal/policy"
)

func TestPatternsRefuseWhatValidateRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules openapi.Rules
		fault func(string, int) string
	}{
		"Name": {openapi.Name(9), policy.NameFault}, "Line": {openapi.Line(9), policy.LineFault}, "Text": {openapi.Text(9), policy.TextFault},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pattern := regexp.MustCompile(c.rules.Pattern)
			for r := range rune(0x100) {
				for _, text := range []string{"a" + string(r) + "a", string(r) + "a", "a" + string(r)} {
					if got, want := pattern.MatchString(text), c.fault(text, c.rules.MaxLength) == ""; got != want {
						t.Errorf("%q: the pattern matches: %t; Validate accepts it: %t", text, got, want)
					}
				}
			}
			for text, want := range map[string]bool{"": name != "Name", "a": true, "two words": true, "Čaj": true, "茶": true, "☕": true} {
				if got := pattern.MatchString(text); got != want {
					t.Errorf("%q: the pattern matches: %t, want %t", text, got, want)
				}
			}
		})
	}
}

package policy_test

import (
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/internal/policy"
)

func TestPersonNameFault(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ name, want string }{
		"OneWord":             {"María", ""},
		"OneSign":             {"李", ""},
		"Spaces":              {"María  López", ""},
		"Longest":             {strings.Repeat("𝄞", policy.MaxPersonName), ""},
		"TooLong":             {strings.Repeat("ñ", policy.MaxPersonName+1), "must not have more than 200 characters"},
		"Empty":               {"", "must not be blank"},
		"Space":               {" \u3000", "must not be blank"},
		"Tab":                 {" \t", "must not be blank"},
		"Joiner":              {"می\u200cخواهم", ""},
		"Invisible":           {"\u200b\ufeff \u2060", "must not be blank"},
		"HangulFillers":       {"\u115f\u1160\u3164\uffa0", "must not be blank"},
		"BlankBraille":        {"\u2800", "must not be blank"},
		"HangulWithFiller":    {"\u115f\u1161", ""},
		"SpaceAtTheEnd":       {"María ", "must not begin or end with a space"},
		"SpaceAtTheBeginning": {"\u00a0María", "must not begin or end with a space"},
		"RightToLeftOverride": {"María \u202eadmin", "must not contain control characters"},
		"FirstIsolate":        {"\u2066María", "must not contain control characters"},
		"LastIsolate":         {"María\u2069", "must not contain control characters"},
		"FirstEmbedding":      {"\u202aMaría", "must not contain control characters"},
		"NarrowSpace":         {"María\u202fLópez", ""},
		"LineSeparator":       {"María\u2028López", "must not contain control characters"},
		"NewLine":             {"María\nLópez", "must not contain control characters"},
		"NUL":                 {"María\x00", "must not contain control characters"},
		"NextLine":            {"María\u0085López", "must not contain control characters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := policy.PersonNameFault(tc.name); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

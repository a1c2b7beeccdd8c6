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
		"OneCharacter":        {"李", ""},
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
		"BlankNote":           {"\U0001d159", "must not be blank"},
		"FillerAtTheEnd":      {"María\u3164", "must not begin or end with a space"},
		"BrailleAtTheEnd":     {"María\u2800", "must not begin or end with a space"},
		"FillerBefore":        {"\uffa0María", "must not begin or end with a space"},
		"OnlyMarks":           {"\u0301\ufe0f", "must not be blank"},
		"LetterWithMark":      {"e\u0301", ""},
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
		"Noncharacter":        {"María\uffff", "must not contain control characters"},
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

func TestTextFault(t *testing.T) {
	t.Parallel()
	const control, invisible = "must not contain control characters", "must not be invisible"
	for name, tc := range map[string]struct{ text, asLine, asText string }{
		"Empty":              {"", "", ""},
		"Spaces":             {" a ", "", ""},
		"OnlySpaces":         {" \u3000", "", ""},
		"HangulFiller":       {" \u3164", invisible, invisible},
		"BlankBraille":       {"\u2800", invisible, invisible},
		"ZeroWidth":          {"\u200b\ufeff", invisible, invisible},
		"SoftHyphen":         {"\u00ad", invisible, invisible},
		"SpaceInBraille":     {"\u2801\u2800\u2803", "", ""},
		"Longest":            {"☕☕☕☕☕", "", ""},
		"TooLong":            {"☕☕☕☕☕☕", "must not have more than 5 characters", "must not have more than 5 characters"},
		"LineBreak":          {"a\nb", control, ""},
		"CarriageReturn":     {"a\r\nb", control, ""},
		"LineSeparator":      {"a\u2028b", control, ""},
		"ParagraphSeparator": {"a\u2029b", control, ""},
		"Tab":                {"a\tb", control, ""},
		"NUL":                {"a\x00", control, control},
		"NextLine":           {"a\u0085", control, control},
		"Override":           {"a\u202eb", control, control},
		"Noncharacter":       {"\ufdd0", control, control},
		"HighNoncharacter":   {"\U0010ffff", control, control},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := policy.LineFault(tc.text, 5); got != tc.asLine {
				t.Errorf("as a line: got %q, want %q", got, tc.asLine)
			}
			if got := policy.TextFault(tc.text, 5); got != tc.asText {
				t.Errorf("as a text: got %q, want %q", got, tc.asText)
			}
		})
	}
}

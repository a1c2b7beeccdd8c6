package policy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxPersonName is the length of a person's name in characters (Unicode code points).
const MaxPersonName = 200

// PersonNameFault returns the rule that the name of a person breaks, and "" for a name that breaks none.
// Whoever takes a name holds it to this: it is given when registering and changed in the profile.
func PersonNameFault(name string) string {
	switch {
	case strings.TrimSpace(name) == "":
		return "must not be blank"
	case utf8.RuneCountInString(name) > MaxPersonName:
		return fmt.Sprintf("must not have more than %d characters", MaxPersonName)
	case strings.ContainsFunc(name, unicode.IsControl):
		return "must not contain control characters"
	default:
		return ""
	}
}

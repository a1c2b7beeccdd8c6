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
	case strings.TrimFunc(name, invisible) == "":
		return "must not be blank"
	case strings.TrimSpace(name) != name:
		return "must not begin or end with a space"
	case utf8.RuneCountInString(name) > MaxPersonName:
		return fmt.Sprintf("must not have more than %d characters", MaxPersonName)
	case strings.ContainsFunc(name, Unprintable):
		return "must not contain control characters"
	default:
		return ""
	}
}

// Unprintable reports whether r has no business in a line of text: a control character, an end of line or
// paragraph, or one that reorders what stands around it (Unicode Standard Annex 9, explicit directional
// formatting), by which a name can look like another or turn a list around. Joiners and marks of writing
// direction, which names in some scripts need, are none of these.
func Unprintable(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

// invisible reports whether nothing is seen where r stands: a space, a control or format character, a
// filler of Hangul, or the braille pattern without dots. The last two are letters and a symbol to Unicode.
func invisible(r rune) bool {
	switch r {
	case '\u115F', '\u1160', '\u3164', '\uFFA0', '\u2800':
		return true
	default:
		return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf)
	}
}

package policy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxPersonName is the maximum length of a person's name in characters (Unicode code points).
const MaxPersonName = 200

// PersonNameFault returns the rule that a person's name breaks, and "" if it breaks none. The registration and
// the profile both apply it.
func PersonNameFault(name string) string { return NameFault(name, MaxPersonName) }

// NameFault returns the rule that a name breaks, and "" if it breaks none: one line that shows something, of at
// most limit characters, without a space at either end.
func NameFault(s string, limit int) string {
	switch {
	case blank(s):
		return "must not be blank"
	case strings.TrimFunc(s, space) != s:
		return "must not begin or end with a space"
	default:
		return LineFault(s, limit)
	}
}

// LineFault returns the rule that one line of text breaks, and "" if it breaks none: at most limit characters,
// all of them printable. It may be empty or only spaces, and otherwise shows something.
func LineFault(s string, limit int) string {
	return fault(s, limit, unprintable)
}

// TextFault returns the rule that a text breaks, and "" if it breaks none: at most limit characters, all of
// them printable apart from line breaks and tabs. It may be empty or only spaces, and otherwise shows something.
func TextFault(s string, limit int) string {
	return fault(s, limit, func(r rune) bool { return unprintable(r) && r != '\t' && !lineBreak(r) })
}

func fault(s string, limit int, refused func(rune) bool) string {
	switch {
	case utf8.RuneCountInString(s) > limit:
		return fmt.Sprintf("must not have more than %d characters", limit)
	case strings.ContainsFunc(s, refused):
		return "must not contain control characters"
	case blank(s) && strings.TrimSpace(s) != "":
		return "must not be invisible"
	default:
		return ""
	}
}

// blank reports whether s shows nothing: it has no letter, number, symbol or punctuation mark, other than those
// that Unicode calls so although they are invisible.
func blank(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.L, unicode.N, unicode.S, unicode.P) && !invisible(r)
	})
}

// invisible reports whether r is a letter or symbol that shows nothing: a Hangul filler, the braille pattern
// without dots, or the musical note without a head.
func invisible(r rune) bool {
	return r == '\u2800' || r == '\U0001D159' || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// space reports whether r is a space, or looks like one at the end of a line. The fillers of old Hangul syllables
// do not.
func space(r rune) bool {
	return unicode.IsSpace(r) || r == '\u2800' || r == '\u3164' || r == '\uFFA0'
}

func lineBreak(r rune) bool {
	switch r {
	case '\n', '\r', '\u2028', '\u2029':
		return true
	default:
		return false
	}
}

// unprintable reports whether r does not belong in a line of text: a control character, the end of a line or
// paragraph, a noncharacter (Unicode section 23.7), or one that reorders the text around it (Unicode Standard
// Annex 9, explicit directional formatting), with which a name can imitate another. Joiners and direction
// marks, which names in some scripts need, are printable.
func unprintable(r rune) bool {
	switch {
	case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp):
		return true
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
		return true
	default:
		return r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE
	}
}

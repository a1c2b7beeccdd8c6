package password

import (
	_ "embed" // the list of common passwords
	"errors"
	"strings"
	"unicode/utf8"
)

// The length of a password, in characters (Unicode code points).
const (
	MinLength = 8
	// MaxLength limits the work that one request can cause; hashing itself has no limit.
	MaxLength = 128
)

// The reasons for which Check refuses a password. Each text is a rule, for the user who chose it.
var (
	ErrTooShort  = errors.New("must have at least 8 characters")
	ErrTooLong   = errors.New("must not have more than 128 characters")
	ErrCommon    = errors.New("is one of the passwords that are guessed first")
	ErrGuessable = errors.New("must not be your name or your e-mail address")
)

// common is a sorted list of lower-case passwords, one a line: those of the 20,000 most common
// passwords in Django 5.2 that have at least MinLength characters, collected by Royce Williams
// (https://gist.github.com/roycewilliams/226886fd01572964e1431ac8afc999ce). Django's license is in
// common.LICENSE.
//
//go:embed common.txt
var common string

// Check refuses a new password that is too short, too long, among the most common ones in any letter
// case, or equal to one of known but for letter case and surrounding space. known is what others know about the
// owner, such as the name and the e-mail address; of an address the part before the @ counts too. Check returns nil
// or one of the errors above. Do not call it for a login: an old password may break the rules.
func Check(password string, known ...string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < MinLength:
		return ErrTooShort
	case n > MaxLength:
		return ErrTooLong
	case isCommon(strings.ToLower(password)):
		return ErrCommon
	}
	trimmed := strings.TrimSpace(password)
	for _, k := range known {
		k = strings.TrimSpace(k)
		local, _, _ := strings.Cut(k, "@")
		local = strings.TrimSpace(local)
		if trimmed != "" && (strings.EqualFold(trimmed, k) || strings.EqualFold(trimmed, local)) {
			return ErrGuessable
		}
	}
	return nil
}

// isCommon does a binary search in the embedded text: building a map would slow every cold start.
func isCommon(password string) bool {
	if strings.Contains(password, "\n") {
		return false
	}
	list := common
	for list != "" {
		// The line around the middle.
		middle := len(list) / 2
		start := strings.LastIndexByte(list[:middle], '\n') + 1
		line, _, _ := strings.Cut(list[start:], "\n")
		switch {
		case line == password:
			return true
		case password < line:
			list = list[:start]
		default:
			list = list[min(start+len(line)+1, len(list)):]
		}
	}
	return false
}

package logging

import "strings"

// headerValue returns the span of the value of a credential's header that starts at s[i]. It is hidden whole,
// because parameters, quotes and separators are the scheme's own: inside its quotes or its list where quoted
// says that the name is a member's or a key's (JSON, %q, %#v), in its brackets where a map was printed with
// %v, and else to the end of the line, continued lines included.
func headerValue(s string, i int, quoted, spaced bool) (from, to int) {
	rest := strings.TrimLeft(s[i:], `\`)
	opening := len(s) - len(rest)
	switch {
	case rest == "":
	case quoted && (rest[0] == '"' || rest[0] == '\''):
		return opening + 1, quoteEnd(s, opening, opening-i)
	case quoted && (rest[0] == '[' || rest[0] == '{'):
		if brace := strings.IndexByte(rest, '{'); strings.HasPrefix(rest, "[]") && brace > 0 { // []string{"a"}
			opening += brace
		}
		return opening + 1, listEnd(s, opening+1)
	case !spaced && rest[0] == '[':
		return opening + 1, printedEnd(s, opening+1)
	}
	return i, lineEnd(s, i)
}

// quoteEnd returns the index of the quote that closes the one at s[i], which escapes backslashes protect, or
// the end of s. A text that was quoted n times has 2ⁿ-1 of them.
func quoteEnd(s string, i, escapes int) int {
	backslashes := 0
	for j := i + 1; j < len(s); j++ {
		switch {
		case s[j] == '\\':
			backslashes++
			continue
		case s[j] == s[i] && backslashes%(2*(escapes+1)) == escapes:
			return j - escapes
		}
		backslashes = 0
	}
	return len(s)
}

// listEnd returns the index of the bracket that closes the list whose elements start at s[i]. Brackets inside
// quotes do not count.
func listEnd(s string, i int) int {
	for escapes := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			escapes++
			continue
		case '"', '\'':
			end := quoteEnd(s, i, escapes)
			i = end + escapes
		case ']', '}':
			return i
		}
		escapes = 0
	}
	return len(s)
}

// printedEnd returns the index of the bracket that closes the list of strings at s[i] in a map that was printed
// with %v. The strings are not quoted: a bracket closes the list where the next name, or nothing else, follows.
func printedEnd(s string, i int) int {
	for ; i < len(s) && s[i] != '\n'; i++ {
		if s[i] != ']' {
			continue
		}
		after := strings.TrimLeft(s[i:], "]})")
		if after == "" || after[0] == '\n' {
			return i
		}
		closed := len(s) - len(after) // the brackets up to here close the list all or none
		if name := strings.TrimLeft(after, " ,"); len(name) < len(after) {
			n := 0
			for n < len(name) && (isWord(name[n]) || name[n] == '-') {
				n++
			}
			if n > 0 && n < len(name) && name[n] == ':' {
				return i
			}
		}
		i = closed - 1
	}
	return i
}

// lineEnd returns the end of the header line at s[i], which a line that begins with a space continues (RFC 9112
// section 5.2). A line end may be written as the escapes \r\n.
func lineEnd(s string, i int) int {
	for ; i < len(s); i++ {
		var next int
		switch {
		case s[i] == '\r' || s[i] == '\n':
			next = i + 1
			if strings.HasPrefix(s[i:], "\r\n") {
				next++
			}
		case strings.HasPrefix(s[i:], `\r\n`):
			next = i + len(`\r\n`)
		default:
			continue
		}
		if next >= len(s) || s[next] != ' ' && s[next] != '\t' {
			return i
		}
	}
	return i
}

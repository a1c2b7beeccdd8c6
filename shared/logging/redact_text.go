package logging

import "strings"

// text hides secrets in free text: Bearer and Basic credentials, JSON Web Tokens, card numbers,
// passwords in URLs, and the values of secret names in "name=value", "name: value" and quoted forms.
// It reports whether it changed anything, and allocates nothing otherwise.
func (r *redactor) text(s string) (string, bool) {
	var out []byte
	copied := 0      // s up to here is in out
	noJWTBefore := 0 // no JSON Web Token starts before this index
	for i := 0; i < len(s); {
		from, to := i, i
		switch c := s[i]; {
		case c == 'e' && i >= noJWTBefore && strings.HasPrefix(s[i:], jwtStart):
			to, noJWTBefore = jwtEnd(s, i)
		case c == 'b' || c == 'B':
			from, to = credentials(s, i)
		case c >= '0' && c <= '9':
			if len(s)-i < panMin {
				i = digitsEnd(s, i)
				continue
			}
			if to = panAt(s, i); to == i {
				i = digitsEnd(s, i)
				continue
			}
		case c == ':' && strings.HasPrefix(s[i:], "://"):
			from, to = urlPassword(s, i+len("://"))
		case c == '=' || c == ':':
			from, to = r.assigned(s, i)
		}
		if to <= from {
			i++
			continue
		}
		out = append(append(out, s[copied:from]...), Redacted...)
		copied, i = to, to
	}
	if out == nil {
		return s, false
	}
	return string(append(out, s[copied:]...)), true
}

// jwtStart begins every JSON Web Token: it is the base64 of `{"`.
const jwtStart = "eyJ"

// jwtEnd returns the end of the JSON Web Token at s[i:], which starts with jwtStart, or i if that is not a token. The next
// token starts at next or later, so that a text of many "eyJ" is read only once.
func jwtEnd(s string, i int) (end, next int) {
	const minHeader = 12 // {"alg":"x"}
	end = i
	for end < len(s) && (isWord(s[end]) || s[end] == '-' || s[end] == '.') {
		end++
	}
	switch dot := strings.IndexByte(s[i:end], '.'); {
	case dot < 0 || dot == end-i-1:
		return i, end
	case dot < minHeader:
		return i, i + dot
	default:
		return end, end
	}
}

// credentials returns the span of the credentials that follow a "Bearer" or "Basic" at s[i]. "Basic" is also a word, so what follows must decode to user:password.
func credentials(s string, i int) (from, to int) {
	if i > 0 && isWord(s[i-1]) {
		return i, i
	}
	var basic bool
	switch {
	case hasPrefixFold(s[i:], "bearer"):
		from = i + len("bearer")
	case hasPrefixFold(s[i:], "basic"):
		from, basic = i+len("basic"), true
	default:
		return i, i
	}

	sep := from
	for from < len(s) && (s[from] == ' ' || s[from] == '\t') {
		from++
	}
	if from == sep && strings.HasPrefix(s[from:], "%20") {
		from += len("%20")
	}
	if from == sep {
		return i, i
	}
	to = from
	for to < len(s) && (isWord(s[to]) || strings.IndexByte("-._~+/=", s[to]) >= 0) {
		to++
	}
	if basic && !isBasic(s[from:to]) {
		return i, i
	}
	return from, to
}

// assigned returns the span of the value of a secret name. s[i] is the "=" or ":" between them.
func (r *redactor) assigned(s string, i int) (from, to int) {
	nameEnd := i
	for nameEnd > 0 && s[nameEnd-1] == ' ' {
		nameEnd--
	}
	quoted := nameEnd > 0 && strings.IndexByte(`"']`, s[nameEnd-1]) >= 0
	for nameEnd > 0 && strings.IndexByte(`"']\`, s[nameEnd-1]) >= 0 {
		nameEnd--
	}
	start := nameEnd
	for start > 0 && nameEnd-start <= maxKeyName && (isWord(s[start-1]) || s[start-1] == '-') {
		start--
	}
	if start > 0 && start < nameEnd && s[start-1] == '\\' && strings.IndexByte("nrt", s[start]) >= 0 {
		start++ // the escape \n is not a part of the name
	}
	if start == nameEnd || !r.sensitive(s[start:nameEnd]) {
		return i, i
	}

	header := isHeader(s[start:nameEnd])
	from = i + 1
	if from < len(s) && s[from] == '=' { // "=="
		from++
	}
	// "verify token: expired" is how Go joins errors; a header line looks the same.
	if from < len(s) && s[from] == ' ' && s[i] == ':' && !quoted && !header {
		return i, i
	}
	spaced := false
	for from < len(s) && s[from] == ' ' {
		from, spaced = from+1, true
	}
	if header {
		return headerValue(s, from, quoted, spaced)
	}
	return textValue(s, from)
}

// textValue returns the span of the value that starts at s[i]: inside its quotes or brackets, else up to a
// delimiter.
func textValue(s string, i int) (from, to int) {
	stop := " \t\r\n&;,\"')]}"
	from = i
	if rest := strings.TrimLeft(s[i:], `\`); len(rest) > 0 {
		opening := len(s) - len(rest)
		switch rest[0] {
		case '"', '\'':
			return opening + 1, quoteEnd(s, opening, opening-i)
		case '[':
			from, stop = opening+1, "]"
			// A slice as %#v prints it: []string{"a"}.
			if brace := strings.IndexByte(rest, '{'); strings.HasPrefix(rest, "[]") && brace > 0 {
				from, stop = opening+brace+1, "}"
			}
		case '{':
			from, stop = opening+1, "}"
		}
	}
	to = from
	for to < len(s) && strings.IndexByte(stop, s[to]) < 0 {
		to++
	}
	return from, to
}

// urlPassword returns the span of the password in the user:password@host that starts at s[i].
func urlPassword(s string, i int) (from, to int) {
	end := i
	for end < len(s) && strings.IndexByte("/?# \t\r\n\"'", s[end]) < 0 {
		end++
	}
	at := strings.LastIndexByte(s[i:end], '@')
	if at < 0 {
		return i, i
	}
	colon := strings.IndexByte(s[i:i+at], ':')
	if colon < 0 {
		return i, i
	}
	return i + colon + 1, i + at
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func hasPrefixFold(s string, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

package logging

import "bytes"

// text hides what looks like a secret in free text: Bearer and Basic credentials, JSON Web
// Tokens, card numbers, and the values of secret names in "name=value", "name: value" and
// quoted forms. It reports whether it changed anything.
func (r *redactor) text(s []byte) ([]byte, bool) {
	out := splice{src: s}
	noJWT := 0 // none starts before this index
	for i := 0; i < len(s); {
		from, to := i, i
		switch c := s[i]; {
		case c == 'e' && i >= noJWT:
			to, noJWT = jwtEnd(s, i)
		case c == 'b' || c == 'B':
			from, to = credentials(s, i)
		case c >= '0' && c <= '9':
			if to = panAt(s, i); to == i {
				i = digitsEnd(s, i)
				continue
			}
		case c == ':' && bytes.HasPrefix(s[i:], []byte("://")):
			from, to = urlPassword(s, i+len("://"))
		case c == '=' || c == ':':
			from, to = r.assigned(s, i)
		}
		if to <= from {
			i++
			continue
		}
		out.replace(from, to, Redacted)
		i = to
	}
	return out.bytes(), out.changed()
}

// jwtEnd returns the end of the JSON Web Token that starts at s[i], or i. "eyJ" is the base64 of
// `{"`. When there is none, next is where one may start at the earliest: without it a text of
// nothing but "eyJ" would cost the square of its length.
func jwtEnd(s []byte, i int) (end, next int) {
	if !bytes.HasPrefix(s[i:], []byte("eyJ")) {
		return i, i
	}
	const minHeader = 12 // {"alg":"x"}
	end = i
	for end < len(s) && (isWord(s[end]) || s[end] == '-' || s[end] == '.') {
		end++
	}
	switch dot := bytes.IndexByte(s[i:end], '.'); {
	case dot < 0 || dot == end-i-1:
		return i, end
	case dot < minHeader:
		return i, i + dot
	default:
		return end, end
	}
}

// credentials returns the span of the credentials behind a "Bearer" or "Basic" that starts at
// s[i]. "Basic" is also a word, so what follows must decode to user:password.
func credentials(s []byte, i int) (from, to int) {
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
	if from == sep && bytes.HasPrefix(s[from:], []byte("%20")) {
		from += len("%20")
	}
	if from == sep {
		return i, i
	}
	to = from
	for to < len(s) && (isWord(s[to]) || bytes.IndexByte([]byte("-._~+/="), s[to]) >= 0) {
		to++
	}
	if basic && !isBasic(s[from:to]) {
		return i, i
	}
	return from, to
}

// assigned returns the span of the value of a secret name, with s[i] the "=" or ":" between.
func (r *redactor) assigned(s []byte, i int) (from, to int) {
	nameEnd := i
	for nameEnd > 0 && s[i] == '=' && s[nameEnd-1] == ' ' {
		nameEnd--
	}
	quoted := nameEnd > 0 && bytes.IndexByte([]byte(`"']`), s[nameEnd-1]) >= 0
	for nameEnd > 0 && bytes.IndexByte([]byte(`"']\`), s[nameEnd-1]) >= 0 {
		nameEnd--
	}
	start := nameEnd
	for start > 0 && nameEnd-start <= maxKeyName && (isWord(s[start-1]) || s[start-1] == '-') {
		start--
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
	for from < len(s) && s[from] == ' ' {
		from++
	}
	return textValue(s, from, header)
}

// textValue returns the span of the value that starts at s[i]: inside its quotes or brackets,
// else up to a delimiter, or for a header's value to the end of the line.
func textValue(s []byte, i int, header bool) (from, to int) {
	stop := " \t\r\n&;,\"')]}"
	if header {
		stop = "\r\n\"]}"
	}
	from = i
	escapes := false // a backslash protects the next byte
	if rest := bytes.TrimLeft(s[i:], `\`); len(rest) > 0 {
		opening := len(s) - len(rest)
		switch rest[0] {
		case '"', '\'':
			escapes = opening == i
			from, stop = opening+1, string(rest[:1])
		case '[':
			from, stop = opening+1, "]"
			// A slice as %#v prints it: []string{"a"}.
			if brace := bytes.IndexByte(rest, '{'); bytes.HasPrefix(rest, []byte("[]")) && brace > 0 {
				from, stop = opening+brace+1, "}"
			}
		case '{':
			from, stop = opening+1, "}"
		}
	}
	to = from
	for to < len(s) && bytes.IndexByte([]byte(stop), s[to]) < 0 {
		if escapes && s[to] == '\\' {
			to++
		}
		to++
	}
	return from, min(to, len(s))
}

// urlPassword returns the span of the password in the user:password@host that starts at s[i].
func urlPassword(s []byte, i int) (from, to int) {
	end := i
	for end < len(s) && bytes.IndexByte([]byte("/?# \t\r\n\"'"), s[end]) < 0 {
		end++
	}
	at := bytes.LastIndexByte(s[i:end], '@')
	if at < 0 {
		return i, i
	}
	colon := bytes.IndexByte(s[i:i+at], ':')
	if colon < 0 {
		return i, i
	}
	return i + colon + 1, i + at
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func hasPrefixFold(s []byte, prefix string) bool {
	return len(s) >= len(prefix) && bytes.EqualFold(s[:len(prefix)], []byte(prefix))
}

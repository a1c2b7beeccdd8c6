package logging

import (
	"context"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Context returns a field that gives a second core the context of a line. No core writes it.
func Context(ctx context.Context) zap.Field {
	return zap.Field{Key: "context", Type: zapcore.SkipType, Interface: ctx}
}

// RedactText returns s without the secrets that a log line would hide, and without e-mail addresses. It is for what
// leaves the process on another way than a log line: the attributes of spans, the text of an error.
func RedactText(s string) string { return redactAddresses(newRedactor(nil).value(s)) }

// Attribute returns a function for the values of named attributes: values of secret names and secrets inside texts
// are hidden, e-mail addresses too.
func Attribute() func(name, value string) string {
	r := newRedactor(nil)
	return func(name, value string) string {
		return redactAddresses(r.named(name, value))
	}
}

// redactAddresses hides what looks like an e-mail address: text, "@" or "%40", and a domain with a dot.
func redactAddresses(s string) string {
	if !strings.Contains(s, "@") && !strings.Contains(s, "%40") {
		return s
	}
	var out strings.Builder
	for s != "" {
		at, width := strings.IndexByte(s, '@'), 1
		if encoded := strings.Index(s, "%40"); at < 0 || encoded >= 0 && encoded < at {
			at, width = encoded, 3
		}
		if at < 0 {
			break
		}
		from := at
		for from > 0 && isAddress(s[from-1]) {
			from--
		}
		to := at + width
		for to < len(s) && isAddress(s[to]) {
			to++
		}
		if from == at || !strings.Contains(s[at+width:to], ".") {
			out.WriteString(s[:at+width])
			s = s[at+width:]
			continue
		}
		out.WriteString(s[:from])
		out.WriteString(Redacted)
		s = s[to:]
	}
	out.WriteString(s)
	return out.String()
}

// isAddress reports whether c may be in an e-mail address.
func isAddress(c byte) bool {
	return isWord(c) || strings.IndexByte(".!#$%&'*+-=^~", c) >= 0
}

package ratelimit

import (
	"strconv"
	"strings"
)

// Subject is what a limit counts: one client address, one user, one account. Build it with NewSubject. It may be
// personal data: stores keep only a keyed hash of it.
type Subject string

// NewSubject returns the subject of a kind ("ip", "user") that its parts identify. Each part has its length in front
// (a netstring, https://cr.yp.to/proto/netstrings.txt), so that different arguments never give the same subject,
// whatever bytes they have.
func NewSubject(kind string, parts ...string) Subject {
	size := len(kind) + 4
	for _, part := range parts {
		size += len(part) + 4
	}
	b := appendNetstring(make([]byte, 0, size), kind)
	for _, part := range parts {
		b = appendNetstring(b, part)
	}
	return Subject(b)
}

// Kind returns the kind that NewSubject was given, which names what is counted and is not personal data; "" for a text
// that NewSubject has not made.
func (s Subject) Kind() string {
	size, rest, _ := strings.Cut(string(s), ":")
	n, err := strconv.Atoi(size)
	if err != nil || n < 0 || n > len(rest) {
		return ""
	}
	return rest[:n]
}

func appendNetstring(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	return append(b, s...)
}

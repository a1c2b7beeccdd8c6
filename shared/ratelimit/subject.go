package ratelimit

import "strconv"

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

func appendNetstring(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	return append(b, s...)
}

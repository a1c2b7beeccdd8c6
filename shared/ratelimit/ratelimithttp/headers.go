package ratelimithttp

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// The headers of https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10, in their canonical form.
const (
	// HeaderRateLimit has the state of each limit: `"user";r=42;t=13`, r units left, more of them in t seconds.
	HeaderRateLimit = "Ratelimit"
	// HeaderRateLimitPolicy has the limits: `"user";q=300;w=60`, q units per window of w seconds.
	HeaderRateLimitPolicy = "Ratelimit-Policy"
)

// The headers that clients know from before the draft, of the limit that is closest to its end.
const (
	HeaderLegacyLimit     = "X-Ratelimit-Limit"
	HeaderLegacyRemaining = "X-Ratelimit-Remaining"
	// HeaderLegacyReset has seconds since 1970. Other libraries mean other things by it.
	HeaderLegacyReset = "X-Ratelimit-Reset"
)

// policyHeader returns the value of RateLimit-Policy. It is a list of RFC 9651; a policy's name needs no escapes.
func policyHeader(policies []ratelimit.Policy) string {
	var b []byte
	for _, p := range policies {
		if p.Shadow {
			continue
		}
		b = appendItem(b, p.Name)
		b = strconv.AppendInt(append(b, ";q="...), p.Limit, 10)
		b = strconv.AppendInt(append(b, ";w="...), int64(p.Window/time.Second), 10)
	}
	return string(b)
}

// appendResult adds a member to the value of RateLimit.
func appendResult(b []byte, r ratelimit.Result) []byte {
	b = appendItem(b, r.Policy.Name)
	b = strconv.AppendInt(append(b, ";r="...), max(0, r.Remaining), 10)
	if r.MoreAfter > 0 {
		b = strconv.AppendInt(append(b, ";t="...), seconds(r.MoreAfter), 10)
	}
	return b
}

func appendItem(b []byte, name string) []byte {
	if len(b) > 0 {
		b = append(b, ", "...)
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, '"')
}

// shared reports whether caches may keep the answer for other clients (RFC 9111, section 3.5).
func shared(h http.Header) bool {
	for _, value := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(value, ",") {
			name, _, _ := strings.Cut(strings.TrimSpace(directive), "=")
			if strings.EqualFold(name, "public") || strings.EqualFold(name, "s-maxage") {
				return true
			}
		}
	}
	return false
}

// seconds rounds up, so that nobody comes too early.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// setLegacy sets the headers from before the draft by the strictest result.
func setLegacy(h http.Header, strictest ratelimit.Result, now time.Time) {
	wait := max(strictest.MoreAfter, strictest.RetryAfter)
	h[HeaderLegacyLimit] = []string{strconv.FormatInt(strictest.Policy.Capacity(), 10)}
	h[HeaderLegacyRemaining] = []string{strconv.FormatInt(max(0, strictest.Remaining), 10)}
	h[HeaderLegacyReset] = []string{strconv.FormatInt(now.Unix()+seconds(wait), 10)}
}

package lambdahttp

import (
	"net/http"
	"testing"
)

func TestHeaderKeysAreCanonical(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"authorization", "idempotency-key", "origin", "referer", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site",
		"accept", "accept-encoding", "accept-language", "content-length", "content-type", "host", "user-agent", "x-forwarded-for",
		"traceparent", "x-amzn-trace-id", "x-forwarded-port", "x-forwarded-proto", "x-request-id", "x-other", "Accept", "ACCEPT",
	} {
		if got, want := headerKey(name), http.CanonicalHeaderKey(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestCanonicalNamesAreNetHTTPs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "A", "a", "X-A", "x-A", "X-a", "X-AB", "X-Ab", "X--Ab", "-", "X-1a", "X-1A", "X_a", "X a", "X-É", "Sec-Ch-Ua"} {
		if isCanonical(name) && http.CanonicalHeaderKey(name) != name {
			t.Errorf("%q counts as canonical, net/http has %q", name, http.CanonicalHeaderKey(name))
		}
	}
	if !isCanonical("Content-Type") || isCanonical("content-type") {
		t.Error("Content-Type is canonical, content-type is not")
	}
}

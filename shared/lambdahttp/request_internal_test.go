package lambdahttp

import (
	"net/http"
	"testing"
)

func TestHeaderKeysAreCanonical(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"authorization", "idempotency-key", "origin", "referer", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site",
		"traceparent", "x-amzn-trace-id", "x-forwarded-port", "x-forwarded-proto", "x-request-id", "x-other", "Accept", "ACCEPT",
	} {
		if got, want := headerKey(name), http.CanonicalHeaderKey(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

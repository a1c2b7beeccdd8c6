package ddbtest_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

// recorder is a test that may fail without failing the one around it.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Fatal(args ...any) { r.said = fmt.Sprint(args...); runtime.Goexit() }

func TestEndpoint(t *testing.T) { //nolint:paralleltest // it sets the environment
	for endpoint, said := range map[string]string{
		"http://127.0.0.1:8000": "",
		"":                      "DYNAMODB_ENDPOINT is not set: run the tests through make integration",
	} {
		t.Setenv(ddbtest.EnvEndpoint, endpoint)
		r, got, ended := &recorder{TB: t}, "", make(chan struct{})
		go func() {
			defer close(ended)
			got = ddbtest.Endpoint(r)
		}()
		<-ended
		if got != endpoint || r.said != said {
			t.Errorf("with %q: got %q and %q, want the endpoint and %q", endpoint, got, r.said, said)
		}
	}
}

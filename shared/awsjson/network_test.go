package awsjson_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/awsclient/awsclienttest"
	"github.com/tienda-dev/tienda/shared/awsjson"
)

// An answer that breaks off behind any byte may be whole the next time.
func TestAnswerThatBreaksOffIsTransient(t *testing.T) {
	t.Parallel()
	const timeout = time.Minute
	var wg sync.WaitGroup // all at once: each pauses between its attempts
	defer wg.Wait()
	for name, answer := range map[string]string{
		"Answer":  awsclienttest.Answer(200, "application/x-amz-json-1.0", `{"Responses":{}}`),
		"Refusal": awsclienttest.Answer(400, "application/x-amz-json-1.0", `{"__type":"AccessDeniedException"}`),
	} {
		for n := range len(answer) {
			for end, timeout := range map[awsclienttest.End]time.Duration{
				awsclienttest.Close: timeout, awsclienttest.Reset: timeout, awsclienttest.Stall: 20 * time.Millisecond,
			} {
				if end == awsclienttest.Stall && n%10 != 0 {
					continue // a stalled answer costs four time-outs
				}
				wg.Go(func() {
					client, err := awsjson.New(config(func(c *awsjson.Config) {
						c.Endpoint, c.Timeout = awsclienttest.Serve(t, answer[:n], end), timeout
						c.HTTP = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
					}))
					if err != nil {
						t.Error(err)
						return
					}
					_, err = client.Call(t.Context(), target, []byte("in"))
					if failed, ok := errors.AsType[*awsjson.Error](err); !ok || !failed.Transient {
						t.Errorf("%s, %s after %d bytes: got %v, want a transient *Error", name, end, n, err)
					}
				})
			}
		}
	}
}

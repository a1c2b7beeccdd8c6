package awsjson_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/tienda-dev/tienda/shared/awsjson"
)

type observed struct{}

// TestObserverSeesEveryCall throttles a call once, and refuses another one.
func TestObserverSeesEveryCall(t *testing.T) {
	t.Parallel()
	type call struct {
		operation           string
		attempts, throttles int
		code                string
	}
	throttle := answer(400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}`)
	deny := answer(400, `{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException"}`)
	for name, c := range map[string]struct {
		answers []doer
		want    call
	}{
		"OK":        {[]doer{answer(200, "{}")}, call{"BatchGetItem", 1, 0, ""}},
		"Throttled": {[]doer{throttle, answer(503, ""), answer(200, "{}")}, call{"BatchGetItem", 3, 1, ""}},
		"Denied":    {[]doer{deny}, call{"BatchGetItem", 1, 0, "AccessDeniedException"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var seen []call
				cfg := config(func(cfg *awsjson.Config) {
					cfg.Observe = func(ctx context.Context, operation string) (context.Context, func(attempts, throttles int, err error)) {
						return context.WithValue(ctx, observed{}, true), func(attempts, throttles int, err error) {
							code := ""
							if coded, ok := err.(interface{ ErrorCode() string }); ok {
								code = coded.ErrorCode()
							}
							seen = append(seen, call{operation, attempts, throttles, code})
						}
					}
				})
				sent := 0
				client := newClient(t, cfg, func(r *http.Request) (*http.Response, error) {
					if r.Context().Value(observed{}) == nil {
						t.Error("the request does not have the observer's context")
					}
					sent++
					return c.answers[sent-1](r)
				})
				_, err := client.Call(t.Context(), target, nil)
				if (err == nil) != (c.want.code == "") {
					t.Errorf("got %v", err)
				}
				if len(seen) != 1 || seen[0] != c.want {
					t.Errorf("got %+v, want %+v", seen, c.want)
				}
			})
		})
	}
}

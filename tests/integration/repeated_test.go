//go:build integration

package integration_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tests/suite"
	"github.com/tienda-dev/tienda/tools/authroutes/table"
)

// Every route with idempotency keys answers a repeated request with its first answer and takes effect once, although the
// store's answer to the first request is lost too, and several requests come at once.
func TestSameRequestSameAnswer(t *testing.T) {
	t.Parallel()
	parallel := repeatedAtOnce(t)
	db, endpoint := newLossy(t, shared.Endpoint, "TransactWriteItems")
	c := suite.New(target(t, start(t, func(o *stack.Options) { o.DynamoDBEndpoint = endpoint })))
	for _, route := range table.Routes() {
		if route.Idempotency == api.KeyIgnored {
			continue
		}
		// Not in parallel: they share the proxy.
		t.Run(route.Name, func(t *testing.T) {
			c.Repeat(t, route.Name, parallel, func() { db.lose.Store(1) })
			if db.lost.Swap(0) == 0 {
				t.Error("no answer of the store was lost")
			}
			db.lose.Store(0)
		})
	}
}

// repeatedAtOnce returns how many equal requests come at once: REPEATED_AT_ONCE, or 20.
func repeatedAtOnce(t *testing.T) int {
	t.Helper()
	text := os.Getenv("REPEATED_AT_ONCE")
	if text == "" {
		return 20
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 2 {
		t.Fatalf("REPEATED_AT_ONCE is %q, want 2 or more", text)
	}
	return n
}

package ddb_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

// unsteady is an HTTP client that fails while failing is above zero, or every so many attempts, and counts attempts.
type unsteady struct {
	failing, attempts atomic.Int64
	every             int64
}

func (a *unsteady) Do(r *http.Request) (*http.Response, error) {
	n := a.attempts.Add(1)
	if a.failing.Add(-1) >= 0 || a.every > 0 && n%a.every == 0 {
		return ddbtest.Respond(r, http.StatusInternalServerError, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}`), nil
	}
	return ddbtest.Respond(r, http.StatusOK, `{"Item":{"PK":{"S":"a"}}}`), nil
}

func retrying(t testing.TB, wire dynamodb.HTTPClient, attempts int, tokens uint) *ddb.Client {
	t.Helper()
	c, err := ddb.Open(working(), func(o *dynamodb.Options) {
		o.HTTPClient = wire
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.RetryCost, o.NoRetryIncrement, o.RateLimiter = attempts, 5, 1, ratelimit.NewTokenRateLimit(tokens)
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var aKey = &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: ddb.Key{PK: "a", SK: "b"}.Item()}

// The first attempt is not made by the SDK's retries, but they count it, and its success gives retries back.
func TestRetriesAreTheSDKs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		wires := [2]*unsteady{{}, {}}
		opened := retrying(t, wires[0], 3, 12)
		sdk := retrying(t, wires[1], 3, 12).Client
		for _, failing := range rapid.SliceOfN(rapid.Int64Range(0, 4), 1, 20).Draw(rt, "failures") {
			wires[0].failing.Store(failing)
			wires[1].failing.Store(failing)
			_, got := opened.GetItem(t.Context(), aKey)
			_, want := sdk.GetItem(t.Context(), aKey)
			if fmt.Sprint(got) != fmt.Sprint(want) || wires[0].attempts.Load() != wires[1].attempts.Load() {
				rt.Fatalf("after %d failures %d attempts, %v; the SDK %d, %v", failing, wires[0].attempts.Load(), got, wires[1].attempts.Load(), want)
			}
		}
	})
}

// The SDK's layers of an operation are built once and serve parallel calls.
func TestParallelCallsShareTheLayers(t *testing.T) {
	t.Parallel()
	wire := &unsteady{every: 5}
	c := retrying(t, wire, 20, 1<<20)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for range 50 {
				out, err := c.GetItem(t.Context(), aKey)
				if err != nil || len(out.Item) != 1 {
					t.Errorf("got %v, %v", out, err)
				}
			}
		})
	}
	group.Wait()
}

// Options of one call, and of With, are obeyed.
func TestOptionsAreObeyed(t *testing.T) {
	t.Parallel()
	wire := &unsteady{}
	c := retrying(t, wire, 3, 100)
	once := func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }
	wire.failing.Store(3)
	for name, get := range map[string]func() error{
		"Call": func() error { _, err := c.GetItem(t.Context(), aKey, once); return err },
		"With": func() error { _, err := c.With(once).GetItem(t.Context(), aKey); return err },
	} {
		wire.attempts.Store(0)
		if err := get(); err == nil || wire.attempts.Load() != 1 {
			t.Errorf("%s: %v after %d attempts, want an error after one", name, err, wire.attempts.Load())
		}
	}
	if _, err := c.GetItem(t.Context(), aKey); err != nil {
		t.Errorf("the client itself: %v", err)
	}
	log := new(lines)
	if _, err := c.With(func(o *dynamodb.Options) { o.ClientLogMode, o.Logger = aws.LogRequest, log }).GetItem(t.Context(), aKey); err != nil || *log == 0 {
		t.Errorf("%d log lines of the SDK, %v", *log, err)
	}
}

// lines counts log lines.
type lines int

func (l *lines) Logf(logging.Classification, string, ...any) { *l++ }

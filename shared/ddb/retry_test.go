package ddb_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/metrics"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
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
		sdk := retrying(t, wires[1], 3, 12).SDK()
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

// Calls share the middlewares of the step Initialize, and retries.
func TestCallsInParallel(t *testing.T) {
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
}

// RetryMaxAttempts bounds the calls of the client and those of the SDK's.
func TestRetryMaxAttempts(t *testing.T) {
	t.Parallel()
	wire := &unsteady{}
	c := retrying(t, wire, 5, 100).With(func(o *dynamodb.Options) { o.RetryMaxAttempts = 2 })
	for name, get := range map[string]func() error{
		"Client": func() error { _, err := c.GetItem(t.Context(), aKey); return err },
		"SDK":    func() error { _, err := c.SDK().GetItem(t.Context(), aKey); return err },
	} {
		wire.failing.Store(5)
		wire.attempts.Store(0)
		if err := get(); err == nil || wire.attempts.Load() != 2 {
			t.Errorf("%s: %v after %d attempts, want an error after 2", name, err, wire.attempts.Load())
		}
	}
}

// counted is a retryer of version 2, or 1 through its embedded interface, that counts the tokens of attempts.
type counted struct {
	aws.RetryerV2

	taken, released atomic.Int64
}

func (c *counted) GetAttemptToken(context.Context) (func(error) error, error) {
	c.taken.Add(1)
	return func(error) error { c.released.Add(1); return errors.New("the token does not come back") }, nil
}

// Each attempt takes one token and gives it back; a success stays one if that fails.
func TestEachAttemptHasOneToken(t *testing.T) {
	t.Parallel()
	for name, failing := range map[string]int64{"First": 0, "Third": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wire := &unsteady{}
			wire.failing.Store(failing)
			var tokens *counted
			c := retrying(t, wire, 5, 100).With(func(o *dynamodb.Options) {
				tokens = &counted{RetryerV2: o.Retryer.(aws.RetryerV2)}
				o.Retryer = tokens
			})
			_, err := c.GetItem(t.Context(), aKey)
			if failing == 0 && err != nil {
				t.Error(err)
			}
			if n := wire.attempts.Load(); tokens.taken.Load() != n || tokens.released.Load() != n {
				t.Errorf("%d attempts took %d tokens and gave %d back", n, tokens.taken.Load(), tokens.released.Load())
			}
		})
	}
}

// A retryer of version 1 has no tokens of attempts.
func TestRetryersWithoutTokens(t *testing.T) {
	t.Parallel()
	wire := &unsteady{}
	wire.failing.Store(2)
	c := retrying(t, wire, 5, 100).With(func(o *dynamodb.Options) { o.Retryer = struct{ aws.Retryer }{o.Retryer} })
	if _, err := c.GetItem(t.Context(), aKey); err != nil || wire.attempts.Load() != 3 {
		t.Errorf("%v after %d attempts, want a success after 3", err, wire.attempts.Load())
	}
}

// ending is an HTTP client that ends the context before its answer, as time does.
type ending struct{ end context.CancelFunc }

func (e ending) Do(r *http.Request) (*http.Response, error) {
	response := ddbtest.Respond(r, http.StatusBadRequest, `{"__type":"x#ConditionalCheckFailedException"}`)
	e.end()
	return response, nil
}

// What DynamoDB has answered is known, also if the context ends then.
func TestAnAnswerOutlivesItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := retrying(t, ending{cancel}, 3, 100)
	_, err := c.GetItem(ctx, aKey)
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); !ok {
		t.Errorf("got %v, want that the condition failed", err)
	}
}

// SDK makes one client, also for calls in parallel, which refuses an empty answer.
func TestSDKIsOneClient(t *testing.T) {
	t.Parallel()
	wire := &exchange{status: http.StatusOK}
	c, _ := clients(t, wire)
	var group sync.WaitGroup
	var made sync.Map
	for range 16 {
		group.Go(func() { made.Store(c.SDK(), true) })
	}
	group.Wait()
	n := 0
	made.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("made %d clients", n)
	}
	if _, err := c.SDK().GetItem(t.Context(), aKey); err == nil {
		t.Error("got no error for an empty answer")
	}
}

// An option that would have no effect is an error of Open, and of the calls of With's client.
func TestOptionsWithoutEffectAreRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		option func(*dynamodb.Options)
		want   string
	}{
		"Log":       {func(o *dynamodb.Options) { o.ClientLogMode = aws.LogRequest }, "ClientLogMode"},
		"Tracer":    {func(o *dynamodb.Options) { o.TracerProvider = &tracing.NopTracerProvider{} }, "TracerProvider"},
		"Meter":     {func(o *dynamodb.Options) { o.MeterProvider = metrics.NopMeterProvider{} }, "MeterProvider"},
		"Hosts":     {func(o *dynamodb.Options) { o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled }, "EndpointOptions"},
		"Checksum":  {func(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true }, "DisableValidateResponseChecksum"},
		"Endpoints": {func(o *dynamodb.Options) { o.EndpointResolverV2 = dynamodb.NewDefaultEndpointResolverV2() }, "EndpointResolverV2"},
		"Step": {func(o *dynamodb.Options) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("Mine", nil), middleware.After)
			})
		}, "[Mine]"},
		"Place": {func(o *dynamodb.Options) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return s.Initialize.Insert(middleware.InitializeMiddlewareFunc("Mine", nil), "None", middleware.After)
			})
		}, "APIOptions"},
		"Region": {func(o *dynamodb.Options) { o.Region = "us-iso-east-1" }, "us-iso-east-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := ddb.Open(working(), tc.option); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Open: got %v, want an error with %q", err, tc.want)
			}
			wire := &unsteady{}
			c := retrying(t, wire, 3, 100)
			if _, err := c.With(tc.option).GetItem(t.Context(), aKey); err == nil || !strings.Contains(err.Error(), tc.want) || wire.attempts.Load() != 0 {
				t.Errorf("With: got %v after %d attempts, want an error with %q", err, wire.attempts.Load(), tc.want)
			}
			if _, err := c.GetItem(t.Context(), aKey, tc.option); err == nil || !strings.Contains(err.Error(), tc.want) || wire.attempts.Load() != 0 {
				t.Errorf("call: got %v after %d attempts, want an error with %q", err, wire.attempts.Load(), tc.want)
			}
		})
	}
}

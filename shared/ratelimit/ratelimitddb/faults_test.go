package ratelimitddb_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitddb"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

const alice = ratelimit.Subject("alice@example.com")

var (
	gcra   = ratelimit.Policy{Name: "gcra", Limit: 6, Window: time.Minute, Burst: 3}
	window = ratelimit.Policy{Name: "window", Algorithm: ratelimit.FixedWindow, Limit: 3, Window: time.Minute}
	log    = ratelimit.Policy{Name: "log", Algorithm: ratelimit.SlidingLog, Limit: 3, Window: time.Minute}
)

func testKey(context.Context) ([]byte, error) {
	return bytes.Repeat([]byte{7}, ratelimitddb.MinKey), nil
}

// answering returns a client whose requests do not leave the process.
func answering(t *testing.T, faults *ddbtest.Faults) *ddb.Client {
	t.Helper()
	client, err := ddb.Open(ddb.Config{
		Config:   awsclient.Config{Region: "eu-central-1", AccessKeyID: "local", SecretAccessKey: "local"},
		Endpoint: "http://127.0.0.1:1",
	}, faults.Option)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// open returns a limiter on the table: an instance of its own, which knows nothing of the others.
func open(t testing.TB, client *ddb.Client, table string, now func() time.Time, policies ...ratelimit.Policy) *ratelimitddb.Limiter {
	t.Helper()
	l, err := ratelimitddb.New(client, table, testKey, policies, ratelimitddb.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func reasons(words ...string) string {
	var list []string
	for _, word := range words {
		list = append(list, `{"reason":"`+word+`","resource":"arn:aws:dynamodb:eu-central-1:123456789012:table/ratelimit"}`)
	}
	return `,"ThrottlingReasons":[` + strings.Join(list, ",") + `]`
}

func throttle(code string, words ...string) ddbtest.Fault {
	more := reasons(words...)
	if code == "ThrottlingException" { // this one spells it in its own way
		more = strings.Replace(more, "ThrottlingReasons", "throttlingReasons", 1)
	}
	return ddbtest.Answer(http.StatusBadRequest, code, more)
}

// hang never answers.
func hang(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func ok(body string) ddbtest.Fault {
	return func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		return ddbtest.Respond(r, http.StatusOK, body), nil
	}
}

func reset(http.RoundTripper, *http.Request) (*http.Response, error) {
	return nil, errors.New("read tcp 127.0.0.1:1: connection reset by peer")
}

func eof(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, io.EOF }

// Every fault is one attempt, and one of two errors: the subject is throttled, or the store has failed.
func TestFaults(t *testing.T) {
	t.Parallel()
	const provisioned, limited, throttling = "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"
	for name, c := range map[string]struct {
		fault     ddbtest.Fault
		throttled bool
	}{
		"KeyRange":                {throttle(provisioned, "TableWriteKeyRangeThroughputExceeded"), true},
		"KeyRangeOfReads":         {throttle(throttling, "TableReadKeyRangeThroughputExceeded"), true},
		"KeyRangeByRequestLimit":  {throttle(limited, "TableWriteKeyRangeThroughputExceeded"), true},
		"KeyRangeTwice":           {throttle(provisioned, "TableWriteKeyRangeThroughputExceeded", "TableWriteKeyRangeThroughputExceeded"), true},
		"KeyRangeAndTable":        {throttle(provisioned, "TableWriteKeyRangeThroughputExceeded", "TableWriteMaxOnDemandThroughputExceeded"), false},
		"Provisioned":             {throttle(provisioned, "TableWriteProvisionedThroughputExceeded"), false},
		"Account":                 {throttle(limited, "TableWriteAccountLimitExceeded"), false},
		"MaxOnDemand":             {throttle(throttling, "TableWriteMaxOnDemandThroughputExceeded"), false},
		"ThrottledWithoutReasons": {ddbtest.Throttle, false},
		"ReasonWithoutText":       {ddbtest.Answer(http.StatusBadRequest, provisioned, `,"ThrottlingReasons":[{}]`), false},
		"InternalError":           {ddbtest.Answer(http.StatusInternalServerError, "InternalServerError", ""), false},
		"Unavailable":             {ddbtest.Answer(http.StatusServiceUnavailable, "ServiceUnavailable", ""), false},
		"AccessDenied":            {ddbtest.Answer(http.StatusBadRequest, "AccessDeniedException", ""), false},
		"NoTable":                 {ddbtest.Answer(http.StatusBadRequest, "ResourceNotFoundException", ""), false},
		"Validation":              {ddbtest.Answer(http.StatusBadRequest, "ValidationException", ""), false},
		"Refused":                 {ddbtest.Refuse, false},
		"Reset":                   {reset, false},
		"EOF":                     {eof, false},
		"Hang":                    {hang, false},
		"EmptyAnswer":             {ok(""), false},
		"CutOff":                  {ok(`{"Attributes":{"PK":`), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			clock := ratelimittest.NewClock()
			l := open(t, answering(t, faults), "ratelimit", clock.Now, gcra)
			for operation, call := range map[string]func(context.Context) error{
				"UpdateItem": func(ctx context.Context) error { _, err := l.Take(ctx, alice, 1); return err },
				"GetItem":    func(ctx context.Context) error { _, err := l.Peek(ctx, alice); return err },
				"DeleteItem": func(ctx context.Context) error { return l.Reset(ctx, alice) },
			} {
				faults.Inject(operation, c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				err := call(ctx)
				cancel()
				if err == nil || errors.Is(err, ratelimit.ErrSubjectThrottled) != c.throttled {
					t.Errorf("%s: got %v, want throttled %t", operation, err, c.throttled)
				}
				if err != nil && strings.Contains(err.Error(), "alice") {
					t.Errorf("%s: the text has the subject: %v", operation, err)
				}
				if got := faults.Attempts(operation); got != 1 {
					t.Errorf("%s: %d attempts, want 1", operation, got)
				}
			}
		})
	}
}

func TestHangEndsWithItsContext(t *testing.T) {
	t.Parallel()
	faults := &ddbtest.Faults{}
	faults.Inject("UpdateItem", hang)
	l := open(t, answering(t, faults), "ratelimit", ratelimittest.NewClock().Now, gcra)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := l.Take(ctx, alice, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

// An item that no limiter has written is a failure: not a denial, and not an admission. Each answer is given for a
// condition that failed, for a write that was made, and for a read.
func TestMalformedItems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy ratelimit.Policy
		item   string // PK is added
	}{
		"TATIsText":          {gcra, `"ttl":{"N":"1"},"g0":{"S":"9"}`},
		"TATIsAFraction":     {gcra, `"ttl":{"N":"1"},"g0":{"N":"1.5"}`},
		"TATIsNegative":      {gcra, `"ttl":{"N":"1"},"g0":{"N":"-1"}`},
		"TATIsHuge":          {gcra, `"ttl":{"N":"1"},"g0":{"N":"9223372036854775808"}`},
		"TATIsNull":          {gcra, `"ttl":{"N":"1"},"g0":{"NULL":true}`},
		"TTLIsText":          {gcra, `"ttl":{"S":"alice@example.com"},"g0":{"N":"1"}`},
		"OtherAttribute":     {gcra, `"ttl":{"N":"1"},"alice@example.com":{"N":"1"}`},
		"AttributeOfAnother": {gcra, `"ttl":{"N":"1"},"g1":{"N":"1"}`},
		"CountIsText":        {window, `"w0x1":{"S":"9"}`},
		"CountIsAList":       {window, `"w0x1":{"L":[]}`},
		"WindowIsNoNumber":   {window, `"w0xalice":{"N":"9"}`},
		"WindowHasZeros":     {window, `"w0x01":{"N":"9"}`},
		"LogIsANumber":       {log, `"l0":{"N":"9"}`},
		"LogIsShort":         {log, `"l0":{"L":[{"N":"1"}]}`},
		"LogIsLong":          {log, `"l0":{"L":[{"N":"1"},{"N":"1"},{"N":"1"},{"N":"1"}]}`},
		"LogHasText":         {log, `"l0":{"L":[{"N":"1"},{"N":"1"},{"S":"alice"}]}`},
		"LogIsASet":          {log, `"l0":{"NS":["1","2","3"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			l := open(t, answering(t, faults), "ratelimit", ratelimittest.NewClock().Now, c.policy)
			item := `{"PK":{"S":"` + pkOf(t, alice, c.policy) + `"},` + c.item + `}`
			faults.Inject("UpdateItem",
				ddbtest.Answer(http.StatusBadRequest, "ConditionalCheckFailedException", `,"Item":`+item), ok(`{"Attributes":`+item+`}`))
			faults.Inject("GetItem", ok(`{"Item":`+item+`}`))
			_, failed := l.Take(t.Context(), alice, 1)
			_, written := l.Take(t.Context(), alice, 1)
			_, read := l.Peek(t.Context(), alice)
			for _, err := range []error{failed, written, read} {
				if err == nil || !strings.Contains(err.Error(), "bad item") || strings.Contains(err.Error(), "alice") {
					t.Errorf("got %v, want a bad item", err)
				}
			}
			if got := faults.Attempts("UpdateItem"); got != 2 {
				t.Errorf("%d writes, want 2", got)
			}
		})
	}
}

// An answer that contradicts the request is a failure, also where it would admit.
func TestAnswersThatContradict(t *testing.T) {
	t.Parallel()
	clock := ratelimittest.NewClock()
	pk := pkOf(t, alice, gcra)
	const far = `"g0":{"N":"9000000000000000"}`
	for name, c := range map[string]struct {
		fault ddbtest.Fault
		calls int
	}{
		"AdmitsASpentLimit": {ok(`{"Attributes":{"PK":{"S":"` + pk + `"},` + far + `}}`), 1},
		"ItemOfAnother":     {ok(`{"Attributes":{"PK":{"S":"RL#other"}}}`), 1},
		"KeyIsANumber":      {ok(`{"Attributes":{"PK":{"N":"1"}}}`), 1},
		// Without the item the subject counts as absent, whose condition fails again.
		"FailsWithoutItem": {ddbtest.Answer(http.StatusBadRequest, "ConditionalCheckFailedException", ""), 4},
		"FailsWithAnIdleItem": {ddbtest.Answer(http.StatusBadRequest, "ConditionalCheckFailedException",
			`,"Item":{"PK":{"S":"`+pk+`"},"g0":{"N":"1"}}`), 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			for range 10 {
				faults.Inject("UpdateItem", c.fault)
			}
			l := open(t, answering(t, faults), "ratelimit", clock.Now, gcra)
			if d, err := l.Take(t.Context(), alice, 1); err == nil || d.Allowed {
				t.Errorf("got %+v, %v", d, err)
			}
			if got := faults.Attempts("UpdateItem"); got != c.calls {
				t.Errorf("%d writes, want %d", got, c.calls)
			}
		})
	}
}

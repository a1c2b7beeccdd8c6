package ddb_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tienda-dev/tienda/shared/awsclient/awsclienttest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/problem"
)

// calls is one call of each operation of the package.
var calls = map[string]func(context.Context, *ddb.Table) error{
	"GetItem": func(ctx context.Context, table *ddb.Table) error {
		_, err := table.Get(ctx, item("1"), &ddb.Key{}, true)
		return err
	},
	"Query": func(ctx context.Context, table *ddb.Table) error {
		_, _, err := table.Query(ctx, ddb.Query{Where: expression.Key("PK").Equal(expression.Value("1"))})
		return err
	},
	"BatchGetItem": func(ctx context.Context, table *ddb.Table) error {
		_, err := table.BatchGet(ctx, []ddb.Key{item("1")}, false)
		return err
	},
	"PutItem": func(ctx context.Context, table *ddb.Table) error {
		return table.PutNew(ctx, item("1"), "PK", errFirst)
	},
	"UpdateItem": func(ctx context.Context, table *ddb.Table) error {
		_, _, err := table.UpdateIf(ctx, item("1"), anyUpdate(), ddb.Present())
		return err
	},
	"TransactWriteItems": func(ctx context.Context, table *ddb.Table) error {
		return ddb.Commit(ctx, table.Client(), table.Put(item("1")))
	},
}

// tableAt returns a table of the server whose calls are sent once.
func tableAt(t *testing.T, url string, timeout time.Duration) *ddb.Table {
	t.Helper()
	cfg := working()
	cfg.Endpoint = url
	client, err := ddb.Open(cfg, func(o *dynamodb.Options) {
		o.Retryer = aws.NopRetryer{}
		o.HTTPClient = &http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ddb.NewTable(client, "commerce")
}

// assertRetryAfter fails unless a client gets 503 with Retry-After for err.
func assertRetryAfter(t *testing.T, err error) {
	t.Helper()
	w := httptest.NewRecorder()
	problem.Write(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), err)
	if !errors.Is(err, ddb.ErrUnavailable) || w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d, Retry-After %q for %v", w.Code, w.Header().Get("Retry-After"), err)
	}
}

const page = "<html><body>Forbidden</body></html>"

func TestAnswerThatBreaksOffIsUnavailable(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"Answer":  awsclienttest.Answer(200, "application/x-amz-json-1.0", `{"Item":{"PK":{"S":"1"},"SK":{"S":"S"}}}`),
		"Refusal": awsclienttest.Answer(400, "application/x-amz-json-1.0", `{"__type":"x#ConditionalCheckFailedException"}`),
	}
	for name, answer := range answers {
		for _, end := range []awsclienttest.End{awsclienttest.Close, awsclienttest.Reset} {
			for n := range len(answer) {
				t.Run(name+end.String()+strconv.Itoa(n), func(t *testing.T) {
					t.Parallel()
					table := tableAt(t, awsclienttest.Serve(t, answer[:n], end), time.Minute)
					for _, operation := range []string{"GetItem", "UpdateItem"} {
						assertRetryAfter(t, calls[operation](t.Context(), table))
					}
				})
			}
		}
		head := strings.Index(answer, "\r\n\r\n")
		for _, n := range []int{0, 5, head / 2, head + 4, len(answer) - 1} {
			t.Run(name+"Stall"+strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				table := tableAt(t, awsclienttest.Serve(t, answer[:n], awsclienttest.Stall), 50*time.Millisecond)
				assertRetryAfter(t, calls["GetItem"](t.Context(), table))
			})
		}
	}
}

func TestAnswerOfAnotherServerIsUnavailable(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"Page200":     awsclienttest.Answer(200, "text/html", page),
		"Page302":     awsclienttest.Answer(302, "text/html", page),
		"Page400":     awsclienttest.Answer(400, "text/html", page),
		"Page403":     awsclienttest.Answer(403, "text/html", page),
		"Page404":     awsclienttest.Answer(404, "text/html", page),
		"Page407":     awsclienttest.Answer(407, "text/html", page),
		"Empty200":    awsclienttest.Answer(200, "application/x-amz-json-1.0", ""),
		"Empty403":    awsclienttest.Answer(403, "text/plain", ""),
		"JSONOfProxy": awsclienttest.Answer(403, "application/json", `{"message":"Forbidden"}`),
		"CutJSON":     awsclienttest.Answer(200, "application/x-amz-json-1.0", `{"Item":{"PK":`),
		"CutRefusal":  awsclienttest.Answer(400, "application/x-amz-json-1.0", `{"__type":"x#Condi`),
		"NoHTTP":      "SSH-2.0-OpenSSH_9.6\r\n",
	} {
		for operation, call := range calls {
			t.Run(name+operation, func(t *testing.T) {
				t.Parallel()
				ctx := t.Context()
				if operation == "TransactWriteItems" { // no time for another attempt: Commit has a loop of its own
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, 2*time.Second)
					defer cancel()
				}
				assertRetryAfter(t, call(ctx, tableAt(t, awsclienttest.Serve(t, answer, awsclienttest.Close), time.Minute)))
			})
		}
	}
}

// The error of an outage says what it was: the log has nothing else.
func TestOutagesAreNamed(t *testing.T) {
	t.Parallel()
	const json = "application/x-amz-json-1.0"
	whole := awsclienttest.Answer(200, json, `{"Item":{}}`)
	for name, tc := range map[string]struct {
		answer string
		end    awsclienttest.End
		want   string
	}{
		"BrokenOff": {whole[:len(whole)-3], awsclienttest.Close, "the answer broke off"},
		"Stalled":   {whole[:len(whole)-3], awsclienttest.Stall, "the answer timed out"},
		"Page":      {awsclienttest.Answer(503, "text/html", page), awsclienttest.Close, "(status 503)"},
		"Redirect":  {awsclienttest.Answer(307, "text/html", ""), awsclienttest.Close, "(status 307)"},
		"Null":      {awsclienttest.Answer(200, json, `null`), awsclienttest.Close, "the answer is null"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := tableAt(t, awsclienttest.Serve(t, tc.answer, tc.end), 50*time.Millisecond)
			err := calls["GetItem"](t.Context(), table)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// Every operation is repeated while a transaction or another region's write holds the item, beyond the
// attempts of the SDK.
func TestConflictsAreRepeated(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"TransactionConflictException", "ReplicatedWriteConflictException"} {
		for operation, call := range calls {
			t.Run(code+operation, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					answer := `{"Count":0,"Responses":{"commerce":[]}}` // to any operation
					conflict := ddbtest.Answer(http.StatusBadRequest, code, "")
					spoilt := &ddbtest.Faults{Next: respond(func(r *http.Request) (*http.Response, error) {
						return ddbtest.Respond(r, http.StatusOK, answer), nil
					})}
					spoilt.Inject(operation, conflict, conflict, conflict, conflict, conflict, conflict)
					if err := call(t.Context(), newTable(t, spoilt)); err != nil {
						t.Error(err)
					}
					if got := spoilt.Attempts(operation); got != 7 {
						t.Errorf("%d attempts, want 7", got)
					}
				})
			})
			t.Run(code+operation+"ForEver", func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					conflict := ddbtest.Answer(http.StatusBadRequest, code, "")
					table := newTable(t, respond(func(r *http.Request) (*http.Response, error) { return conflict(nil, r) }))
					assertRetryAfter(t, call(t.Context(), table))
				})
			})
		}
	}
}

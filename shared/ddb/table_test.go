package ddb_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/problem"
)

// answers is a DynamoDB that gives the bodies in turn, and {} behind them.
func answers(bodies ...string) respond {
	return func(r *http.Request) (*http.Response, error) {
		body := `{}`
		if len(bodies) > 0 {
			body, bodies = bodies[0], bodies[1:]
		}
		return ddbtest.Respond(r, http.StatusOK, body), nil
	}
}

func TestReadsClassifyFailures(t *testing.T) {
	t.Parallel()
	key := ddb.Key{PK: "P#1", SK: "META"}
	reads := map[string]func(context.Context, *ddb.Table) error{
		"GetItem": func(ctx context.Context, table *ddb.Table) error {
			_, err := table.Get(ctx, key, &ddb.Key{}, true)
			return err
		},
		"Query": func(ctx context.Context, table *ddb.Table) error {
			_, _, err := table.Query(ctx, ddb.Query{Where: expression.Key("PK").Equal(expression.Value("P#1"))})
			return err
		},
		"BatchGetItem": func(ctx context.Context, table *ddb.Table) error {
			_, err := table.BatchGet(ctx, []ddb.Key{key}, false)
			return err
		},
		"PutItem": func(ctx context.Context, table *ddb.Table) error {
			return table.PutNew(ctx, key, "PK", errFirst)
		},
		"UpdateItem": func(ctx context.Context, table *ddb.Table) error {
			_, _, err := table.UpdateIf(ctx, key, anyUpdate(), ddb.Present())
			return err
		},
	}
	for name, c := range map[string]struct {
		fault           ddbtest.Fault
		wantUnavailable bool
		wantText        string
	}{
		"Throttled":   {ddbtest.Throttle, true, "ProvisionedThroughputExceededException"},
		"ServerError": {ddbtest.Answer(http.StatusInternalServerError, "InternalServerError", ""), true, "InternalServerError"},
		"NoDynamoDB":  {ddbtest.Answer(http.StatusServiceUnavailable, "Whatever", ""), true, "Whatever"},
		"Unreachable": {ddbtest.Refuse, true, "connection reset"},
		"NoTable":     {ddbtest.Answer(http.StatusBadRequest, "ResourceNotFoundException", ""), false, "ResourceNotFoundException: injected"},
		"NotAllowed":  {ddbtest.Answer(http.StatusBadRequest, "AccessDeniedException", ""), false, "AccessDeniedException: injected (request injected)"},
		"Invalid":     {ddbtest.Answer(http.StatusBadRequest, "ValidationException", ""), false, "ValidationException (request injected)"},
	} {
		for operation, read := range reads {
			t.Run(operation+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					table := newTable(t, respond(func(r *http.Request) (*http.Response, error) { return c.fault(nil, r) }))
					err := read(t.Context(), table)
					if got := errors.Is(err, ddb.ErrUnavailable); got != c.wantUnavailable {
						t.Errorf("unavailable: %t, want %t: %v", got, c.wantUnavailable, err)
					}
					if err == nil || !strings.Contains(err.Error(), "dynamodb "+operation+": ") || !strings.Contains(err.Error(), c.wantText) {
						t.Errorf("error %v does not say %q", err, c.wantText)
					}
					if e, ok := problem.As(err); ok && e.Kind != problem.Unavailable {
						t.Errorf("answers %d", e.Kind.Status())
					}
				})
			})
		}
	}
}

// One attempt that hangs is not the end of the request's time: 503 and not 504.
func TestHangingAttemptIsUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hangs := respond(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		table := newTable(t, hangs)
		_, err := table.Get(t.Context(), ddb.Key{PK: "1", SK: "S"}, &ddb.Key{}, true)
		if !errors.Is(err, ddb.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestEndOfTheContextStaysVisible(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, respond(func(r *http.Request) (*http.Response, error) { return ddbtest.Delay(time.Hour)(nil, r) }))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := table.Get(ctx, ddb.Key{PK: "1", SK: "S"}, &ddb.Key{}, true); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ddb.ErrUnavailable) {
			t.Errorf("deadline: got %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, err := table.BatchGet(ctx, []ddb.Key{{PK: "1", SK: "S"}}, true); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: got %v", err)
		}
	})
}

func TestBatchGetAsksAgainForUnprocessedKeys(t *testing.T) {
	t.Parallel()
	const (
		first  = `{"PK":{"S":"1"},"SK":{"S":"S"}}`
		second = `{"PK":{"S":"2"},"SK":{"S":"S"}}`
	)
	keys := []ddb.Key{{PK: "1", SK: "S"}, {PK: "2", SK: "S"}, {PK: "3", SK: "S"}}

	t.Run("UntilAllAreProcessed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			table := newTable(t, answers(
				`{"Responses":{"commerce":[`+first+`]},"UnprocessedKeys":{"commerce":{"Keys":[`+second+`]}}}`,
				`{"Responses":{"commerce":[]},"UnprocessedKeys":{"commerce":{"Keys":[`+second+`]}}}`,
				`{"Responses":{"commerce":[`+second+`]},"UnprocessedKeys":{}}`))
			found, err := table.BatchGet(t.Context(), keys, true)
			if err != nil {
				t.Fatal(err)
			}
			got := map[ddb.Key]bool{}
			for key := range found {
				got[key] = true
			}
			if diff := cmp.Diff(map[ddb.Key]bool{keys[0]: true, keys[1]: true}, got); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("AndNeverCallsThemAbsent", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			unprocessed := `{"Responses":{"commerce":[]},"UnprocessedKeys":{"commerce":{"Keys":[` + second + `]}}}`
			table := newTable(t, respond(func(r *http.Request) (*http.Response, error) {
				return ddbtest.Respond(r, http.StatusOK, unprocessed), nil
			}))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			found, err := table.BatchGet(ctx, keys, true)
			if found != nil || !errors.Is(err, ddb.ErrUnavailable) {
				t.Errorf("got %v, %v", found, err)
			}
		})
	})
	for name, body := range map[string]string{
		"AnItemWithoutItsKey": `{"Responses":{"commerce":[` + first + `,{"PK":{"S":"2"},"count":{"N":"1"}}]},"UnprocessedKeys":{}}`,
		"AnItemNotAskedFor":   `{"Responses":{"commerce":[` + first + `,{"PK":{"S":"4"},"SK":{"S":"S"}}]},"UnprocessedKeys":{}}`,
		"AKeyWithoutItsParts": `{"Responses":{"commerce":[` + first + `]},"UnprocessedKeys":{"commerce":{"Keys":[{"PK":{"S":"2"}}]}}}`,
		"AKeyNotAskedFor":     `{"Responses":{"commerce":[` + first + `]},"UnprocessedKeys":{"commerce":{"Keys":[{"PK":{"S":"4"},"SK":{"S":"S"}}]}}}`,
		"AnEmptyObject":       `{}`,
		"NoTable":             `{"Responses":{}}`,
		"AnotherTable":        `{"Responses":{"other":[]}}`,
		"ATableThatIsNull":    `{"Responses":{"commerce":null}}`,
		"NoTableForSomeKeys":  `{"Responses":{},"UnprocessedKeys":{"commerce":{"Keys":[` + first + `]}}}`,
	} {
		t.Run(name+"IsAFault", func(t *testing.T) {
			t.Parallel()
			found, err := newTable(t, answers(body)).BatchGet(t.Context(), keys, true)
			if err == nil || errors.Is(err, ddb.ErrUnavailable) {
				t.Errorf("got %v, %v: what it is of would look absent", found, err)
			}
		})
	}
	t.Run("NoKeysSendNothing", func(t *testing.T) {
		t.Parallel()
		spoilt := &ddbtest.Faults{Next: ok}
		found, err := newTable(t, spoilt).BatchGet(t.Context(), nil, true)
		if len(found) != 0 || err != nil || spoilt.Attempts("BatchGetItem") != 0 {
			t.Errorf("got %v, %v, %d attempts", found, err, spoilt.Attempts("BatchGetItem"))
		}
	})
}

func TestBatchGetAsksForAKeyOnce(t *testing.T) {
	t.Parallel()
	var got []map[string]any
	table := newTable(t, respond(func(r *http.Request) (*http.Response, error) {
		var in struct {
			RequestItems map[string]struct{ Keys []map[string]any }
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		got = append(got, in.RequestItems["commerce"].Keys...)
		return ddbtest.Respond(r, http.StatusOK, `{"Responses":{"commerce":[]}}`), nil
	}))
	key := ddb.Key{PK: "1", SK: "S"}
	if _, err := table.BatchGet(t.Context(), []ddb.Key{key, key, key}, true); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{{"PK": map[string]any{"S": "1"}, "SK": map[string]any{"S": "S"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// One call outlives what one attempt may suffer.
func TestReadsAreRetried(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]ddbtest.Fault{
		"ConnectionClosed": ddbtest.LoseResponse,
		"AnswerBrokenOff":  ddbtest.BreakOff,
		"ServerError":      ddbtest.FailAfterCommit,
		"Throttled":        ddbtest.Throttle,
		"Refused":          ddbtest.Refuse,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				spoilt := &ddbtest.Faults{Next: answers(`{"Item":{"PK":{"S":"1"},"SK":{"S":"S"}}}`, `{"Item":{"PK":{"S":"1"},"SK":{"S":"S"}}}`, `{"Item":{"PK":{"S":"1"},"SK":{"S":"S"}}}`)}
				spoilt.Inject("GetItem", fault, fault)
				var got ddb.Key
				start := time.Now()
				found, err := newTable(t, spoilt).Get(t.Context(), ddb.Key{PK: "1", SK: "S"}, &got, true)
				if !found || err != nil || got.PK != "1" {
					t.Errorf("got %v, %t, %v", got, found, err)
				}
				if took := time.Since(start); took > 75*time.Millisecond { // 25 + 50 ms at most
					t.Errorf("paused for %s", took)
				}
			})
		})
	}
}

func TestCausesCarryNoValues(t *testing.T) {
	t.Parallel()
	const value = "alice@example.com"
	for name, c := range map[string]struct {
		code, message string
		want          string
	}{
		"Operands": {
			"ValidationException",
			"Invalid ConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:" + value + "}",
			"dynamodb GetItem: ValidationException (request injected)",
		},
		"QuotedValue": {
			"ValidationException", "1 validation error detected: Value '" + value + "' failed to satisfy constraint",
			"dynamodb GetItem: ValidationException (request injected)",
		},
		"Serialization": {
			"SerializationException", "cannot read " + value, "dynamodb GetItem: SerializationException (request injected)",
		},
		"SyntaxIsTold": {
			"ValidationException", "Invalid KeyConditionExpression: Syntax error; token: \"=\"",
			"dynamodb GetItem: ValidationException: Invalid KeyConditionExpression: Syntax error; token: \"=\" (request injected)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := json.Marshal(map[string]string{"__type": "x#" + c.code, "message": c.message})
			if err != nil {
				t.Fatal(err)
			}
			table := newTable(t, respond(func(r *http.Request) (*http.Response, error) {
				return ddbtest.Respond(r, http.StatusBadRequest, string(body)), nil
			}))
			_, err = table.Get(t.Context(), ddb.Key{PK: "1", SK: "S"}, &ddb.Key{}, true)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != c.code {
				t.Errorf("the SDK's error is lost: %v", err)
			}
		})
	}
}

func TestDecodeErrorsCarryNoValues(t *testing.T) {
	t.Parallel()
	var dst struct {
		Phone int       `dynamodbav:"phone"`
		Born  time.Time `dynamodbav:"born"`
	}
	for name, item := range map[string]ddb.Item{
		"NumberThatIsNone":  {"phone": &types.AttributeValueMemberS{Value: "+34600000000"}},
		"NumberOutOfRange":  {"phone": &types.AttributeValueMemberN{Value: "346000000000000000000000"}},
		"TimeThatIsNone":    {"born": &types.AttributeValueMemberS{Value: "346000"}},
		"FractionForAnInt":  {"phone": &types.AttributeValueMemberN{Value: "346.5"}},
		"NumberThatIsNoNum": {"phone": &types.AttributeValueMemberN{Value: "346x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ddb.Decode(item, &dst)
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "346") {
				t.Errorf("the text carries a value: %v", err)
			}
		})
	}
}

func TestPutNewRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	table := newTable(t, respond(func(r *http.Request) (*http.Response, error) {
		t.Error("something was sent")
		return ok(r)
	}))
	if err := table.PutNew(t.Context(), ddb.Key{PK: "1", SK: "S"}, "owner", errFirst); err == nil || errors.Is(err, errFirst) {
		t.Errorf("without an owner: %v", err)
	}
	if err := table.PutNew(t.Context(), ddb.Key{PK: "1", SK: "S"}, "PK", nil); err == nil {
		t.Error("without an error: no error")
	}
}

func TestQueryRefusesAKeyThatIsNoString(t *testing.T) {
	t.Parallel()
	table := newTable(t, answers(`{"Items":[],"LastEvaluatedKey":{"PK":{"N":"7"}}}`))
	if _, _, err := table.Query(t.Context(), ddb.Query{Where: expression.Key("PK").Equal(expression.Value("1"))}); err == nil {
		t.Error("no error")
	}
}

package ddb_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/problem"
)

var (
	errFirst  = errors.New("first condition")
	errSecond = errors.New("second condition")
)

func anyUpdate() expression.UpdateBuilder {
	return expression.Set(expression.Name("a"), expression.Value(1))
}

// canceled answers a transaction with reasons, each a JSON object.
func canceled(reasons ...string) ddbtest.Fault {
	return ddbtest.Answer(http.StatusBadRequest, "TransactionCanceledException",
		`,"CancellationReasons":[`+strings.Join(reasons, ",")+`]`)
}

const (
	none            = `{"Code":"None"}`
	conditionFailed = `{"Code":"ConditionalCheckFailed","Item":{"left":{"N":"3"}}}`
	conflict        = `{"Code":"TransactionConflict"}`
	throttled       = `{"Code":"ThrottlingError"}`
	invalid         = `{"Code":"ValidationError","Message":"The parameter cannot be converted to a numeric value: alice@example.com"}`
)

var ok = respond(func(r *http.Request) (*http.Response, error) { return ddbtest.Respond(r, http.StatusOK, `{}`), nil })

func TestCommitMapsAnswers(t *testing.T) {
	t.Parallel()
	invalidRequest := ddbtest.Answer(http.StatusBadRequest, "ValidationException", "")
	mismatch := ddbtest.Answer(http.StatusBadRequest, "IdempotentParameterMismatchException", "")
	inProgress := ddbtest.Answer(http.StatusBadRequest, "TransactionInProgressException", "")

	for name, c := range map[string]struct {
		faults       []ddbtest.Fault
		want         error // nil with wantFault: any error that is none of ours
		wantFault    bool
		wantAttempts int
	}{
		"Success":                     {wantAttempts: 1},
		"FirstCondition":              {faults: []ddbtest.Fault{canceled(conditionFailed, none)}, want: errFirst, wantAttempts: 1},
		"SecondCondition":             {faults: []ddbtest.Fault{canceled(none, conditionFailed)}, want: errSecond, wantAttempts: 1},
		"BothConditions":              {faults: []ddbtest.Fault{canceled(conditionFailed, conditionFailed)}, want: errFirst, wantAttempts: 1},
		"ConditionBesideAConflict":    {faults: []ddbtest.Fault{canceled(conflict, conditionFailed)}, want: errSecond, wantAttempts: 1},
		"ConflictIsRetried":           {faults: []ddbtest.Fault{canceled(conflict, none), canceled(none, conflict)}, wantAttempts: 3},
		"ThrottledItemIsRetried":      {faults: []ddbtest.Fault{canceled(throttled, conflict)}, wantAttempts: 2},
		"InProgressIsRetried":         {faults: []ddbtest.Fault{inProgress}, wantAttempts: 2},
		"ThrottledRequestIsRetried":   {faults: []ddbtest.Fault{ddbtest.Throttle}, wantAttempts: 2},
		"LostConnectionIsRetried":     {faults: []ddbtest.Fault{ddbtest.Refuse, ddbtest.LoseResponse, ddbtest.BreakOff}, wantAttempts: 4},
		"ConflictThenCondition":       {faults: []ddbtest.Fault{canceled(none, conflict), canceled(none, conditionFailed)}, want: errSecond, wantAttempts: 2},
		"InvalidRequestIsNotRetried":  {faults: []ddbtest.Fault{invalidRequest}, wantFault: true, wantAttempts: 1},
		"InvalidItemIsNotRetried":     {faults: []ddbtest.Fault{canceled(invalid, conflict)}, wantFault: true, wantAttempts: 1},
		"OtherParametersNotRetried":   {faults: []ddbtest.Fault{mismatch}, wantFault: true, wantAttempts: 1},
		"NoReasonsAtAllIsAFault":      {faults: []ddbtest.Fault{canceled()}, wantFault: true, wantAttempts: 1},
		"MoreReasonsThanWritesIsSafe": {faults: []ddbtest.Fault{canceled(none, none, conditionFailed)}, wantFault: true, wantAttempts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				spoilt := &ddbtest.Faults{Next: ok}
				spoilt.Inject("TransactWriteItems", c.faults...)
				table := newTable(t, spoilt)

				err := ddb.Commit(t.Context(), table.Client(),
					table.Put(item("1")).If(ddb.Absent(), errFirst),
					table.Update(ddb.Key{PK: "2", SK: "S"}, anyUpdate()).If(ddb.Present(), errSecond))
				if c.wantFault {
					if _, isProblem := problem.As(err); err == nil || isProblem {
						t.Errorf("got %v, want a fault of the program", err)
					}
				} else if !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if err != nil && strings.Contains(err.Error(), "alice") {
					t.Errorf("the text carries a value: %v", err)
				}
				if got := spoilt.Attempts("TransactWriteItems"); got != c.wantAttempts {
					t.Errorf("%d attempts, want %d", got, c.wantAttempts)
				}
			})
		})
	}
}

func item(pk string) ddb.Key { return ddb.Key{PK: pk, SK: "S"} } // a Key is the smallest item

func TestCommitExplainsWithTheOldItem(t *testing.T) {
	t.Parallel()
	spoilt := &ddbtest.Faults{Next: ok}
	spoilt.Inject("TransactWriteItems", canceled(conditionFailed))
	table := newTable(t, spoilt)

	var old struct {
		Left int `dynamodbav:"left"`
	}
	err := ddb.Commit(t.Context(), table.Client(),
		table.Delete(ddb.Key{PK: "1", SK: "S"}).IfElse(ddb.Present(), func(item ddb.Item) error {
			return errors.Join(errFirst, ddb.Decode(item, &old))
		}))
	if !errors.Is(err, errFirst) || old.Left != 3 {
		t.Errorf("got %v, left %d", err, old.Left)
	}
}

func TestCommitKeepsOneTokenOverAllAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tokens []string
		spoilt := &ddbtest.Faults{Next: ok}
		table := newTable(t, respond(func(r *http.Request) (*http.Response, error) {
			tokens = append(tokens, requestToken(t, r))
			return spoilt.RoundTrip(r)
		}))
		spoilt.Inject("TransactWriteItems", canceled(conflict), ddbtest.Refuse, ddbtest.Throttle, canceled(conflict))
		for range 2 {
			if err := ddb.Commit(t.Context(), table.Client(), table.Put(item("1"))); err != nil {
				t.Fatal(err)
			}
		}
		if len(tokens) != 6 {
			t.Fatalf("%d attempts, want 6", len(tokens))
		}
		for i, token := range tokens[:5] {
			if token == "" || token != tokens[0] {
				t.Errorf("attempt %d has token %q, the first %q", i+1, token, tokens[0])
			}
		}
		if tokens[5] == tokens[0] {
			t.Error("the next commit has the same token")
		}
	})
}

func requestToken(t *testing.T, r *http.Request) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	var in struct{ ClientRequestToken string }
	if err := json.Unmarshal(body, &in); err != nil {
		t.Fatal(err)
	}
	return in.ClientRequestToken
}

func TestCommitStopsInTime(t *testing.T) {
	t.Parallel()
	const answerTime = 5 * time.Millisecond // the one under way when the time is over is waited for
	always := func(fault ddbtest.Fault) respond {
		return func(r *http.Request) (*http.Response, error) {
			time.Sleep(answerTime)
			return fault(nil, r)
		}
	}
	for name, c := range map[string]struct {
		fault    ddbtest.Fault
		deadline time.Duration // 0: none
	}{
		"Conflict":         {canceled(conflict), 2 * time.Second},
		"Throttled":        {ddbtest.Throttle, 2 * time.Second},
		"Unreachable":      {ddbtest.Refuse, 2 * time.Second},
		"WithoutADeadline": {canceled(conflict), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, budget := t.Context(), 10*time.Second
				if c.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.deadline)
					defer cancel()
					budget = c.deadline
				}
				table := newTable(t, always(c.fault))
				start := time.Now()
				err := ddb.Commit(ctx, table.Client(), table.Put(item("1")))
				if took := time.Since(start); took > budget+answerTime || took < budget/10 {
					t.Errorf("took %s of %s", took, budget)
				}
				// Inside the SDK's own pauses the deadline may come first: then it is 504.
				if !errors.Is(err, ddb.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				if strings.HasPrefix(name, "Conflict") && !errors.Is(err, ddb.ErrUnavailable) {
					t.Errorf("got %v, want ErrUnavailable before the deadline", err)
				}
			})
		})
	}
}

func TestCommitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spoilt := &ddbtest.Faults{Next: ok}
		spoilt.Inject("TransactWriteItems", ddbtest.Delay(time.Minute))
		table := newTable(t, spoilt)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		err := ddb.Commit(ctx, table.Client(), table.Put(item("1")))
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ddb.ErrUnavailable) {
			t.Errorf("got %v, want the deadline and nothing else", err)
		}
	})
}

// A conflict that comes back to a context that has ended is the context's end, not a busy store.
func TestCommitTellsItsEndFromABusyStore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	table := newTable(t, respond(func(r *http.Request) (*http.Response, error) {
		cancel()
		return canceled(conflict)(nil, r)
	}))
	err := ddb.Commit(ctx, table.Client(), table.Put(item("1")))
	if !errors.Is(err, context.Canceled) || errors.Is(err, ddb.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestCommitRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	table := newTable(t, respond(func(*http.Request) (*http.Response, error) {
		t.Error("something was sent")
		return nil, io.EOF
	}))
	other := ddb.NewTable(table.Client(), "other")
	many := make([]ddb.Write, ddb.MaxWrites+1)
	for i := range many {
		many[i] = table.Put(item(strings.Repeat("x", i+1)))
	}
	secret := ddb.Key{PK: "EM#alice@example.com", SK: "U"}

	for name, c := range map[string]struct {
		writes []ddb.Write
		want   string
	}{
		"None":                  {nil, "no writes"},
		"TooMany":               {many, "101 writes"},
		"OneItemTwice":          {[]ddb.Write{other.Put(secret), table.Put(secret), table.Delete(secret)}, "writes 2 and 3 are on the same item of table commerce"},
		"ZeroWrite":             {[]ddb.Write{{}}, "write 1 of 1: was not made by a Table"},
		"NoKey":                 {[]ddb.Write{table.Put(struct{}{})}, "no string attributes PK and SK"},
		"EmptyKey":              {[]ddb.Write{table.Delete(ddb.Key{PK: "1"})}, "empty key"},
		"NotAnItem":             {[]ddb.Write{table.Put(42)}, "PK"},
		"CheckOfNothing":        {[]ddb.Write{table.Check(secret)}, "no condition to check"},
		"ConditionWithoutError": {[]ddb.Write{table.Put(secret).If(ddb.Absent(), nil)}, "no error"},
		"EmptyUpdate":           {[]ddb.Write{table.Update(secret, expression.UpdateBuilder{})}, "unset parameter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ddb.Commit(t.Context(), table.Client(), c.writes...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "alice") {
				t.Errorf("the text carries a key: %v", err)
			}
		})
	}
	t.Run("SameKeyInTwoTables", func(t *testing.T) {
		t.Parallel()
		spoilt := &ddbtest.Faults{Next: ok}
		client := newTable(t, spoilt).Client()
		if err := ddb.Commit(t.Context(), client, table.Put(secret), other.Put(secret)); err != nil {
			t.Error(err)
		}
	})
}

// The request itself, as DynamoDB reads it.
func TestCommitRequest(t *testing.T) {
	t.Parallel()
	var got map[string]any
	table := newTable(t, respond(func(r *http.Request) (*http.Response, error) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		return ddbtest.Respond(r, http.StatusOK, `{}`), nil
	}))
	explain := func(ddb.Item) error { return errFirst }
	if err := ddb.Commit(t.Context(), table.Client(),
		table.Put(item("1")).If(ddb.Absent(), errFirst),
		table.Update(ddb.Key{PK: "2", SK: "S"}, anyUpdate()),
		table.Check(ddb.Key{PK: "3", SK: "S"}).IfElse(ddb.Present(), explain)); err != nil {
		t.Fatal(err)
	}
	delete(got, "ClientRequestToken")
	key := func(pk string) map[string]any {
		return map[string]any{"PK": map[string]any{"S": pk}, "SK": map[string]any{"S": "S"}}
	}
	want := map[string]any{"TransactItems": []any{
		map[string]any{"Put": map[string]any{
			"TableName": "commerce", "Item": key("1"), "ConditionExpression": "attribute_not_exists (#0)",
			"ExpressionAttributeNames":            map[string]any{"#0": "PK"},
			"ReturnValuesOnConditionCheckFailure": "NONE",
		}},
		map[string]any{"Update": map[string]any{
			"TableName": "commerce", "Key": key("2"), "UpdateExpression": "SET #0 = :0\n",
			"ExpressionAttributeNames":            map[string]any{"#0": "a"},
			"ExpressionAttributeValues":           map[string]any{":0": map[string]any{"N": "1"}},
			"ReturnValuesOnConditionCheckFailure": "NONE",
		}},
		map[string]any{"ConditionCheck": map[string]any{
			"TableName": "commerce", "Key": key("3"), "ConditionExpression": "attribute_exists (#0)",
			"ExpressionAttributeNames":            map[string]any{"#0": "PK"},
			"ReturnValuesOnConditionCheckFailure": "ALL_OLD",
		}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

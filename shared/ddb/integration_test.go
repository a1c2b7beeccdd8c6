//go:build integration

package ddb_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

var (
	errTaken  = errors.New("the key is taken")
	errSold   = errors.New("sold out")
	errAbsent = errors.New("no such item")
)

type note struct {
	PK    string `dynamodbav:"PK"`
	SK    string `dynamodbav:"SK"`
	Owner string `dynamodbav:"owner"`
	Text  string `dynamodbav:"text"`
	Count int64  `dynamodbav:"count"`
}

func (n note) key() ddb.Key { return ddb.Key{PK: n.PK, SK: n.SK} }

func store(t *testing.T, table *ddb.Table, notes ...note) {
	t.Helper()
	for _, n := range notes {
		if err := ddb.Commit(t.Context(), table.Client(), table.Put(n)); err != nil {
			t.Fatal(err)
		}
	}
}

func load(t *testing.T, table *ddb.Table, key ddb.Key) note {
	t.Helper()
	var got note
	found, err := table.Get(t.Context(), key, &got, true)
	if err != nil || !found {
		t.Fatalf("Get(%v): found %t, %v", key, found, err)
	}
	return got
}

func addOne() expression.UpdateBuilder {
	return expression.Add(expression.Name("count"), expression.Value(1))
}

func TestCommitConditions(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	stock := note{PK: "STK#1", SK: "S", Count: 2}
	store(t, table, stock)
	available := func(n int) expression.ConditionBuilder {
		return expression.Name("count").GreaterThanEqual(expression.Value(n))
	}
	take := func(n int) expression.UpdateBuilder {
		return expression.Set(expression.Name("count"), expression.Name("count").Minus(expression.Value(n)))
	}
	other := note{PK: "N#1", SK: "META"}

	t.Run("FirstFailedConditionInOrderOfWrites", func(t *testing.T) {
		err := ddb.Commit(t.Context(), table.Client(),
			table.Put(other).If(ddb.Absent(), errTaken),
			table.Update(stock.key(), take(3)).If(available(3), errSold),
			table.Check(ddb.Key{PK: "N#2", SK: "META"}).If(ddb.Present(), errAbsent))
		if !errors.Is(err, errSold) {
			t.Errorf("got %v, want %v", err, errSold)
		}
	})
	t.Run("NothingOfAFailedTransactionIsWritten", func(t *testing.T) {
		found, err := table.Get(t.Context(), other.key(), &note{}, true)
		if found || err != nil {
			t.Errorf("found %t, %v", found, err)
		}
	})
	t.Run("FailureIsMadeFromTheOldItem", func(t *testing.T) {
		var left int64 = -1
		err := ddb.Commit(t.Context(), table.Client(),
			table.Update(stock.key(), take(3)).IfElse(available(3), func(old ddb.Item) error {
				var n note
				if err := ddb.Decode(old, &n); err != nil {
					return err
				}
				left = n.Count
				return errSold
			}))
		if !errors.Is(err, errSold) || left != 2 {
			t.Errorf("got %v, left %d; want %v, 2", err, left, errSold)
		}
	})
	t.Run("NoOldItemIsNil", func(t *testing.T) {
		err := ddb.Commit(t.Context(), table.Client(),
			table.Delete(ddb.Key{PK: "N#9", SK: "META"}).IfElse(ddb.Present(), func(old ddb.Item) error {
				if old != nil {
					t.Errorf("old item is %v", old)
				}
				return errAbsent
			}))
		if !errors.Is(err, errAbsent) {
			t.Errorf("got %v, want %v", err, errAbsent)
		}
	})
	t.Run("ConditionsThatHold", func(t *testing.T) {
		err := ddb.Commit(t.Context(), table.Client(),
			table.Update(stock.key(), take(2)).If(available(2), errSold),
			table.Put(other).If(ddb.Absent(), errTaken))
		if err != nil {
			t.Fatal(err)
		}
		if got := load(t, table, stock.key()).Count; got != 0 {
			t.Errorf("left %d, want 0", got)
		}
	})
}

// An answer that is lost after the commit must not change what the caller sees, nor count twice.
func TestCommitOutlivesLostResponses(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]ddbtest.Fault{
		"ConnectionClosed":  {ddbtest.LoseResponse},
		"ServerError":       {ddbtest.FailAfterCommit},
		"AnswerBrokenOff":   {ddbtest.BreakOff},
		"NeverSent":         {ddbtest.Refuse},
		"ConflictThenLost":  {ddbtest.Conflict, ddbtest.LoseResponse},
		"ThrottledThenLost": {ddbtest.Throttle, ddbtest.LoseResponse, ddbtest.Throttle},
		"BeyondTheSDK":      {ddbtest.LoseResponse, ddbtest.LoseResponse, ddbtest.LoseResponse, ddbtest.LoseResponse, ddbtest.LoseResponse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spoilt := &ddbtest.Faults{}
			table := ddbtest.Table(t, spoilt.Option)
			counter := note{PK: "N#1", SK: "META"}
			store(t, table, counter)

			spoilt.Inject("TransactWriteItems", faults...)
			err := ddb.Commit(t.Context(), table.Client(),
				table.Update(counter.key(), addOne()).If(ddb.Present(), errAbsent),
				table.Put(note{PK: "N#2", SK: "META"}).If(ddb.Absent(), errTaken))
			if err != nil {
				t.Fatal(err)
			}
			if got := load(t, table, counter.key()).Count; got != 1 {
				t.Errorf("count is %d, want 1", got)
			}
			if got, want := spoilt.Attempts("TransactWriteItems"), 1+len(faults)+1; got != want {
				t.Errorf("%d attempts, want %d", got, want)
			}
		})
	}
}

// The control: without a transaction the SDK counts a lost response twice, silently. It shows that
// the tests above can fail, and why there is no helper for a bare ADD.
func TestBareAddCountsTwice(t *testing.T) {
	t.Parallel()
	spoilt := &ddbtest.Faults{}
	table := ddbtest.Table(t, spoilt.Option)
	counter := note{PK: "N#1", SK: "META"}
	store(t, table, counter)

	spoilt.Inject("UpdateItem", ddbtest.LoseResponse)
	expr, err := expression.NewBuilder().WithUpdate(addOne()).Build()
	if err != nil {
		t.Fatal(err)
	}
	name := table.Name()
	_, err = table.Client().UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &name, Key: counter.key().Item(), UpdateExpression: expr.Update(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := load(t, table, counter.key()).Count; got != 2 {
		t.Errorf("count is %d, want 2: has the SDK changed?", got)
	}
}

func TestPutNew(t *testing.T) {
	t.Parallel()
	mine := note{PK: "N#1", SK: "META", Owner: "mine", Text: "same"}
	theirs := mine
	theirs.Owner = "theirs"

	for name, c := range map[string]struct {
		before []note
		fault  ddbtest.Fault
		want   error
		stored note
	}{
		"KeyIsFree":                {want: nil, stored: mine},
		"OwnWriteWithLostResponse": {fault: ddbtest.LoseResponse, want: nil, stored: mine},
		"OwnWriteWithServerError":  {fault: ddbtest.FailAfterCommit, want: nil, stored: mine},
		"OwnWriteBrokenOff":        {fault: ddbtest.BreakOff, want: nil, stored: mine},
		"SomebodyElses":            {before: []note{theirs}, want: errTaken, stored: theirs},
		"SomebodyElsesAfterAFault": {before: []note{theirs}, fault: ddbtest.LoseResponse, want: errTaken, stored: theirs},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spoilt := &ddbtest.Faults{}
			table := ddbtest.Table(t, spoilt.Option)
			store(t, table, c.before...)
			spoilt.Inject("PutItem", c.fault)

			if err := table.PutNew(t.Context(), mine, "owner", errTaken); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if diff := cmp.Diff(c.stored, load(t, table, mine.key())); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
}

// DynamoDB must take the token of a cancelled transaction again: Commit relies on it when a conflict
// has cancelled an attempt.
func TestTokenOfACancelledTransactionIsFree(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	name, token := table.Name(), "one-token"
	expr, err := expression.NewBuilder().WithCondition(ddb.Present()).Build()
	if err != nil {
		t.Fatal(err)
	}
	commit := func() error {
		_, err := table.Client().SDK().TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
			ClientRequestToken: &token,
			TransactItems: []types.TransactWriteItem{{ConditionCheck: &types.ConditionCheck{
				TableName: &name, Key: ddb.Key{PK: "N#1", SK: "META"}.Item(),
				ConditionExpression: expr.Condition(), ExpressionAttributeNames: expr.Names(),
			}}},
		})
		return err
	}
	var canceled *types.TransactionCanceledException
	if err := commit(); !errors.As(err, &canceled) {
		t.Fatalf("got %v, want a cancelled transaction", err)
	}
	store(t, table, note{PK: "N#1", SK: "META"})
	if err := commit(); err != nil {
		t.Errorf("second attempt: %v", err)
	}
}

func TestEngineFaultsCarryNoValues(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	const secret = "alice@example.com"
	store(t, table, note{PK: "N#1", SK: "META", Text: secret})

	err := ddb.Commit(t.Context(), table.Client(),
		table.Update(ddb.Key{PK: "N#1", SK: "META"}, expression.Add(expression.Name("text"), expression.Value(1))))
	if err == nil || errors.Is(err, ddb.ErrUnavailable) {
		t.Fatalf("got %v, want a fault", err)
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("text is %q", err)
	}
}

func TestStockNeverOversold(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	stock := note{PK: "STK#1", SK: "S", Count: 10}
	store(t, table, stock)
	one := expression.Value(1)

	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var sold, refused atomic.Int64
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			err := ddb.Commit(ctx, table.Client(), table.Update(stock.key(),
				expression.Set(expression.Name("count"), expression.Name("count").Minus(one))).
				If(expression.Name("count").GreaterThanEqual(one), errSold))
			switch {
			case err == nil:
				sold.Add(1)
			case errors.Is(err, errSold):
				refused.Add(1)
			default:
				t.Errorf("Commit: %v", err)
			}
		})
	}
	wg.Wait()
	if sold.Load() != 10 || refused.Load() != 30 {
		t.Errorf("sold %d, refused %d; want 10, 30", sold.Load(), refused.Load())
	}
	if got := load(t, table, stock.key()).Count; got != 0 {
		t.Errorf("left %d, want 0", got)
	}
}

//go:build integration

package outboxddb_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxddb"
	"github.com/tienda-dev/tienda/shared/outbox/outboxtest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	outboxtest.Run(t, func(t *testing.T) outboxtest.Store {
		t.Helper()
		return outboxddb.New(ddbtest.Table(t))
	})
}

var errState = errors.New("wrong state")

// The event exists exactly when the change does.
func TestEventAndChangeAreOneTransaction(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	key := ddb.Key{PK: "O#a", SK: "META"}
	change := table.Update(key, expression.Set(expression.Name("status"), expression.Value("confirmed"))).
		If(ddb.Present(), errState)
	e := outboxtest.Event(t, 1, "order.confirmed", "a")
	if err := ddb.Commit(t.Context(), table.Client(), change, outboxddb.Write(table, "O#a", e)); !errors.Is(err, errState) {
		t.Fatalf("error = %v, want %v", err, errState)
	}
	if got, _, err := outboxddb.List(t.Context(), table, "O#a", 10, nil); len(got) != 0 || err != nil {
		t.Errorf("events of a refused change: %v, %v", got, err)
	}
}

// A lost response of the transaction neither repeats the event nor takes the consumer's own record for a
// repetition.
func TestLostResponses(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]ddbtest.Fault{"Closed": ddbtest.LoseResponse, "Answered500": ddbtest.FailAfterCommit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			table := ddbtest.Table(t, faults.Option)
			store := outboxddb.New(table)
			e := outboxtest.Event(t, 1, "order.created", "a")

			faults.Inject("TransactWriteItems", fault)
			if err := store.Append(t.Context(), "O#a", e); err != nil {
				t.Fatalf("Append: %v", err)
			}
			faults.Inject("TransactWriteItems", fault)
			if err := store.Consume(t.Context(), "advance", e, outboxtest.Time(2)); err != nil {
				t.Fatalf("Consume: %v", err)
			}
			if err := store.Consume(t.Context(), "advance", e, outboxtest.Time(3)); !errors.Is(err, outbox.ErrConsumed) {
				t.Errorf("second Consume: %v, want %v", err, outbox.ErrConsumed)
			}
			got, _, err := store.List(t.Context(), "O#a", 10, nil)
			if err != nil || len(got) != 1 {
				t.Errorf("got %d events, %v; want 1", len(got), err)
			}
		})
	}
}

// A record whose time is over counts until DynamoDB removes it.
func TestRecordsOutliveTheQueues(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := outboxddb.New(table)
	e := outboxtest.Event(t, 1, "order.created", "a")
	if err := store.Consume(t.Context(), "advance", e, outboxtest.Time(2)); err != nil {
		t.Fatal(err)
	}
	var record struct {
		TTL int64 `dynamodbav:"ttl"`
	}
	found, err := table.Get(t.Context(), ddb.Key{PK: "IN#advance#" + e.ID, SK: "I"}, &record, true)
	if want := outboxtest.Time(2).Add(outboxddb.Kept).Unix(); !found || err != nil || record.TTL != want {
		t.Errorf("found %v, ttl %d, error %v; want ttl %d", found, record.TTL, err, want)
	}
	if queueAndDeadLetters := 28 * 24 * time.Hour; outboxddb.Kept <= queueAndDeadLetters {
		t.Errorf("records are kept for %v, want more than %v", outboxddb.Kept, queueAndDeadLetters)
	}
	if err := store.Consume(t.Context(), "advance", e, outboxtest.Time(0).Add(2*outboxddb.Kept)); !errors.Is(err, outbox.ErrConsumed) {
		t.Errorf("after the time to live: %v, want %v", err, outbox.ErrConsumed)
	}
}

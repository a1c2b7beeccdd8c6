//go:build integration

package customersddb_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/customers/customersddb"
	"github.com/tienda-dev/tienda/functions/customers/customerstest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

// creating commits the writes that the registration adds to its own transaction.
type creating struct {
	*customersddb.Store

	table *ddb.Table
}

func (c creating) Create(ctx context.Context, id, email, name string, at time.Time) error {
	return ddb.Commit(ctx, c.table.Client(), c.Add(id, email, name, at)...)
}

func TestStore(t *testing.T) {
	t.Parallel()
	customerstest.Run(t, func(t *testing.T) customerstest.Store {
		t.Helper()
		table := ddbtest.Table(t)
		return creating{Store: customersddb.New(table), table: table}
	})
}

func TestGuessable(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := creating{Store: customersddb.New(table), table: table}
	const id = "01J00000000000000000000001"
	if known, err := store.Guessable(t.Context(), id); err != nil || len(known) > 0 {
		t.Errorf("without a profile: got %q, %v", known, err)
	}
	if err := store.Create(t.Context(), id, "maria@shop.example", "María López", customerstest.Time(0).Time); err != nil {
		t.Fatal(err)
	}
	known, err := store.Guessable(t.Context(), id)
	if diff := cmp.Diff([]string{"maria@shop.example", "María López"}, known); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]ddbtest.Fault{
		"LostResponse": ddbtest.LoseResponse, "FailAfterCommit": ddbtest.FailAfterCommit, "BrokenOff": ddbtest.BreakOff,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			table := ddbtest.Table(t, faults.Option)
			store := creating{Store: customersddb.New(table), table: table}
			faults.Inject("TransactWriteItems", fault, ddbtest.Throttle, fault)
			if err := store.Create(t.Context(), "01J00000000000000000000001", "maria@shop.example", "María", customerstest.Time(0).Time); err != nil {
				t.Fatalf("Create: %v", err)
			}
			c, err := store.Get(t.Context(), "01J00000000000000000000001")
			if err != nil {
				t.Fatal(err)
			}
			after := c
			after.Name, after.Version = "Other", 2
			faults.Inject("TransactWriteItems", fault, ddbtest.Throttle, fault)
			if err := store.Update(t.Context(), c, after); err != nil {
				t.Fatalf("Update: %v", err)
			}
			if got, err := store.Get(t.Context(), c.ID); err != nil || got != after {
				t.Errorf("got %+v, %v, want %+v", got, err, after)
			}
			if n := faults.Attempts("TransactWriteItems"); n != 8 {
				t.Errorf("%d attempts, want 4 for each of 2 changes: the faults have not come through", n)
			}
		})
	}
}

// A change must be based on the stored version.
func TestReadIsConsistent(t *testing.T) {
	t.Parallel()
	var reads ddbtest.Reads
	table := ddbtest.Table(t, reads.Option)
	store := creating{Store: customersddb.New(table), table: table}
	const id = "01J00000000000000000000001"
	if err := store.Create(t.Context(), id, "maria@shop.example", "María", customerstest.Time(0).Time); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Get(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ddbtest.Read{{Operation: "GetItem", Consistent: true}}, reads.Take()); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
}

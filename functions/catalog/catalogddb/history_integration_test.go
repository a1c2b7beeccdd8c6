//go:build integration

package catalogddb_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

// counters are the pieces of one product.
type counters struct{ available, reserved, sold int64 }

// movement is a call in a history: pieces from one counter to another, or a read, which moves none.
type movement struct {
	name   string
	pieces int64
}

// after returns the counters after the movement, and whether it was possible.
func (m movement) after(c counters) (counters, bool) {
	from, to := &c.available, &c.reserved
	switch m.name {
	case "release":
		from, to = &c.reserved, &c.available
	case "sell":
		from, to = &c.reserved, &c.sold
	case "restock":
		from, to = &c.sold, &c.available
	}
	if *from < m.pieces {
		return c, false
	}
	*from, *to = *from-m.pieces, *to+m.pieces
	return c, true
}

// result is what a call returned: whether the movement happened, or the counters of a read.
type result struct {
	moved bool
	read  counters
}

// stockModel is one product on one thread.
func stockModel(first counters) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return first },
		Step: func(state, input, output any) (bool, any) {
			before, call, got := state.(counters), input.(movement), output.(result)
			if call.name == "read" {
				return got.read == before, before
			}
			after, possible := call.after(before)
			if !possible {
				return !got.moved, before
			}
			return got.moved, after
		},
	}
}

// Movements and reads of one product by many callers, whose answers are lost, throttled and in conflict, have the results
// of some order of them one after the other (Herlihy and Wing, Linearizability, 1990).
func TestStockIsLinearizable(t *testing.T) {
	t.Parallel()
	const callers, calls, pieces = 8, 25, 20
	faults := &ddbtest.Faults{}
	table := ddbtest.Table(t, faults.Option)
	store := catalogddb.New(table)
	p := stocked(t, store, table, pieces)
	dice := rand.New(rand.NewPCG(3, 4))
	for range callers * calls {
		faults.Inject("TransactWriteItems", []ddbtest.Fault{nil, nil, ddbtest.LoseResponse, ddbtest.FailAfterCommit, ddbtest.Conflict, ddbtest.Throttle}[dice.IntN(6)])
	}

	var mu sync.Mutex
	var history []porcupine.Operation
	began := time.Now()
	var group sync.WaitGroup
	for caller := range callers {
		own := rand.New(rand.NewPCG(5, uint64(caller)))
		group.Go(func() {
			for range calls {
				call := movement{name: []string{"reserve", "reserve", "release", "sell", "restock", "read"}[own.IntN(6)], pieces: 1 + own.Int64N(4)}
				start := time.Since(began)
				got, err := call.on(t, store, table, p)
				if err != nil {
					t.Errorf("%s: %v", call.name, err)
					return
				}
				mu.Lock()
				history = append(history, porcupine.Operation{
					ClientId: caller, Input: call, Output: got, Call: int64(start), Return: int64(time.Since(began)),
				})
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if !porcupine.CheckOperations(stockModel(counters{available: pieces}), history) {
		t.Error("the history is not linearizable")
	}
	for i := range history { // the check can fail
		if call := history[i].Input.(movement); call.name == "read" {
			got := history[i].Output.(result)
			got.read.sold++
			history[i].Output = got
			if porcupine.CheckOperations(stockModel(counters{available: pieces}), history) {
				t.Error("a history with a read of pieces that never were is linearizable too")
			}
			break
		}
	}
}

// stocked returns a new product with pieces that are available.
func stocked(t *testing.T, store *catalogddb.Store, table *ddb.Table, pieces int64) catalog.Product {
	t.Helper()
	p := catalogtest.NewProduct()
	if err := store.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	delivered := expression.Set(expression.Name("available"), expression.Value(pieces))
	if err := ddb.Commit(t.Context(), table.Client(), table.Update(ddb.Key{PK: "STK#" + p.ID, SK: "S"}, delivered)); err != nil {
		t.Fatal(err)
	}
	return p
}

// on makes the call.
func (m movement) on(t *testing.T, store *catalogddb.Store, table *ddb.Table, p catalog.Product) (result, error) {
	t.Helper()
	if m.name == "read" {
		stock, err := store.Inventory(t.Context(), p.ID)
		return result{read: counters{stock.Available, stock.Reserved, stock.Sold}}, err
	}
	move := map[string]func(string, int64, time.Time) ddb.Write{
		"reserve": store.Reserve, "release": store.Release, "sell": store.Sell, "restock": store.Restock,
	}[m.name]
	err := ddb.Commit(t.Context(), table.Client(), move(p.ID, m.pieces, time.UnixMilli(0)))
	var short *catalog.ShortError
	if errors.As(err, &short) || (err != nil && !errors.Is(err, ddb.ErrUnavailable) && m.name != "reserve") {
		return result{}, nil // fewer are there
	}
	return result{moved: err == nil}, err
}

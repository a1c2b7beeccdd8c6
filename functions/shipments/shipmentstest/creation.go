package shipmentstest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

func testCreated(t *testing.T, store Store) {
	made := created(t, store)
	want(t, store, made)
	wantEvents(t, store, made.OrderID, "shipment.created")
	o, err := store.ForShipping(t.Context(), made.OrderID)
	if err != nil || o.Lines[0].ToShip != 2 || o.Lines[1].ToShip != 2 || o.Phase != shipments.Open || o.Version != 3 {
		t.Errorf("the order is %+v, %v; want 2 pieces left of each", o, err)
	}
}

func testUnknown(t *testing.T, store Store) {
	made := created(t, store)
	other := NewID(Time(0))
	for name, err := range map[string]error{
		"Get":    second(store.Get(t.Context(), other)),
		"Track":  second(store.Track(t.Context(), other)),
		"Record": store.Record(t.Context(), report(other, "e1"), shipments.Shipment{ID: other, Version: 1}, nil, nil),
	} {
		if !errors.Is(err, shipments.ErrNotFound) {
			t.Errorf("%s: %v, want %v", name, err, shipments.ErrNotFound)
		}
	}
	if _, err := store.ForShipping(t.Context(), other); !errors.Is(err, shipments.ErrOrderNotFound) {
		t.Errorf("ForShipping: %v, want %v", err, shipments.ErrOrderNotFound)
	}
	if list, next, err := store.List(t.Context(), other, 10, nil); err != nil || len(list) != 0 || next != nil {
		t.Errorf("List: %v, %q, %v; want nothing", list, next, err)
	}
	if _, arrived, err := store.Scan(t.Context(), made.ID, "e1"); err != nil || arrived {
		t.Errorf("Scan: %v, %v", arrived, err)
	}
}

func second[T any](_ T, err error) error { return err }

// keyed returns the same creation with the answer of a request that had the key.
func keyed(t *testing.T, c shipments.Creation, key string) shipments.Creation {
	t.Helper()
	ctx := idempotency.WithKey(t.Context(), idempotency.Key{ID: key, Fingerprint: "f"})
	var err error
	c.Answer, err = idempotency.Done(ctx, c.Shipment.CreatedAt.Time, http.StatusCreated, nil, c.Shipment)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testRepeated(t *testing.T, store Store) {
	c := keyed(t, creation(t, ordered(t, store)), "key-1")
	for range 2 {
		if err := store.Create(t.Context(), c); err != nil {
			t.Fatalf("Create: %v", err)
		}
	}
	want(t, store, c.Shipment)
	wantEvents(t, store, c.Order.ID, "shipment.created")
}

// A repeated request is answered with the first shipment even though its order has changed.
func testKey(t *testing.T, store Store) {
	o := ordered(t, store)
	first := keyed(t, creation(t, o), "key-1")
	if err := store.Create(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	err := store.Create(t.Context(), keyed(t, creation(t, o), "key-1"))
	used, ok := errors.AsType[*idempotency.UsedError](err)
	if !ok {
		t.Fatalf("Create: %v, want that the key is used", err)
	}
	if diff := cmp.Diff(first.Answer, used.Stored); diff != "" {
		t.Errorf("the key's record (-want +got):\n%s", diff)
	}
	want(t, store, first.Shipment)
	wantEvents(t, store, o.ID, "shipment.created")
}

// An id that exists is refused, and its shipment stays.
func testExists(t *testing.T, store Store) {
	made := created(t, store)
	c := creation(t, ordered(t, store))
	c.Shipment.ID = made.ID
	if err := store.Create(t.Context(), c); err == nil {
		t.Error("a shipment with the id of another one is created")
	}
	want(t, store, made)
	wantEvents(t, store, c.Order.ID)
}

func testOrderChanged(t *testing.T, store Store) {
	o := ordered(t, store)
	changed := o
	changed.Version++
	if err := store.AddOrder(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	c := creation(t, o)
	if err := store.Create(t.Context(), c); !errors.Is(err, shipments.ErrOrderChanged) {
		t.Errorf("Create: %v, want %v", err, shipments.ErrOrderChanged)
	}
	if _, err := store.Get(t.Context(), c.Shipment.ID); !errors.Is(err, shipments.ErrNotFound) {
		t.Errorf("Get: %v, want %v", err, shipments.ErrNotFound)
	}
	if _, err := store.Track(t.Context(), c.Shipment.TrackingToken); !errors.Is(err, shipments.ErrNotFound) {
		t.Errorf("Track: %v, want %v", err, shipments.ErrNotFound)
	}
	wantEvents(t, store, o.ID)
}

// Of many shipments that were chosen from the same order, one is made.
func testNeverMore(t *testing.T, store Store) {
	const clerks = 8
	o := ordered(t, store)
	errs := make([]error, clerks)
	var wg sync.WaitGroup
	for i := range clerks {
		c := creation(t, o)
		c.Shipment.Lines[0].Quantity = 2
		wg.Go(func() { errs[i] = store.Create(t.Context(), c) })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		switch {
		case err == nil:
			made++
		case !errors.Is(err, shipments.ErrOrderChanged):
			t.Errorf("Create: %v, want %v", err, shipments.ErrOrderChanged)
		}
	}
	left, err := store.ForShipping(t.Context(), o.ID)
	if err != nil || made != 1 || left.Lines[0].ToShip != 1 {
		t.Errorf("%d shipments and %d pieces left, %v; want 1 and 1", made, left.Lines[0].ToShip, err)
	}
}

func testList(t *testing.T, store Store) {
	o, want := ordered(t, store), []string{}
	for i := range 3 {
		c := creation(t, o)
		c.Shipment.ID = NewID(Time(10 + i))
		if err := store.Create(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		want = append(want, c.Shipment.ID)
		var err error
		if o, err = store.ForShipping(t.Context(), o.ID); err != nil {
			t.Fatal(err)
		}
	}
	created(t, store) // of another order
	for _, limit := range []int{1, 2, 3} {
		got, after := []string{}, []byte(nil)
		for {
			list, next, err := store.List(t.Context(), o.ID, limit, after)
			if err != nil || len(list) > limit {
				t.Fatalf("List: %d shipments, %v", len(list), err)
			}
			for _, s := range list {
				got = append(got, s.ID)
			}
			if next == nil {
				break
			}
			after = next
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	for _, broken := range []string{"x", "{}", `{"after":"x"}`} {
		if _, _, err := store.List(t.Context(), o.ID, 1, []byte(broken)); err == nil {
			t.Errorf("List accepts the position %s", broken)
		}
	}
}

func testContext(t *testing.T, store Store) {
	made := created(t, store)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	next := creation(t, ordered(t, store))
	after := moved(made, shipments.ScanPickedUp, 2)
	_, _, listed := store.List(ctx, made.OrderID, 1, nil)
	_, _, scanned := store.Scan(ctx, made.ID, "e1")
	for i, err := range []error{
		store.Create(ctx, next), second(store.Get(ctx, made.ID)), second(store.Track(ctx, made.TrackingToken)), listed, scanned,
		store.Record(ctx, report(made.ID, "e1"), made, &after, nil), second(store.ForShipping(ctx, made.OrderID)),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("call %d: %v, want %v", i, err, context.Canceled)
		}
	}
	want(t, store, made)
	if _, err := store.Get(t.Context(), next.Shipment.ID); !errors.Is(err, shipments.ErrNotFound) {
		t.Errorf("Get: %v, want %v", err, fmt.Sprint(shipments.ErrNotFound))
	}
}

package orderstest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/problem"
)

// record returns an idempotency record of a key.
func record(key, owner string) idempotency.Record {
	return idempotency.Record{
		Key: idempotency.Key{ID: key, Fingerprint: "f"}, Owner: owner,
		Answer: idempotency.Answer{Status: 201, Body: []byte(`{}`)}, MadeAt: Time(0).Time, ExpiresAt: Time(0).Add(24 * time.Hour).Time,
	}
}

func testCreate(t *testing.T, newShop func(t *testing.T) Shop) {
	t.Helper()
	t.Run("HoldsStockAndUsesCodes", func(t *testing.T) {
		t.Parallel()
		shop := newShop(t)
		Stocked(t, shop, 5, "A", "B")
		o := NewOrder("A", "B")
		o.Codes, o.QuoteID = []string{"TEN"}, "quote-1"
		created(t, shop, o)
		wantOrder(t, shop, o)
		wantStock(t, shop, "A", Stock{Available: 3, Reserved: 2})
		wantStock(t, shop, "B", Stock{Available: 3, Reserved: 2})
		wantHold(t, shop, o.ID, orders.Held)
		wantReserved(t, shop, o.ID,
			orders.ReservedPieces{ProductID: ProductOf("A"), SKU: "A", Quantity: 2},
			orders.ReservedPieces{ProductID: ProductOf("B"), SKU: "B", Quantity: 2})
		wantEvents(t, shop, o.ID, orders.EventCreated)
		wantUses(t, shop, 1)
	})
	for name, tc := range map[string]struct {
		spoil func(*orders.Creation)
		want  error
	}{
		"OutOfStock":          {func(c *orders.Creation) { c.Order.Lines[1].Quantity = 6 }, orders.ErrOutOfStock},
		"ProductWithoutStock": {func(c *orders.Creation) { c.Order.Lines[1].ProductID = "PRODUCT-NONE" }, orders.ErrOutOfStock},
		"ChangedProduct":      {func(c *orders.Creation) { c.Versions[ProductOf("B")] = 2 }, orders.ErrPriceChanged},
		"UnknownProduct":      {func(c *orders.Creation) { c.Versions["PRODUCT-NONE"] = 1 }, orders.ErrPriceChanged},
		"QuoteUsedBefore":     {func(c *orders.Creation) { c.Order.QuoteID = "used" }, errQuoteUsed},
	} {
		t.Run(name+"WritesNothing", func(t *testing.T) {
			t.Parallel()
			shop := newShop(t)
			Stocked(t, shop, 5, "A", "B")
			first := NewOrder("A")
			first.QuoteID = "used"
			created(t, shop, first)

			c := Creation(NewOrder("A", "B"))
			c.Order.Codes, c.Record = []string{"TEN"}, record("k", "a")
			tc.spoil(&c)
			if err := shop.Create(t.Context(), c); !errors.Is(err, tc.want) {
				t.Errorf("Create: %v, want %v", err, tc.want)
			}
			if _, err := shop.Get(t.Context(), c.Order.ID); !errors.Is(err, orders.ErrNotFound) {
				t.Errorf("Get: %v, want %v", err, orders.ErrNotFound)
			}
			if _, err := shop.Reservation(t.Context(), c.Order.ID); !errors.Is(err, orders.ErrNotFound) {
				t.Errorf("Reservation: %v, want %v", err, orders.ErrNotFound)
			}
			wantEvents(t, shop, c.Order.ID)
			wantStock(t, shop, "A", Stock{Available: 3, Reserved: 2})
			wantStock(t, shop, "B", Stock{Available: 5})
			wantUses(t, shop, 0)
			again := Creation(NewOrder("A"))
			again.Record = record("k", "b")
			if err := shop.Create(t.Context(), again); err != nil {
				t.Errorf("Create with the key of the order that failed: %v", err)
			}
		})
	}
	t.Run("ExistingOrderIsKept", func(t *testing.T) {
		t.Parallel()
		shop := newShop(t)
		Stocked(t, shop, 5, "A", "B")
		first := created(t, shop, NewOrder("A"))
		second := NewOrder("B")
		second.ID = first.ID
		if err := shop.Create(t.Context(), Creation(second)); err == nil {
			t.Error("an order with the id of another one is created")
		}
		wantOrder(t, shop, first)
		wantStock(t, shop, "B", Stock{Available: 5})
	})
	t.Run("NamesTheLineThatIsOutOfStock", func(t *testing.T) {
		t.Parallel()
		shop := newShop(t)
		Stocked(t, shop, 5, "A")
		Stocked(t, shop, 1, "B")
		err := shop.Create(t.Context(), Creation(NewOrder("A", "B")))
		e, ok := problem.As(err)
		want := problem.FieldError{Pointer: "/lines/1/quantity", Detail: "must not be more than the 1 pieces of B that are available"}
		if !ok || len(e.Errors) != 1 || e.Errors[0] != want {
			t.Errorf("Create: %+v, want %+v", err, want)
		}
	})
	t.Run("UsedKeyComesBeforeTheStock", func(t *testing.T) {
		t.Parallel()
		shop := newShop(t)
		Stocked(t, shop, 2, "A")
		first, second := Creation(NewOrder("A")), Creation(NewOrder("A"))
		first.Record, second.Record = record("k", "a"), record("k", "b")
		if err := shop.Create(t.Context(), first); err != nil {
			t.Fatalf("Create: %v", err)
		}
		var used *idempotency.UsedError
		if err := shop.Create(t.Context(), second); !errors.As(err, &used) || used.Stored.Owner != "a" {
			t.Errorf("Create: %v, want the first record", err)
		}
		wantStock(t, shop, "A", Stock{Reserved: 2})
	})
}

func wantUses(t *testing.T, shop Shop, want int64) {
	t.Helper()
	got, err := shop.Uses(t.Context(), "TEN", "customer-1")
	if err != nil || got != want {
		t.Errorf("the code has %d uses, %v; want %d", got, err, want)
	}
}

func testApply(t *testing.T, newShop func(t *testing.T) Shop) {
	t.Helper()
	shopWith := func(t *testing.T) (Shop, orders.Order) {
		t.Helper()
		shop := newShop(t)
		Stocked(t, shop, 5, "A")
		o := NewOrder("A")
		o.Codes = []string{"TEN"}
		return shop, created(t, shop, o)
	}
	apply := func(t *testing.T, shop Shop, before orders.Order, status orders.Status, move orders.Move, typ string) orders.Order {
		t.Helper()
		after := next(before, status, Time(60))
		if err := shop.Apply(t.Context(), orders.Change{
			Before: before, After: after, Stock: move, Events: []outbox.Event{Event(after, typ, Time(60+int(after.Version)))}, At: Time(60).Time,
		}); err != nil {
			t.Fatalf("Apply: %v", err)
		}
		return after
	}
	t.Run("Release", func(t *testing.T) {
		t.Parallel()
		shop, o := shopWith(t)
		after := apply(t, shop, o, orders.StatusExpired, orders.Release, orders.EventExpired)
		wantOrder(t, shop, after)
		wantStock(t, shop, "A", Stock{Available: 5})
		wantHold(t, shop, o.ID, orders.Released)
		wantUses(t, shop, 0)
		wantEvents(t, shop, o.ID, orders.EventCreated, orders.EventExpired)
	})
	t.Run("CommitThenRestock", func(t *testing.T) {
		t.Parallel()
		shop, o := shopWith(t)
		o = apply(t, shop, o, orders.StatusConfirmed, orders.Commit, orders.EventConfirmed)
		wantStock(t, shop, "A", Stock{Available: 3, Sold: 2})
		wantHold(t, shop, o.ID, orders.Committed)
		wantUses(t, shop, 1)
		apply(t, shop, o, orders.StatusCancelled, orders.Restock, orders.EventCancelled)
		wantStock(t, shop, "A", Stock{Available: 5})
		wantHold(t, shop, o.ID, orders.Released)
		wantUses(t, shop, 0)
		wantEvents(t, shop, o.ID, orders.EventCreated, orders.EventConfirmed, orders.EventCancelled)
	})
	t.Run("OldVersionChangesNothing", func(t *testing.T) {
		t.Parallel()
		shop, o := shopWith(t)
		confirmed := apply(t, shop, o, orders.StatusConfirmed, orders.Commit, orders.EventConfirmed)
		older, other := confirmed, confirmed // one of them has the version only, and one the state
		older.Version--
		other.Status = orders.StatusShipped
		for name, c := range map[string]orders.Change{
			"Change":     {Before: o, After: next(o, orders.StatusExpired, Time(70)), Stock: orders.Release},
			"Check":      {Before: o, After: o},
			"OldVersion": {Before: older, After: next(older, orders.StatusShipped, Time(70))},
			"OtherState": {Before: other, After: next(other, orders.StatusDelivered, Time(70))},
		} {
			c.Events, c.At, c.Record = []outbox.Event{Event(o, orders.EventExpired, Time(70))}, Time(70).Time, record("k", "a")
			consumed := Event(o, "payment.captured", Time(70))
			c.Consumed = &consumed
			if err := shop.Apply(t.Context(), c); !errors.Is(err, orders.ErrChanged) {
				t.Errorf("%s: %v, want %v", name, err, orders.ErrChanged)
			}
		}
		wantOrder(t, shop, confirmed)
		wantStock(t, shop, "A", Stock{Available: 3, Sold: 2})
		wantEvents(t, shop, o.ID, orders.EventCreated, orders.EventConfirmed)
	})
	t.Run("ReservationMovesOnce", func(t *testing.T) {
		t.Parallel()
		shop, o := shopWith(t)
		created(t, shop, NewOrder("A")) // its pieces must stay reserved
		released := apply(t, shop, o, orders.StatusExpired, orders.Release, orders.EventExpired)
		err := shop.Apply(t.Context(), orders.Change{
			Before: released, After: next(released, orders.StatusExpired, Time(70)), Stock: orders.Release, At: Time(70).Time,
		})
		if err == nil {
			t.Error("a released reservation is released again")
		}
		wantStock(t, shop, "A", Stock{Available: 3, Reserved: 2})
	})
	t.Run("EventIsConsumedOnce", func(t *testing.T) {
		t.Parallel()
		shop, o := shopWith(t)
		e := Event(o, "payment.captured", Time(1))
		change := orders.Change{Before: o, After: next(o, orders.StatusConfirmed, Time(2)), Stock: orders.Commit, Consumed: &e, At: Time(2).Time}
		if err := shop.Apply(t.Context(), change); err != nil {
			t.Fatalf("Apply: %v", err)
		}
		again := orders.Change{Before: change.After, After: change.After, Consumed: &e, At: Time(3).Time}
		if err := shop.Apply(t.Context(), again); !errors.Is(err, outbox.ErrConsumed) {
			t.Errorf("Apply: %v, want %v", err, outbox.ErrConsumed)
		}
	})
	t.Run("KeyIsUsedOnce", func(t *testing.T) {
		t.Parallel()
		shop, o := shopWith(t)
		change := orders.Change{Before: o, After: next(o, orders.StatusCancelled, Time(2)), Stock: orders.Release, Record: record("k", "a"), At: Time(2).Time}
		if err := shop.Apply(t.Context(), change); err != nil {
			t.Fatalf("Apply: %v", err)
		}
		change.Record = record("k", "b")
		var used *idempotency.UsedError
		if err := shop.Apply(t.Context(), change); !errors.As(err, &used) || used.Stored.Owner != "a" {
			t.Errorf("Apply: %v, want the first record", err)
		}
	})
}

func testContext(t *testing.T, newShop func(t *testing.T) Shop) {
	t.Helper()
	shop := newShop(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := NewOrder("A")
	calls := map[string]func() error{
		"Create": func() error { return shop.Create(ctx, Creation(o)) },
		"Apply": func() error {
			return shop.Apply(ctx, orders.Change{Before: o, After: next(o, orders.StatusExpired, Time(1))})
		},
		"Get":         func() error { _, err := shop.Get(ctx, o.ID); return err },
		"ListOf":      func() error { _, _, err := shop.ListOf(ctx, "c", 1, nil); return err },
		"List":        func() error { _, _, err := shop.List(ctx, o.Status, Time(0).Time, 1, nil); return err },
		"Events":      func() error { _, _, err := shop.Events(ctx, o.ID, 1, nil); return err },
		"Held":        func() error { _, _, err := shop.Held(ctx, Time(0).Time, 1, nil); return err },
		"Reservation": func() error { _, err := shop.Reservation(ctx, o.ID); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want %v", name, err, context.Canceled)
		}
	}
}

package pricingtest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/page"
)

func testDiscounts(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	t.Run("KeepsEveryField", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for name, change := range variations() {
			created := NewDiscount("NEW-"+name, change)
			mustCreate(t, store, created)
			wantDiscount(t, store, created)

			plain := NewDiscount("OLD-" + name)
			mustCreate(t, store, plain)
			changed := plain
			change(&changed)
			changed.Version, changed.UpdatedAt = 2, Time(3)
			for range 2 { // the second time changes nothing
				wantErr(t, store.UpdateDiscount(t.Context(), plain, changed), nil)
				wantDiscount(t, store, changed)
			}
			back := plain
			back.Version, back.UpdatedAt = 3, Time(4)
			wantErr(t, store.UpdateDiscount(t.Context(), changed, back), nil)
			wantDiscount(t, store, back)
		}
	})
	t.Run("CodeIsGivenOnce", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		d := NewDiscount("ONCE")
		mustCreate(t, store, d)
		other := NewDiscount("ONCE", variations()["Amount"])
		wantErr(t, store.CreateDiscount(t.Context(), other, idempotency.Record{}), pricing.ErrCodeExists)
		wantDiscount(t, store, d)
		wantErr(t, store.DeleteDiscount(t.Context(), d.Code, 1), nil)
		wantErr(t, store.CreateDiscount(t.Context(), other, idempotency.Record{}), pricing.ErrCodeExists)
		_, err := store.Discount(t.Context(), d.Code)
		wantErr(t, err, pricing.ErrDiscountNotFound)
	})
	t.Run("StaleVersion", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		first := NewDiscount("STALE")
		mustCreate(t, store, first)
		second := first
		second.Version, second.Percent = 2, "20"
		wantErr(t, store.UpdateDiscount(t.Context(), first, second), nil)
		other := first
		other.Version, other.Percent = 2, "30"
		wantErr(t, store.UpdateDiscount(t.Context(), first, other), pricing.ErrStale)
		wantErr(t, store.DeleteDiscount(t.Context(), first.Code, 1), pricing.ErrStale)
		wantDiscount(t, store, second)
		wantErr(t, store.DeleteDiscount(t.Context(), first.Code, 2), nil)
		wantErr(t, store.DeleteDiscount(t.Context(), first.Code, 2), pricing.ErrDiscountNotFound)
		third := second
		third.Version = 3
		wantErr(t, store.UpdateDiscount(t.Context(), second, third), pricing.ErrDiscountNotFound)
	})
	t.Run("Unknown", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		d := NewDiscount("UNKNOWN")
		after := d
		after.Version = 2
		_, err := store.Discount(t.Context(), d.Code)
		wantErr(t, err, pricing.ErrDiscountNotFound)
		wantErr(t, store.UpdateDiscount(t.Context(), d, after), pricing.ErrDiscountNotFound)
		wantErr(t, store.DeleteDiscount(t.Context(), d.Code, 1), pricing.ErrDiscountNotFound)
		mustCreate(t, store, d) // nothing was written
	})
	t.Run("UpdateKeepsUses", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		before := NewDiscount("USED")
		mustCreate(t, store, before)
		mustUse(t, store, before.Code, "customer-1")
		after := before
		after.Version, after.Percent = 2, "20"
		wantErr(t, store.UpdateDiscount(t.Context(), before, after), nil)
		after.Uses = 1
		wantDiscount(t, store, after)
	})
}

func testDiscountList(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	store := newStore(t)
	wantList(t, store, 3)
	var newest [][]string
	for i := range 7 {
		d := NewDiscount(fmt.Sprintf("LIST-%d", i), func(d *pricing.Discount) { d.CreatedAt = Time(i / 2) }) // pairs of one time
		mustCreate(t, store, d)
	}
	newest = [][]string{{"LIST-6", "LIST-5", "LIST-4"}, {"LIST-3", "LIST-2", "LIST-1"}, {"LIST-0"}}
	wantList(t, store, 3, newest...)
	wantList(t, store, 7, []string{"LIST-6", "LIST-5", "LIST-4", "LIST-3", "LIST-2", "LIST-1", "LIST-0"})

	wantErr(t, store.DeleteDiscount(t.Context(), "LIST-3", 1), nil)
	wantList(t, store, 3, []string{"LIST-6", "LIST-5", "LIST-4"}, []string{"LIST-2", "LIST-1", "LIST-0"})
	for _, position := range []string{"x", "{}", `{"before":1}`} {
		_, _, err := store.Discounts(t.Context(), 3, []byte(position))
		wantErr(t, err, page.ErrInvalidCursor)
	}
}

// wantList reads all pages of the list.
func wantList(t *testing.T, store Store, limit int, want ...[]string) {
	t.Helper()
	var got [][]string
	var after []byte
	for {
		discounts, next, err := store.Discounts(t.Context(), limit, after)
		if err != nil {
			t.Fatalf("Discounts: %v", err)
		}
		var codes []string
		for _, d := range discounts {
			codes = append(codes, d.Code)
		}
		if codes != nil {
			got = append(got, codes)
		}
		if next == nil {
			break
		}
		after = next
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

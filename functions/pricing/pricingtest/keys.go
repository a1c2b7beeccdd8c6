package pricingtest

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

// newRecord returns the record of a request with a key, made at a time.
func newRecord(t *testing.T, id string, at time.Time) idempotency.Record {
	t.Helper()
	ctx := idempotency.WithKey(t.Context(), idempotency.Key{ID: id, Fingerprint: "f"})
	record, err := idempotency.Done(ctx, at, 201, map[string]string{"Location": "x"}, "answer")
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// A record is stored exactly if its effect is.
func testKeys(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	for name, tc := range map[string]struct {
		// create creates the thing of a name, and exists reports whether there is one.
		create func(t *testing.T, store Store, name string, record idempotency.Record) error
		exists func(t *testing.T, store Store, name string) bool
	}{
		"Quote": {
			func(t *testing.T, store Store, name string, record idempotency.Record) error {
				q := NewQuote()
				q.ID = name
				return store.CreateQuote(t.Context(), q, record)
			},
			func(t *testing.T, store Store, name string) bool {
				_, err := store.Quote(t.Context(), name)
				return err == nil
			},
		},
		"Discount": {
			func(t *testing.T, store Store, name string, record idempotency.Record) error {
				return store.CreateDiscount(t.Context(), NewDiscount(name), record)
			},
			func(t *testing.T, store Store, name string) bool {
				_, err := store.Discount(t.Context(), name)
				return err == nil
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newStore(t)
			id, first, second := rand.Text(), rand.Text(), rand.Text()
			record := newRecord(t, id, Time(0).Time)
			wantErr(t, tc.create(t, store, first, record), nil)

			err := tc.create(t, store, second, newRecord(t, id, Time(1).Time))
			used, ok := errors.AsType[*idempotency.UsedError](err)
			if !ok {
				t.Fatalf("got %v, want an error for a used key", err)
			}
			if diff := cmp.Diff(record.Answer, used.Stored.Answer); diff != "" {
				t.Errorf("stored answer (-want +got):\n%s", diff)
			}
			if !tc.exists(t, store, first) || tc.exists(t, store, second) {
				t.Error("a used key has an effect, or the first request has none")
			}
			wantErr(t, tc.create(t, store, second, newRecord(t, id, Time(24*60*60).Time)), nil) // the record has expired
		})
	}
	t.Run("RefusedDiscountKeepsNoRecord", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		id := rand.Text()
		mustCreate(t, store, NewDiscount("TAKEN"))
		wantErr(t, store.CreateDiscount(t.Context(), NewDiscount("TAKEN"), newRecord(t, id, Time(0).Time)), pricing.ErrCodeExists)
		wantErr(t, store.CreateDiscount(t.Context(), NewDiscount("FREE"), newRecord(t, id, Time(1).Time)), nil)
	})
	t.Run("OneKeyAtOnce", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		id := rand.Text()
		errs := together(15, func(int) error { return store.CreateQuote(t.Context(), NewQuote(), newRecord(t, id, Time(0).Time)) })
		done := 0
		for _, err := range errs {
			if _, ok := errors.AsType[*idempotency.UsedError](err); err == nil {
				done++
			} else if !ok {
				t.Errorf("got %v, want an error for a used key", err)
			}
		}
		if done != 1 {
			t.Errorf("%d quotes for one key", done)
		}
	})
}

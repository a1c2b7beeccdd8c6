//go:build integration

package pricingddb_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingddb"
	"github.com/tienda-dev/tienda/functions/pricing/pricingtest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

// store commits what it offers to orders.
type store struct {
	*pricingddb.Store

	table *ddb.Table
}

func newStore(t *testing.T) pricingtest.Store {
	t.Helper()
	table := ddbtest.Table(t)
	return store{pricingddb.New(table), table}
}

func (s store) UseCode(ctx context.Context, code, customer string, now time.Time) error {
	writes, err := s.Store.UseCode(ctx, code, customer, now)
	if err != nil {
		return err
	}
	return ddb.Commit(ctx, s.table.Client(), writes...)
}

func (s store) UseQuotedCode(ctx context.Context, code, customer string) error {
	writes, err := s.Store.UseQuotedCode(ctx, code, customer)
	if err != nil {
		return err
	}
	return ddb.Commit(ctx, s.table.Client(), writes...)
}

func (s store) ReturnCode(ctx context.Context, code, customer string) error {
	return ddb.Commit(ctx, s.table.Client(), s.Store.ReturnCode(code, customer)...)
}

func (s store) ConsumeQuote(ctx context.Context, quoteID, customer, orderID string, now time.Time) error {
	return ddb.Commit(ctx, s.table.Client(), s.Store.ConsumeQuote(quoteID, customer, orderID, now))
}

func TestStore(t *testing.T) {
	t.Parallel()
	pricingtest.Run(t, newStore)
}

// What UseCode has read may change before the transaction: its conditions notice.
func TestUsesAreCheckedInTheTransaction(t *testing.T) {
	t.Parallel()
	at := pricingtest.Time(10)
	change := func(change func(*pricing.Discount)) func(context.Context, store, pricing.Discount) error {
		return func(ctx context.Context, s store, before pricing.Discount) error {
			after := before
			after.Version++
			change(&after)
			return s.UpdateDiscount(ctx, before, after)
		}
	}
	later := at.Add(time.Second)
	for name, tc := range map[string]struct {
		meanwhile    func(context.Context, store, pricing.Discount) error
		want, quoted error
	}{
		"Nothing":    {func(context.Context, store, pricing.Discount) error { return nil }, nil, nil},
		"NewPercent": {change(func(d *pricing.Discount) { d.Percent = "20" }), nil, nil},
		"Deleted": {func(ctx context.Context, s store, d pricing.Discount) error {
			return s.DeleteDiscount(ctx, d.Code, d.Version)
		}, pricing.ErrCodeInvalid, nil},
		"Ended":        {change(func(d *pricing.Discount) { d.EndsAt = &at }), pricing.ErrCodeInvalid, nil},
		"StartsLater":  {change(func(d *pricing.Discount) { d.StartsAt = &later }), pricing.ErrCodeInvalid, nil},
		"OtherLimit":   {change(func(d *pricing.Discount) { d.MaxUsesPerCustomer = 1 }), ddb.ErrUnavailable, ddb.ErrUnavailable},
		"LimitReached": {change(func(d *pricing.Discount) { d.MaxUses = 1 }), pricing.ErrCodeUsedUp, pricing.ErrCodeUsedUp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := ddbtest.Table(t)
			s := store{pricingddb.New(table), table}
			d := pricingtest.NewDiscount("MOVES", func(d *pricing.Discount) { d.MaxUses, d.MaxUsesPerCustomer = 5, 3 })
			if err := s.CreateDiscount(t.Context(), d, idempotency.Record{}); err != nil {
				t.Fatal(err)
			}
			if err := s.UseCode(t.Context(), d.Code, "b", at.Time); err != nil {
				t.Fatal(err)
			}
			writes, err := s.Store.UseCode(t.Context(), d.Code, "a", at.Time)
			if err != nil {
				t.Fatal(err)
			}
			quoted, err := s.Store.UseQuotedCode(t.Context(), d.Code, "c")
			if err != nil {
				t.Fatal(err)
			}
			if err := tc.meanwhile(t.Context(), s, d); err != nil {
				t.Fatal(err)
			}
			if err := ddb.Commit(t.Context(), table.Client(), writes...); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if err := ddb.Commit(t.Context(), table.Client(), quoted...); !errors.Is(err, tc.quoted) {
				t.Errorf("of a quote: got %v, want %v", err, tc.quoted)
			}
		})
	}
}

// A change whose answer is lost happens once, and is no error.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]ddbtest.Fault{
		"LostResponse": ddbtest.LoseResponse, "FailAfterCommit": ddbtest.FailAfterCommit, "BrokenOff": ddbtest.BreakOff,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			table := ddbtest.Table(t, faults.Option)
			s := store{pricingddb.New(table), table}
			at := pricingtest.Time(1).Time
			q, d := pricingtest.NewQuote(), pricingtest.NewDiscount("LOST")
			after := d
			after.Version, after.Percent = 2, "20"
			for _, step := range []struct {
				name string
				call func(ctx context.Context) error
			}{
				{"CreateQuote", func(ctx context.Context) error { return s.CreateQuote(ctx, q, idempotency.Record{}) }},
				{"ConsumeQuote", func(ctx context.Context) error { return s.ConsumeQuote(ctx, q.ID, q.Customer, "order-1", at) }},
				{"PutRules", func(ctx context.Context) error { return s.PutRules(ctx, 0, pricingtest.NewRules()) }},
				{"CreateDiscount", func(ctx context.Context) error { return s.CreateDiscount(ctx, d, idempotency.Record{}) }},
				{"UpdateDiscount", func(ctx context.Context) error { return s.UpdateDiscount(ctx, d, after) }},
				{"UseCode", func(ctx context.Context) error { return s.UseCode(ctx, d.Code, "a", at) }},
				{"UseCodeAgain", func(ctx context.Context) error { return s.UseCode(ctx, d.Code, "a", at) }},
				{"ReturnCode", func(ctx context.Context) error { return s.ReturnCode(ctx, d.Code, "a") }},
			} {
				faults.Inject("TransactWriteItems", fault, ddbtest.Conflict, fault)
				if err := step.call(t.Context()); err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
			}
			got, err := s.Discount(t.Context(), d.Code)
			if err != nil || got.Uses != 1 || got.Version != 2 {
				t.Errorf("discount %+v, %v; want one use and version 2", got, err)
			}
			faults.Inject("TransactWriteItems", fault)
			if err := s.DeleteDiscount(t.Context(), d.Code, 2); err != nil {
				t.Errorf("DeleteDiscount: %v", err)
			}
		})
	}
}

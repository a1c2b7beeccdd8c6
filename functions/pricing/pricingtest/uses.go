package pricingtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

func testTerms(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	store := newStore(t)
	mustCreate(t, store, NewDiscount("ONE"), NewDiscount("TWO"), NewDiscount("GONE"))
	mustUse(t, store, "ONE", "customer-1")
	mustUse(t, store, "TWO", "customer-2")
	mustUse(t, store, "GONE", "customer-2")
	wantErr(t, store.DeleteDiscount(t.Context(), "GONE", 1), nil)
	rules := NewRules()
	wantErr(t, store.PutRules(t.Context(), 0, rules), nil)

	used := func(d *pricing.Discount) { d.Uses = 1 }
	for name, tc := range map[string]struct {
		codes []string
		want  pricing.Terms
	}{
		"Codes": {[]string{"ONE", "TWO", "GONE", "NEVER"}, pricing.Terms{
			Rules:     rules,
			Discounts: map[string]pricing.Discount{"ONE": NewDiscount("ONE", used), "TWO": NewDiscount("TWO", used)},
			Uses:      map[string]int64{"ONE": 1},
		}},
		"NoCodes": {nil, pricing.Terms{Rules: rules, Discounts: map[string]pricing.Discount{}, Uses: map[string]int64{}}},
	} {
		got, err := store.Terms(t.Context(), "customer-1", tc.codes)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	empty, err := newStore(t).Terms(t.Context(), "customer-1", nil)
	if err != nil || empty.Rules.Version != 0 {
		t.Errorf("terms of an empty store: %+v, %v", empty, err)
	}
}

func testUses(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	t.Run("Limits", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		mustCreate(t, store, NewDiscount("LIMITS", func(d *pricing.Discount) { d.MaxUses, d.MaxUsesPerCustomer = 3, 2 }))
		use := func(customer string) error { return store.UseCode(t.Context(), "LIMITS", customer, Time(1).Time) }
		wantErr(t, use("a"), nil)
		wantErr(t, use("a"), nil)
		wantRefused(t, use("a"), pricing.ErrCodeUsedUp, "LIMITS")
		wantErr(t, use("b"), nil)
		wantRefused(t, use("b"), pricing.ErrCodeUsedUp, "LIMITS")
		wantRefused(t, use("c"), pricing.ErrCodeUsedUp, "LIMITS")

		wantErr(t, store.ReturnCode(t.Context(), "LIMITS", "a"), nil)
		wantErr(t, use("c"), nil)
		wantErr(t, use("a"), pricing.ErrCodeUsedUp)
		wantUses(t, store, "LIMITS", 3, map[string]int64{"a": 1, "b": 1, "c": 1})
	})
	t.Run("Validity", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		starts, ends := Time(10), Time(20)
		mustCreate(t, store, NewDiscount("SHORT", func(d *pricing.Discount) { d.StartsAt, d.EndsAt = &starts, &ends }))
		use := func(at time.Time) error { return store.UseCode(t.Context(), "SHORT", "a", at) }
		wantRefused(t, use(starts.Add(-time.Millisecond).Time), pricing.ErrCodeInvalid, "SHORT")
		wantRefused(t, use(ends.Time), pricing.ErrCodeInvalid, "SHORT")
		wantUses(t, store, "SHORT", 0, map[string]int64{})
		wantErr(t, use(starts.Time), nil)
		wantErr(t, use(ends.Add(-time.Millisecond).Time), nil)
		wantUses(t, store, "SHORT", 2, map[string]int64{"a": 2})
	})
	t.Run("UnknownAndDeleted", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		wantRefused(t, store.UseCode(t.Context(), "NEVER", "a", Time(1).Time), pricing.ErrCodeInvalid, "NEVER")
		if err := store.ReturnCode(t.Context(), "NEVER", "a"); err == nil {
			t.Error("a use is returned that was not made")
		}
		mustCreate(t, store, NewDiscount("GONE"))
		mustUse(t, store, "GONE", "a")
		wantErr(t, store.DeleteDiscount(t.Context(), "GONE", 1), nil)
		wantRefused(t, store.UseCode(t.Context(), "GONE", "a", Time(1).Time), pricing.ErrCodeInvalid, "GONE")
		wantErr(t, store.ReturnCode(t.Context(), "GONE", "a"), nil)
		if err := store.ReturnCode(t.Context(), "GONE", "a"); err == nil {
			t.Error("one use is returned twice")
		}
	})
	t.Run("QuotedCodeThatHasEnded", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		ended := Time(-10)
		d := NewDiscount("ENDED", func(d *pricing.Discount) { d.EndsAt, d.MaxUses, d.MaxUsesPerCustomer = &ended, 2, 1 })
		mustCreate(t, store, d)
		use := func(customer string) error { return store.UseQuotedCode(t.Context(), "ENDED", customer) }
		wantErr(t, use("a"), nil)
		wantRefused(t, use("a"), pricing.ErrCodeUsedUp, "ENDED")
		wantErr(t, store.DeleteDiscount(t.Context(), "ENDED", 1), nil)
		wantErr(t, use("b"), nil)
		wantRefused(t, use("c"), pricing.ErrCodeUsedUp, "ENDED")
		wantErr(t, store.ReturnCode(t.Context(), "ENDED", "b"), nil)
		wantErr(t, use("c"), nil)
		wantRefused(t, store.UseQuotedCode(t.Context(), "NEVER", "a"), pricing.ErrCodeInvalid, "NEVER")
	})
	t.Run("ReturnOfAnotherCustomer", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		mustCreate(t, store, NewDiscount("MINE"))
		mustUse(t, store, "MINE", "a")
		if err := store.ReturnCode(t.Context(), "MINE", "b"); err == nil {
			t.Error("another customer's use is returned")
		}
		wantUses(t, store, "MINE", 1, map[string]int64{"a": 1})
	})
}

// wantRefused checks that the error names the code and the reason.
func wantRefused(t *testing.T, err, want error, code string) {
	t.Helper()
	refused, ok := errors.AsType[*pricing.CodeError](err)
	if !ok || !errors.Is(err, want) || refused.Code != code || refused.Detail == "" {
		t.Errorf("got %v (%+v), want %v of the code %s", err, refused, want, code)
	}
}

func wantUses(t *testing.T, store Store, code string, inAll int64, byCustomer map[string]int64) {
	t.Helper()
	for _, customer := range []string{"a", "b", "c"} {
		terms, err := store.Terms(t.Context(), customer, []string{code})
		if err != nil {
			t.Fatalf("Terms: %v", err)
		}
		if got := terms.Discounts[code].Uses; got != inAll {
			t.Errorf("%d uses in all, want %d", got, inAll)
		}
		if got := terms.Uses[code]; got != byCustomer[customer] {
			t.Errorf("%d uses of %s, want %d", got, customer, byCustomer[customer])
		}
	}
}

// patience is how long all concurrent calls of a test may take on a busy machine.
const patience = 2 * time.Minute

func testConcurrency(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	count := func(t *testing.T, errs []error, refused error) (done int) {
		t.Helper()
		for _, err := range errs {
			switch {
			case err == nil:
				done++
			case !errors.Is(err, refused):
				t.Errorf("got %v, want %v", err, refused)
			}
		}
		return done
	}
	for name, tc := range map[string]struct {
		max, each int64
		customer  func(i int) string
		want      int
	}{
		"LastUsesAreGivenOnce":       {5, 0, func(i int) string { return fmt.Sprint("customer-", i) }, 5},
		"LastUseOfACustomerIsGiven":  {0, 1, func(int) string { return "customer-1" }, 1},
		"BothLimitsTheSmallerCounts": {7, 2, func(i int) string { return fmt.Sprint("customer-", i%2) }, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newStore(t)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			mustCreate(t, store, NewDiscount("RARE", func(d *pricing.Discount) { d.MaxUses, d.MaxUsesPerCustomer = tc.max, tc.each }))
			errs := together(25, func(i int) error { return store.UseCode(ctx, "RARE", tc.customer(i), Time(1).Time) })
			for _, err := range errs {
				if err != nil {
					wantRefused(t, err, pricing.ErrCodeUsedUp, "RARE")
				}
			}
			if got := count(t, errs, pricing.ErrCodeUsedUp); got != tc.want {
				t.Errorf("%d uses are given, want %d", got, tc.want)
			}
			d, err := store.Discount(ctx, "RARE")
			if err != nil || d.Uses != int64(tc.want) {
				t.Errorf("%d uses are counted, %v; want %d", d.Uses, err, tc.want)
			}
		})
	}
	t.Run("UsesAndReturnsBalance", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		mustCreate(t, store, NewDiscount("FLOW"))
		for _, customer := range []string{"a", "b"} {
			mustUse(t, store, "FLOW", customer)
		}
		errs := together(20, func(i int) error {
			if i%2 == 0 {
				return store.UseCode(ctx, "FLOW", "c", Time(1).Time)
			}
			return store.ReturnCode(ctx, "FLOW", "a")
		})
		used, returned := 0, 0
		for i, err := range errs {
			if err == nil && i%2 == 0 {
				used++
			}
			if err == nil && i%2 == 1 {
				returned++
			}
		}
		if used != 10 || returned != 1 {
			t.Errorf("%d uses and %d returns, want 10 and 1", used, returned)
		}
		wantUses(t, store, "FLOW", 11, map[string]int64{"a": 0, "b": 1, "c": 10})
	})
	t.Run("OneQuoteOneOrder", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		q := NewQuote()
		mustQuote(t, store, q)
		errs := together(20, func(i int) error {
			return store.ConsumeQuote(ctx, q.ID, q.Customer, fmt.Sprint("order-", i), Time(1).Time)
		})
		if got := count(t, errs, pricing.ErrQuoteUsed); got != 1 {
			t.Errorf("%d orders use one quote", got)
		}
	})
	t.Run("OneVersionOneChange", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		d := NewDiscount("RACE")
		mustCreate(t, store, d)
		errs := together(10, func(i int) error {
			after := d
			after.Version, after.Percent = 2, pricing.Percent(strconv.Itoa(20+i))
			return store.UpdateDiscount(ctx, d, after)
		})
		if got := count(t, errs, pricing.ErrStale); got != 1 {
			t.Errorf("%d changes are made from one version of a discount", got)
		}
		errs = together(10, func(i int) error {
			rules := NewRules()
			rules.Tax[0].Percent = pricing.Percent(strconv.Itoa(10 + i))
			return store.PutRules(ctx, 0, rules)
		})
		if got := count(t, errs, pricing.ErrStale); got != 1 {
			t.Errorf("%d rules are put over none", got)
		}
	})
}

// A context that has ended stops every call.
func testContext(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	store := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := NewDiscount("ANY")
	for name, call := range map[string]func() error{
		"Terms":          func() error { _, err := store.Terms(ctx, "a", nil); return err },
		"CreateQuote":    func() error { return store.CreateQuote(ctx, NewQuote(), idempotency.Record{}) },
		"Quote":          func() error { _, err := store.Quote(ctx, NewID()); return err },
		"ConsumeQuote":   func() error { return store.ConsumeQuote(ctx, NewID(), "a", "o", Time(1).Time) },
		"Rules":          func() error { _, err := store.Rules(ctx); return err },
		"PutRules":       func() error { return store.PutRules(ctx, 0, NewRules()) },
		"CreateDiscount": func() error { return store.CreateDiscount(ctx, d, idempotency.Record{}) },
		"Discount":       func() error { _, err := store.Discount(ctx, d.Code); return err },
		"Discounts":      func() error { _, _, err := store.Discounts(ctx, 1, nil); return err },
		"DeleteDiscount": func() error { return store.DeleteDiscount(ctx, d.Code, 1) },
		"UseCode":        func() error { return store.UseCode(ctx, d.Code, "a", Time(1).Time) },
		"UseQuotedCode":  func() error { return store.UseQuotedCode(ctx, d.Code, "a") },
		"ReturnCode":     func() error { return store.ReturnCode(ctx, d.Code, "a") },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want %v", name, err, context.Canceled)
		}
	}
}

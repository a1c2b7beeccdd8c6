// Package customerstest has a test suite for every customers.Store, and a store in memory that passes it.
package customerstest

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/functions/customers"
	"github.com/tienda-dev/tienda/shared/api"
)

// Store is a customers.Store that can also create a profile, as the registration does.
type Store interface {
	customers.Store
	// Create adds a profile in its first version. It fails if the id is taken.
	Create(ctx context.Context, id, email, name string, at time.Time) error
}

// Run runs the suite. newStore returns an empty store that no other test uses.
func Run(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, store Store){
		"CreatedIsFound":             testCreated,
		"UnknownIsNotFound":          testUnknown,
		"UpdateKeepsEveryField":      testUpdate,
		"AnotherVersionIsStale":      testStale,
		"RepeatedIsTheSameChange":    testRepeated,
		"IDAndAddressAreHeld":        testHeld,
		"OneOfManyWriters":           testWriters,
		"EndedContextChangesNothing": testContext,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newStore(t))
		})
	}
}

// Time returns a fixed time, n seconds after the first one.
func Time(n int) api.Time {
	return api.NewTime(time.Date(2026, time.March, 1, 12, 0, n, 0, time.UTC))
}

// create stores a profile and returns it.
func create(t *testing.T, store Store) customers.Customer {
	t.Helper()
	c := customers.Customer{
		ID: ulid.MustNew(ulid.Timestamp(Time(0).Time), rand.Reader).String(), Email: "Maria.Lopez@shop.example", Name: "María López",
		Version: 1, CreatedAt: Time(0), UpdatedAt: Time(0),
	}
	if err := store.Create(t.Context(), c.ID, c.Email, c.Name, c.CreatedAt.Time); err != nil {
		t.Fatalf("Create: %v", err)
	}
	return c
}

func renamed(c customers.Customer, name string) customers.Customer {
	c.Name, c.Version, c.UpdatedAt = name, c.Version+1, c.UpdatedAt.Add(7*time.Millisecond)
	return c
}

func want(t *testing.T, store Store, want customers.Customer) {
	t.Helper()
	got, err := store.Get(t.Context(), want.ID)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("customer (-want +got):\n%s", diff)
	}
}

func testCreated(t *testing.T, store Store) {
	c := create(t, store)
	want(t, store, c)
	if err := store.Create(t.Context(), c.ID, "other@shop.example", "Other", Time(1).Time); err == nil {
		t.Error("a taken id is created again")
	}
	want(t, store, c)
}

func testUnknown(t *testing.T, store Store) {
	c := create(t, store)
	c.ID = "01J00000000000000000000000"
	if _, err := store.Get(t.Context(), c.ID); !errors.Is(err, customers.ErrNotFound) {
		t.Errorf("Get: %v, want %v", err, customers.ErrNotFound)
	}
	if err := store.Update(t.Context(), c, renamed(c, "Other")); !errors.Is(err, customers.ErrNotFound) {
		t.Errorf("Update: %v, want %v", err, customers.ErrNotFound)
	}
}

func testUpdate(t *testing.T, store Store) {
	c := create(t, store)
	for _, name := range []string{"Другое имя <&>", "María López", "☕"} {
		after := renamed(c, name)
		if err := store.Update(t.Context(), c, after); err != nil {
			t.Fatalf("Update: %v", err)
		}
		want(t, store, after)
		c = after
	}
}

func testStale(t *testing.T, store Store) {
	first := create(t, store)
	second := renamed(first, "Second")
	if err := store.Update(t.Context(), first, second); err != nil {
		t.Fatal(err)
	}
	ahead := renamed(second, "Ahead")
	for _, before := range []customers.Customer{first, ahead} {
		if err := store.Update(t.Context(), before, renamed(before, "Late")); !errors.Is(err, customers.ErrStale) {
			t.Errorf("Update of version %d: %v, want %v", before.Version, err, customers.ErrStale)
		}
	}
	want(t, store, second)
}

func testRepeated(t *testing.T, store Store) {
	c := create(t, store)
	after := renamed(c, "Other")
	for range 2 {
		if err := store.Update(t.Context(), c, after); err != nil {
			t.Fatalf("Update: %v", err)
		}
	}
	want(t, store, after)
}

func testHeld(t *testing.T, store Store) {
	c := create(t, store)
	for name, change := range map[string]func(*customers.Customer){
		"ID":      func(c *customers.Customer) { c.ID = "01J00000000000000000000000" },
		"Address": func(c *customers.Customer) { c.Email = "other@shop.example" },
		"Ahead":   func(c *customers.Customer) { c.Version++ },
		"Behind":  func(c *customers.Customer) { c.Version-- },
	} {
		after := renamed(c, "Other")
		change(&after)
		if err := store.Update(t.Context(), c, after); err == nil {
			t.Errorf("%s: Update accepts it", name)
		}
	}
	want(t, store, c)
}

func testWriters(t *testing.T, store Store) {
	const writers = 8
	c := create(t, store)
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { errs[i] = store.Update(t.Context(), c, renamed(c, "Writer "+string(rune('A'+i)))) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, customers.ErrStale):
			t.Errorf("Update: %v, want %v", err, customers.ErrStale)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d writers have changed the same version, want 1", won, writers)
	}
}

func testContext(t *testing.T, store Store) {
	c := create(t, store)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Get(ctx, c.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: %v, want %v", err, context.Canceled)
	}
	if err := store.Update(ctx, c, renamed(c, "Other")); !errors.Is(err, context.Canceled) {
		t.Errorf("Update: %v, want %v", err, context.Canceled)
	}
	want(t, store, c)
}

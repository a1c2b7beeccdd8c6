package authtest

import (
	"crypto/rand"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/auth"
)

func testAddresses(t *testing.T, newStore func(t *testing.T) auth.Store) {
	at := func(address string) auth.Attempt {
		return auth.Attempt{Name: "a", Address: address, ID: rand.Text(), At: Time(0)}
	}
	t.Run("EachHasItsOwnFailures", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for n := int64(1); n <= auth.FreeAttempts; n++ {
			end(t, store, wantAttempt(t, store, at("1"), auth.Admitted, n-1), auth.Wrong, Time(0), n)
		}
		wantAttempt(t, store, at("1"), auth.Locked, auth.FreeAttempts)
		wantAttempt(t, store, at("2"), auth.Admitted, 0)
		wantAttempt(t, store, at(""), auth.Admitted, 0)
	})
	t.Run("ResetForgetsAll", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		until := Time(time.Hour)
		if err := store.Remember(t.Context(), "a", "7", until); err != nil {
			t.Fatal(err)
		}
		const addresses = 120 // more than a page
		for i := range addresses {
			a := at(strconv.Itoa(i))
			end(t, store, wantAttempt(t, store, a, auth.Admitted, 0), auth.Wrong, Time(0), 1)
		}
		other := auth.Attempt{Name: "b", Address: "1", ID: "1", At: Time(0)}
		end(t, store, wantAttempt(t, store, other, auth.Admitted, 0), auth.Wrong, Time(0), 1)
		if err := store.ResetAttempts(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		for i := range addresses {
			wantAttempt(t, store, at(strconv.Itoa(i)), auth.Admitted, 0)
		}
		other.ID = "2"
		wantAttempt(t, store, other, auth.Admitted, 1)
		if got, err := store.KnownUntil(t.Context(), "a", "7"); err != nil || !got.Equal(until) {
			t.Errorf("KnownUntil after the reset: %v, %v, want %v", got, err, until)
		}
	})
	t.Run("KnownAddressesAreOfTheName", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		var want []string
		for i := range 120 { // more than a page
			want = append(want, strconv.Itoa(i))
			for _, name := range []string{"a", "b"} {
				if err := store.Remember(t.Context(), name, name+strconv.Itoa(i), Time(time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			want[i] = "a" + want[i]
		}
		wantAttempt(t, store, at("1"), auth.Admitted, 0) // is not known by that
		got, err := store.KnownAddresses(t.Context(), "a")
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, addresses (-want +got):\n%s", err, diff)
		}
		if got, err := store.KnownAddresses(t.Context(), "c"); err != nil || len(got) != 0 {
			t.Errorf("addresses of nobody: %v, %v", got, err)
		}
	})
	t.Run("TriedAddressesAreOfTheName", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		if err := store.Remember(t.Context(), "a", "known", Time(time.Hour)); err != nil { // is not tried by that
			t.Fatal(err)
		}
		wantAttempt(t, store, at(""), auth.Admitted, 0)
		var want []string
		for i := range 120 { // more than a page
			want = append(want, strconv.Itoa(i))
			a := at(want[i])
			end(t, store, wantAttempt(t, store, a, auth.Admitted, 0), auth.Verdict(i%3), Time(0), int64(i%3&1))
			a.Name, a.Address = "b", "b"+want[i]
			wantAttempt(t, store, a, auth.Admitted, 0)
		}
		slices.Sort(want)
		for range 2 {
			got, err := store.TriedAddresses(t.Context(), "a")
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v, addresses (-want +got):\n%s", err, diff)
			}
			if err := store.ResetAttempts(t.Context(), "a"); err != nil { // a second one finds them again
				t.Fatal(err)
			}
		}
		if got, err := store.TriedAddresses(t.Context(), "c"); err != nil || len(got) != 0 {
			t.Errorf("addresses of nobody: %v, %v", got, err)
		}
	})
	t.Run("KnownUntilTheLastTimeThatWasRemembered", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for _, until := range []time.Time{Time(time.Hour), Time(2 * time.Hour)} {
			for range 2 {
				if err := store.Remember(t.Context(), "a", "1", until); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := store.KnownUntil(t.Context(), "a", "1"); err != nil || !got.Equal(until) {
				t.Errorf("KnownUntil: %v, %v, want %v", got, err, until)
			}
		}
		for _, other := range [][2]string{{"a", "2"}, {"b", "1"}, {"a", ""}} {
			if got, err := store.KnownUntil(t.Context(), other[0], other[1]); err != nil || !got.IsZero() {
				t.Errorf("KnownUntil of %v: %v, %v, want the zero time", other, got, err)
			}
		}
	})
}

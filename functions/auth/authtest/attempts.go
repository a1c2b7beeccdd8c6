package authtest

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
)

// try makes one attempt of the name at the time.
func try(t *testing.T, store auth.Store, name string, at time.Time) (auth.Failures, bool) {
	t.Helper()
	f, admitted, err := store.Attempt(t.Context(), auth.Attempt{Name: name, ID: rand.Text(), At: at})
	if err != nil {
		t.Fatalf("Attempt: %v", err)
	}
	return f, admitted
}

// wantAdmitted makes an attempt that must be counted as the nth.
func wantAdmitted(t *testing.T, store auth.Store, name string, at time.Time, n int64) {
	t.Helper()
	f, admitted := try(t, store, name, at)
	if want := (auth.Failures{Count: n, LastAt: at}); !admitted || f != want {
		t.Errorf("%s after the start: %+v, admitted %t; want %+v", at.Sub(Time(0)), f, admitted, want)
	}
}

// wantLocked makes an attempt that must wait.
func wantLocked(t *testing.T, store auth.Store, name string, at time.Time, wait time.Duration) {
	t.Helper()
	f, admitted := try(t, store, name, at)
	if admitted || f.Locked(at) != wait {
		t.Errorf("%s after the start: %+v, admitted %t; want a wait of %s", at.Sub(Time(0)), f, admitted, wait)
	}
}

// atOnce makes n attempts in parallel and returns how many were admitted.
func atOnce(t *testing.T, store auth.Store, at time.Time, n int) int {
	t.Helper()
	admitted := 0
	for _, ok := range together(n, func(int) bool {
		_, ok, err := store.Attempt(t.Context(), auth.Attempt{Name: "a", ID: rand.Text(), At: at})
		if err != nil {
			t.Error(err)
		}
		return ok
	}) {
		if ok {
			admitted++
		}
	}
	return admitted
}

func testAttempts(t *testing.T, newStore func(t *testing.T) auth.Store) {
	t.Run("WaitDoublesWithEachFailure", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		at := Time(0)
		for n := int64(1); n <= auth.FreeAttempts; n++ {
			wantAdmitted(t, store, "a", at, n)
		}
		for i, seconds := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512} {
			wait := time.Duration(seconds) * time.Second
			n := int64(auth.FreeAttempts + 1 + i)
			// Trying earlier does not make the wait longer.
			wantLocked(t, store, "a", at, wait)
			wantLocked(t, store, "a", at.Add(wait/2), wait-wait/2)
			wantLocked(t, store, "a", at.Add(wait-time.Millisecond), time.Millisecond)
			at = at.Add(wait)
			wantAdmitted(t, store, "a", at, n)
		}
		wantLocked(t, store, "a", at, auth.MaxLock)
		wantLocked(t, store, "a", at.Add(auth.MaxLock-time.Millisecond), time.Millisecond)
		wantAdmitted(t, store, "a", at.Add(auth.MaxLock), 1) // after MaxLock the attempts are forgotten too
		wantAdmitted(t, store, "b", at, 1)
	})
	t.Run("QuietTimeForgets", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for n := int64(1); n <= 3; n++ {
			wantAdmitted(t, store, "a", Time(0), n)
		}
		at := Time(auth.Quiet - time.Millisecond)
		wantAdmitted(t, store, "a", at, 4)
		at = at.Add(auth.Quiet)
		wantAdmitted(t, store, "a", at, 1)
		wantAdmitted(t, store, "a", at, 2)
	})
	t.Run("ManyAtOnceAreCountedOneByOne", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		if n := atOnce(t, store, Time(0), 32); n != auth.FreeAttempts {
			t.Errorf("%d guesses at once were admitted, want %d", n, auth.FreeAttempts)
		}
	})
	t.Run("FirstOfManyAfterAQuietTime", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for n := int64(1); n <= auth.FreeAttempts; n++ {
			wantAdmitted(t, store, "a", Time(0), n)
		}
		if n := atOnce(t, store, Time(auth.Quiet), 16); n != auth.FreeAttempts {
			t.Errorf("%d guesses at once were admitted, want %d", n, auth.FreeAttempts)
		}
	})
	t.Run("RepeatedCountsOnce", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for n := int64(1); n <= auth.FreeAttempts; n++ {
			a := auth.Attempt{Name: "a", ID: rand.Text(), At: Time(0)}
			for range 3 {
				f, admitted, err := store.Attempt(t.Context(), a)
				if err != nil || !admitted || f.Count != n {
					t.Errorf("attempt %d: %+v, admitted %t, %v", n, f, admitted, err)
				}
			}
		}
		wantLocked(t, store, "a", Time(0), time.Second)
	})
	t.Run("ClockThatGoesBackLocksNobodyOut", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		wantAdmitted(t, store, "a", Time(time.Second), 1)
		wantAdmitted(t, store, "a", Time(0), 2)
	})
}

func testResetAttempts(t *testing.T, newStore func(t *testing.T) auth.Store) {
	t.Run("SuccessStartsAnew", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for n := int64(1); n <= auth.FreeAttempts; n++ {
			wantAdmitted(t, store, "a", Time(0), n)
			wantAdmitted(t, store, "b", Time(0), n)
			wantAdmitted(t, store, "c", Time(0), n)
		}
		if err := store.ResetAttempts(t.Context(), "a", "b"); err != nil {
			t.Fatal(err)
		}
		wantAdmitted(t, store, "a", Time(0), 1)
		wantAdmitted(t, store, "b", Time(0), 1)
		wantLocked(t, store, "c", Time(0), time.Second)
	})
	t.Run("NameThatNobodyTried", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		if err := store.ResetAttempts(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		wantAdmitted(t, store, "a", Time(0), 1)
	})
	t.Run("QuietTimeAfterIt", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		wantAdmitted(t, store, "a", Time(0), 1)
		if err := store.ResetAttempts(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		wantAdmitted(t, store, "a", Time(auth.Quiet), 1)
	})
}

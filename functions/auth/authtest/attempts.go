package authtest

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
)

func newAttempt(name string, at time.Time) auth.Attempt {
	return auth.Attempt{Name: name, ID: rand.Text(), At: at}
}

// wantAttempt makes the attempt, which must get this answer after that many failures.
func wantAttempt(t *testing.T, store auth.Store, a auth.Attempt, want auth.Admission, failures int64) auth.Attempt {
	t.Helper()
	f, got, err := store.Attempt(t.Context(), a)
	if err != nil || got != want || f.Count != failures {
		t.Errorf("%s after the start: %+v, admission %d, %v; want admission %d after %d failures", a.At.Sub(Time(0)), f, got, err, want, failures)
	}
	return a
}

// end ends the attempt, after which there must be that many failures.
func end(t *testing.T, store auth.Store, a auth.Attempt, verdict auth.Verdict, at time.Time, failures int64) {
	t.Helper()
	f, err := store.EndAttempt(t.Context(), a, verdict, at)
	if err != nil || f.Count != failures || verdict == auth.Wrong && !f.LastAt.Equal(at) {
		t.Errorf("verdict %d at %s: %+v, %v; want %d failures", verdict, at.Sub(Time(0)), f, err, failures)
	}
}

// fail makes an attempt with a wrong password, the nth.
func fail(t *testing.T, store auth.Store, name string, at time.Time, n int64) {
	t.Helper()
	end(t, store, wantAttempt(t, store, newAttempt(name, at), auth.Admitted, n-1), auth.Wrong, at, n)
}

// wantLocked makes an attempt that must wait.
func wantLocked(t *testing.T, store auth.Store, name string, at time.Time, wait time.Duration) {
	t.Helper()
	f, got, err := store.Attempt(t.Context(), newAttempt(name, at))
	if err != nil || got != auth.Locked || f.Locked(at) != wait {
		t.Errorf("%s after the start: %+v, admission %d, %v; want a wait of %s", at.Sub(Time(0)), f, got, err, wait)
	}
}

// atOnce makes n attempts in parallel and returns those that were admitted.
func atOnce(t *testing.T, store auth.Store, at time.Time, n int) []auth.Attempt {
	t.Helper()
	var admitted []auth.Attempt
	for _, a := range together(n, func(int) auth.Attempt {
		a := newAttempt("a", at)
		if _, got, err := store.Attempt(t.Context(), a); err != nil || got != auth.Admitted {
			if err != nil {
				t.Error(err)
			}
			return auth.Attempt{}
		}
		return a
	}) {
		if a.ID != "" {
			admitted = append(admitted, a)
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
			fail(t, store, "a", at, n)
		}
		for i, seconds := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512} {
			wait := time.Duration(seconds) * time.Second
			// Trying earlier does not make the wait longer.
			wantLocked(t, store, "a", at, wait)
			wantLocked(t, store, "a", at.Add(wait/2), wait-wait/2)
			wantLocked(t, store, "a", at.Add(wait-time.Millisecond), time.Millisecond)
			at = at.Add(wait)
			fail(t, store, "a", at, int64(auth.FreeAttempts+1+i))
		}
		wantLocked(t, store, "a", at, auth.MaxLock)
		wantLocked(t, store, "a", at.Add(auth.MaxLock-time.Millisecond), time.Millisecond)
		fail(t, store, "b", at, 1)
		fail(t, store, "a", at.Add(auth.MaxLock), 1) // after MaxLock the failures are forgotten too
	})
	t.Run("QuietTimeForgets", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for n := int64(1); n <= 3; n++ {
			fail(t, store, "a", Time(0), n)
		}
		at := Time(auth.Quiet - time.Millisecond)
		fail(t, store, "a", at, 4)
		at = at.Add(auth.Quiet)
		fail(t, store, "a", at, 1)
		fail(t, store, "a", at, 2)
	})
	t.Run("FailuresAndAttemptsInFlightShareThePlaces", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		at := Time(0)
		fail(t, store, "a", at, 1)
		fail(t, store, "a", at, 2)
		guesses := atOnce(t, store, at, 32)
		if len(guesses) != auth.FreeAttempts-2 {
			t.Fatalf("%d guesses at once were admitted, want %d", len(guesses), auth.FreeAttempts-2)
		}
		wantAttempt(t, store, newAttempt("a", at), auth.Busy, 2)
		wantAttempt(t, store, newAttempt("b", at), auth.Admitted, 0)
		for i, guess := range guesses {
			end(t, store, guess, auth.Wrong, at, int64(3+i))
		}
		wantLocked(t, store, "a", at, time.Second)

		at = at.Add(time.Second)
		if guesses = atOnce(t, store, at, 32); len(guesses) != 1 {
			t.Fatalf("%d guesses at once were admitted after the wait, want 1", len(guesses))
		}
		wantAttempt(t, store, newAttempt("a", at), auth.Busy, auth.FreeAttempts)
		end(t, store, guesses[0], auth.NoVerdict, at, auth.FreeAttempts)
		fail(t, store, "a", at, auth.FreeAttempts+1)
		wantLocked(t, store, "a", at, 2*time.Second)
	})
	t.Run("FirstOfManyAfterAQuietTime", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for n := int64(1); n <= auth.FreeAttempts; n++ {
			fail(t, store, "a", Time(0), n)
		}
		if n := len(atOnce(t, store, Time(auth.Quiet), 16)); n != auth.FreeAttempts {
			t.Errorf("%d guesses at once were admitted, want %d", n, auth.FreeAttempts)
		}
	})
	t.Run("NoVerdictLeavesNoTrace", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for range 3 * auth.FreeAttempts {
			end(t, store, wantAttempt(t, store, newAttempt("a", Time(0)), auth.Admitted, 0), auth.NoVerdict, Time(0), 0)
		}
		for n := int64(1); n <= auth.FreeAttempts; n++ {
			fail(t, store, "a", Time(0), n)
		}
		at := Time(time.Second)
		end(t, store, wantAttempt(t, store, newAttempt("a", at), auth.Admitted, auth.FreeAttempts), auth.NoVerdict, at, auth.FreeAttempts)
		wantAttempt(t, store, newAttempt("a", at), auth.Admitted, auth.FreeAttempts) // and no new wait
	})
	t.Run("OnlyItsOwnPlaceIsGivenBack", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		guesses := atOnce(t, store, Time(0), auth.FreeAttempts)
		for range 2 {
			end(t, store, guesses[0], auth.NoVerdict, Time(0), 0)
		}
		end(t, store, newAttempt("a", Time(0)), auth.NoVerdict, Time(0), 0) // it never had a place
		wantAttempt(t, store, newAttempt("a", Time(0)), auth.Admitted, 0)
		wantAttempt(t, store, newAttempt("a", Time(0)), auth.Busy, 0)
	})
	t.Run("RightPasswordForgetsFailuresAndNoAttempt", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for n := int64(1); n < auth.FreeAttempts-1; n++ {
			fail(t, store, "a", Time(0), n)
		}
		right := wantAttempt(t, store, newAttempt("a", Time(0)), auth.Admitted, auth.FreeAttempts-2)
		guess := wantAttempt(t, store, newAttempt("a", Time(0)), auth.Admitted, auth.FreeAttempts-2)
		end(t, store, right, auth.Right, Time(0), 0)
		if n := len(atOnce(t, store, Time(0), 16)); n != auth.FreeAttempts-1 {
			t.Errorf("%d guesses beside one in flight were admitted, want %d", n, auth.FreeAttempts-1)
		}
		end(t, store, guess, auth.Wrong, Time(0), 1)
	})
	t.Run("DeadAttemptIsAFailure", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		dead := atOnce(t, store, Time(0), auth.FreeAttempts)
		at := Time(auth.AttemptLife - time.Millisecond)
		wantAttempt(t, store, newAttempt("a", at), auth.Busy, 0)
		end(t, store, dead[0], auth.NoVerdict, at, 0)
		late := wantAttempt(t, store, newAttempt("a", at), auth.Admitted, 0)
		at = Time(auth.AttemptLife)
		wantAttempt(t, store, newAttempt("a", at), auth.Busy, auth.FreeAttempts-1)
		end(t, store, dead[1], auth.NoVerdict, at, auth.FreeAttempts-1) // too late
		end(t, store, late, auth.Wrong, at, auth.FreeAttempts)
		wantLocked(t, store, "a", at, time.Second)
	})
	t.Run("DeadAttemptsAreForgottenAfterAQuietTime", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		atOnce(t, store, Time(0), auth.FreeAttempts)
		fail(t, store, "a", Time(auth.Quiet), 1)
	})
	t.Run("RepeatedCountsOnce", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for n := int64(1); n <= auth.FreeAttempts; n++ {
			a := newAttempt("a", Time(0))
			for range 3 {
				wantAttempt(t, store, a, auth.Admitted, n-1)
			}
			for range 3 {
				end(t, store, a, auth.Wrong, Time(0), n)
			}
		}
		wantLocked(t, store, "a", Time(0), time.Second)
	})
	t.Run("ClockThatGoesBackLocksNobodyOut", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		fail(t, store, "a", Time(time.Second), 1)
		fail(t, store, "a", Time(0), 2)
	})
}

func testResetAttempts(t *testing.T, newStore func(t *testing.T) auth.Store) {
	t.Run("AllCanTryAgain", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for n := int64(1); n <= auth.FreeAttempts; n++ {
			fail(t, store, "a", Time(0), n)
			fail(t, store, "b", Time(0), n)
			fail(t, store, "c", Time(0), n)
		}
		if err := store.ResetAttempts(t.Context(), "a", "b"); err != nil {
			t.Fatal(err)
		}
		fail(t, store, "a", Time(0), 1)
		fail(t, store, "b", Time(0), 1)
		wantLocked(t, store, "c", Time(0), time.Second)
	})
	t.Run("AttemptsInFlight", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		guesses := atOnce(t, store, Time(0), auth.FreeAttempts)
		if err := store.ResetAttempts(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if f, err := store.EndAttempt(t.Context(), guesses[0], auth.Wrong, Time(0)); err != nil || f.Count != 0 {
			t.Errorf("EndAttempt: %+v, %v", f, err)
		}
		fail(t, store, "a", Time(0), 1)
	})
	t.Run("NameThatNobodyTried", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		if err := store.ResetAttempts(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		fail(t, store, "a", Time(0), 1)
	})
	t.Run("QuietTimeAfterIt", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		fail(t, store, "a", Time(0), 1)
		if err := store.ResetAttempts(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		fail(t, store, "a", Time(auth.Quiet), 1)
	})
}

package runtime_test

import (
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/runtime"
)

func TestIdleEnvironmentsEnd(t *testing.T) {
	t.Parallel()
	r, _ := start(t, runtime.Config{
		Functions: []runtime.Function{function("f", "")}, IdleTimeout: 300 * time.Millisecond,
	})
	var burst sync.WaitGroup
	ids := make(chan int, 3)
	for range cap(ids) {
		burst.Go(func() {
			a, _ := invoke(t, r, `{"do":"sleep","n":1000}`)
			ids <- a.PID
		})
	}
	burst.Wait()
	close(ids)
	served := map[int]bool{}
	for id := range ids {
		served[id] = true
		wantGone(t, id)
	}
	if len(served) != cap(ids) {
		t.Errorf("the burst ran in %d processes, want %d", len(served), cap(ids))
	}
	if _, result := invoke(t, r, `{}`); !result.Cold {
		t.Error("an environment that was ended served again")
	}
}

func TestIdleEnvironmentEndsAsAtClose(t *testing.T) {
	t.Parallel()
	r, l := start(t, runtime.Config{Functions: []runtime.Function{function("f", "sigterm")}, IdleTimeout: 200 * time.Millisecond})
	a, _ := invoke(t, r, `{}`)
	l.wait(t, "got SIGTERM")
	wantGone(t, a.PID)
}

func TestEnvironmentInUseDoesNotEnd(t *testing.T) {
	t.Parallel()
	r, _ := start(t, runtime.Config{
		Functions: []runtime.Function{function("f", "")}, IdleTimeout: 2 * time.Second,
	})
	first, _ := invoke(t, r, `{"do":"sleep","n":2500}`)
	for range 10 {
		time.Sleep(250 * time.Millisecond)
		if a, result := invoke(t, r, `{}`); result.Cold || a.PID != first.PID {
			t.Fatalf("process %d answered after %d", a.PID, first.PID)
		}
	}
}

// TestCloseWhileEnvironmentsEnd closes again and again while the idle timeout ends an environment.
// TestMain fails if something is left behind.
func TestCloseWhileEnvironmentsEnd(t *testing.T) {
	t.Parallel()
	for range 10 {
		r, _ := start(t, runtime.Config{
			Functions: []runtime.Function{function("f", "")}, IdleTimeout: time.Millisecond,
		})
		a, _ := invoke(t, r, `{}`)
		time.Sleep(time.Millisecond)
		r.Close()
		wantGone(t, a.PID)
	}
}

func TestNegativeIdleTimeoutIsRefused(t *testing.T) {
	t.Parallel()
	_, err := runtime.New(runtime.Config{Functions: []runtime.Function{function("f", "")}, IdleTimeout: -1})
	if err == nil {
		t.Error("got no error")
	}
}

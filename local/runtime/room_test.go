package runtime_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/runtime"
)

func TestEventsWaitForAProcess(t *testing.T) {
	t.Parallel()
	const processes, events = 2, 12
	r, _ := start(t, runtime.Config{Functions: []runtime.Function{function("f", "")}, Processes: processes})
	var burst sync.WaitGroup
	ids := make(chan int, events)
	for range events {
		burst.Go(func() {
			a, _ := invoke(t, r, `{"do":"sleep","n":20}`)
			ids <- a.PID
		})
	}
	burst.Wait()
	close(ids)
	served := map[int]bool{}
	for id := range ids {
		served[id] = true
	}
	if len(served) > processes {
		t.Errorf("%d processes served, want at most %d", len(served), processes)
	}
}

func TestFreeEnvironmentOfAnotherFunctionMakesRoom(t *testing.T) {
	t.Parallel()
	r, _ := start(t, runtime.Config{
		Functions: []runtime.Function{function("f", ""), function("g", "")}, Processes: 1,
	})
	first, _ := invoke(t, r, `{}`)
	if _, err := r.Invoke(t.Context(), "g", []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	wantGone(t, first.PID)
	if _, result := invoke(t, r, `{}`); !result.Cold {
		t.Error("the environment that made room served again")
	}
}

func TestWaitForAProcessEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r, l := start(t, runtime.Config{Functions: []runtime.Function{function("f", "")}, Processes: 1})
	busy := make(chan error, 1)
	go func() {
		_, err := r.Invoke(context.WithoutCancel(t.Context()), "f", []byte(`{"do":"sleep","text":"busy\n","n":15000}`))
		busy <- err
	}()
	l.wait(t, "busy")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Invoke(ctx, "f", []byte(`{}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := r.Invoke(context.WithoutCancel(t.Context()), "f", []byte(`{}`))
		waiting <- err
	}()
	r.Close()
	for _, failed := range []chan error{busy, waiting} {
		if err := <-failed; !errors.Is(err, runtime.Closed) {
			t.Errorf("got %v, want Closed", err)
		}
	}
}

// TestEveryLineComesBeforeTheEndOfItsInvocation runs invocations in parallel and in turn, some without a line
// break at the end.
func TestEveryLineComesBeforeTheEndOfItsInvocation(t *testing.T) {
	t.Parallel()
	type output struct {
		texts []string
		over  bool
	}
	seen := map[string]*output{} // by invocation; the runtime's calls do not overlap
	of := func(id string) *output {
		if seen[id] == nil {
			seen[id] = &output{}
		}
		return seen[id]
	}
	r, err := runtime.New(runtime.Config{
		Functions: []runtime.Function{function("f", "")},
		Log: func(line runtime.Line) {
			o := of(line.RequestID)
			if o.over {
				t.Errorf("the line %q came after the end", line.Text)
			}
			o.texts = append(o.texts, line.Text)
		},
		Complete: func(id string) { of(id).over = true },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want := map[string][]string{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, text := range []string{"a", "b", "c", "d"} {
		all.Go(func() {
			for range 20 {
				_, result := invoke(t, r, `{"do":"print","text":"`+text+`1\n`+text+`2"}`)
				mu.Lock()
				want[result.RequestID] = []string{text + "1", text + "2"}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	failed, err := r.Invoke(t.Context(), "f", []byte(`{"do":"exit","n":3}`))
	if err == nil {
		t.Fatal("got no error")
	}
	want[failed.RequestID] = []string{"leaving"}
	r.Close()
	got := map[string][]string{}
	for id, o := range seen {
		got[id] = o.texts
		if !o.over {
			t.Errorf("no end of %s", id)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultsOfTheRuntime(t *testing.T) {
	t.Parallel()
	if runtime.DefaultIdleTimeout != time.Minute {
		t.Errorf("a free environment is kept for %s, want a minute", runtime.DefaultIdleTimeout)
	}
	if _, err := runtime.New(runtime.Config{Functions: []runtime.Function{function("f", "")}, Processes: -1}); err == nil {
		t.Error("a negative number of processes: got no error")
	}
}

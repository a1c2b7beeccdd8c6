package after_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/internal/after"
)

// invocation is a context as aws-lambda-go makes it of its base, and what ends it.
func invocation(base context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadline(base, time.Now().Add(time.Minute))
}

// testKey is any key.
type testKey struct{}

func TestWorkWaitsForTheResponse(t *testing.T) {
	t.Parallel()
	base := after.Base(func(value any) { t.Errorf("panic: %v", value) })
	for round := range 3 { // an environment has many invocations
		ctx, end := invocation(base)
		var got []string
		inner, cancel := context.WithCancel(context.WithValue(ctx, testKey{}, "value"))
		after.Response(inner, func() { got = append(got, "first") })
		after.Response(context.WithoutCancel(inner), func() { got = append(got, "second") })
		cancel() // a context of the handler's own
		if len(got) > 0 {
			t.Fatalf("round %d: %v ran before the response", round, got)
		}
		end()
		if want := []string{"first", "second"}; !slices.Equal(got, want) {
			t.Fatalf("round %d: got %v, want %v", round, got, want)
		}
		if ctx.Err() == nil {
			t.Error("the context has not ended")
		}
	}
}

// A handler may run past its deadline. An emulator, or a clock that jumps, may send an event whose deadline is over.
func TestWorkIsNotLostAfterTheDeadline(t *testing.T) {
	t.Parallel()
	for _, left := range []time.Duration{time.Millisecond, -time.Second} {
		ctx, end := context.WithDeadline(after.Base(func(any) {}), time.Now().Add(left))
		<-ctx.Done()
		ran := false
		after.Response(ctx, func() { ran = true })
		end()
		if !ran {
			t.Errorf("%v before the deadline: the work did not run", left)
		}
	}
}

func TestWorkRunsAtOnceOutsideLambda(t *testing.T) {
	t.Parallel()
	ran := false
	after.Response(t.Context(), func() { ran = true })
	if !ran {
		t.Error("the work did not run")
	}
}

// A panic after the response must not end the process, nor keep other work from running.
func TestPanicIsReported(t *testing.T) {
	t.Parallel()
	var reported any
	ctx, end := invocation(after.Base(func(value any) { reported = value }))
	ran := false
	after.Response(ctx, func() { panic("broken") })
	after.Response(ctx, func() { ran = true })
	end()
	if reported != "broken" || !ran {
		t.Errorf("reported %v; the other work ran: %t", reported, ran)
	}
}

// Work of invocations that run in parallel, as on Lambda Managed Instances, runs once each.
func TestParallelInvocations(t *testing.T) {
	t.Parallel()
	base := after.Base(func(any) {})
	var mu sync.Mutex
	ran := map[int]int{}
	var group sync.WaitGroup
	for i := range 200 {
		group.Go(func() {
			ctx, end := invocation(base)
			after.Response(ctx, func() {
				mu.Lock()
				defer mu.Unlock()
				ran[i]++
			})
			end()
		})
	}
	group.Wait()
	for i := range 200 {
		if ran[i] != 1 {
			t.Errorf("work %d ran %d times", i, ran[i])
		}
	}
}

package batch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queuetest"
)

var errFails = errors.New("fails")

// fifo returns an event of a FIFO queue. A message's group is the first letter of its body.
func fifo(bodies ...string) events.SQSEvent {
	event := standard(bodies...)
	for i, body := range bodies {
		event.Records[i].Attributes["MessageGroupId"] = body[:1]
	}
	return event
}

func standard(bodies ...string) events.SQSEvent {
	event := events.SQSEvent{}
	for _, body := range bodies {
		event.Records = append(event.Records, events.SQSMessage{
			MessageId: "id-" + body, Body: body, Attributes: map[string]string{},
		})
	}
	return event
}

// journal records what was handled. A body that contains a word of its set fails in that way.
type journal struct {
	mu      sync.Mutex
	handled []string
}

func (j *journal) handle(_ context.Context, m batch.Message) error {
	j.mu.Lock()
	j.handled = append(j.handled, m.Body)
	j.mu.Unlock()
	switch {
	case strings.Contains(m.Body, "bad"):
		return errFails
	case strings.Contains(m.Body, "poison"):
		return fmt.Errorf("read: %w", batch.Permanent(errFails))
	case strings.Contains(m.Body, "panic"):
		panic("canary")
	}
	return nil
}

func failures(t *testing.T, out events.SQSEventResponse, err error) []string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if out.BatchItemFailures == nil {
		t.Error("batchItemFailures is null, want a list")
	}
	ids := []string{}
	for _, f := range out.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return ids
}

func TestSQSReportsWhatFailed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		event   events.SQSEvent
		handled []string
		failed  []string
	}{
		"Empty":                      {standard(), nil, []string{}},
		"AllGood":                    {standard("a", "b"), []string{"a", "b"}, []string{}},
		"StandardGoesOn":             {standard("a", "bad", "c"), []string{"a", "bad", "c"}, []string{"id-bad"}},
		"APanicIsItsMessagesFailure": {standard("a", "panic", "c"), []string{"a", "panic", "c"}, []string{"id-panic"}},
		"AGroupStopsAtItsFirstFailure": {
			fifo("a1", "b1", "a2bad", "a3", "b2"), []string{"a1", "a2bad", "b1", "b2"}, []string{"id-a2bad", "id-a3"},
		},
		"AGroupStopsAtItsFirstPanic": {fifo("a1panic", "a2", "b1"), []string{"a1panic", "b1"}, []string{"id-a1panic", "id-a2"}},
		"PermanentWithoutDeadLetters": {
			fifo("a1poison", "a2", "b1"), []string{"a1poison", "b1"}, []string{"id-a1poison", "id-a2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := &journal{}
			out, err := batch.SQS(j.handle, batch.Config{})(t.Context(), tt.event)
			if diff := cmp.Diff(tt.failed, failures(t, out, err)); diff != "" {
				t.Errorf("failed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.handled, j.handled); diff != "" {
				t.Errorf("handled (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSQSHandsOverTheMessage(t *testing.T) {
	t.Parallel()
	var got batch.Message
	_, err := batch.SQS(func(_ context.Context, m batch.Message) error { got = m; return nil }, batch.Config{})(t.Context(), fifo("a1"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(batch.Message{ID: "id-a1", Body: "a1", Group: "a"}, got); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

func TestPermanentErrorsGoToTheDeadLetterQueueAtOnce(t *testing.T) {
	t.Parallel()
	j, dead := &journal{}, &queuetest.Queue{}
	f := batch.SQS(j.handle, batch.Config{DeadLetters: dead})
	event := fifo("a1poison", "a2", "b1bad")
	event.Records = append(event.Records, standard("poison").Records...)
	out, err := f(t.Context(), event)
	if diff := cmp.Diff([]string{"id-b1bad"}, failures(t, out, err)); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a1poison", "a2", "b1bad", "poison"}, j.handled); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
	want := []queue.Message{
		{Body: "a1poison", Group: "a", Dedup: "id-a1poison", Attributes: map[string]string{batch.AttrRecord: "id-a1poison"}},
		{Body: "poison", Attributes: map[string]string{batch.AttrRecord: "id-poison"}},
	}
	if diff := cmp.Diff(want, dead.Messages()); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

// A record is not lost when the dead-letter queue does not take it.
func TestAFullDeadLetterQueueFailsTheMessage(t *testing.T) {
	t.Parallel()
	dead := &queuetest.Queue{Refuse: func(queue.Message) error { return errFails }}
	out, err := batch.SQS((&journal{}).handle, batch.Config{DeadLetters: dead})(t.Context(), fifo("a1poison", "a2"))
	if diff := cmp.Diff([]string{"id-a1poison", "id-a2"}, failures(t, out, err)); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
}

// Groups run at the same time, and the messages of each in their order.
func TestParallelKeepsTheOrderOfAGroup(t *testing.T) {
	t.Parallel()
	const groups, each = 8, 25
	var bodies []string
	for i := range each {
		for g := range groups {
			bodies = append(bodies, fmt.Sprintf("%c%03d", 'a'+g, i))
		}
	}
	var mu sync.Mutex
	running, most, last := 0, 0, map[string]string{}
	handle := func(_ context.Context, m batch.Message) error {
		mu.Lock()
		running++
		most = max(most, running)
		if last[m.Group] >= m.Body {
			t.Errorf("%s came after %s", m.Body, last[m.Group])
		}
		last[m.Group] = m.Body
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		running--
		mu.Unlock()
		return nil
	}
	out, err := batch.SQS(handle, batch.Config{Parallel: 4})(t.Context(), fifo(bodies...))
	if got := failures(t, out, err); len(got) != 0 {
		t.Errorf("failed: %v", got)
	}
	if most < 2 || most > 4 {
		t.Errorf("%d messages at the same time, want 2 to 4", most)
	}
}

func TestNoMessageStartsWhenTheDeadlineIsNear(t *testing.T) {
	t.Parallel()
	now := time.Now().Round(0)
	ctx, cancel := context.WithDeadline(t.Context(), now.Add(time.Minute))
	defer cancel()
	clock := now
	j := &journal{}
	handle := func(ctx context.Context, m batch.Message) error {
		if deadline, ok := ctx.Deadline(); !ok || !deadline.Equal(now.Add(55*time.Second)) {
			t.Errorf("the message's deadline is %v, want half of the margin before the function's", deadline)
		}
		clock = clock.Add(30 * time.Second)
		return j.handle(ctx, m)
	}
	f := batch.SQS(handle, batch.Config{Margin: 10 * time.Second, Now: func() time.Time { return clock }})
	out, err := f(ctx, standard("a", "b", "c"))
	if diff := cmp.Diff([]string{"id-c"}, failures(t, out, err)); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, j.handled); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
}

func TestNothingStartsAfterTheContextHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	j := &journal{}
	out, err := batch.SQS(j.handle, batch.Config{})(ctx, standard("a"))
	if diff := cmp.Diff([]string{"id-a"}, failures(t, out, err)); diff != "" || len(j.handled) != 0 {
		t.Errorf("handled %v, failed (-want +got):\n%s", j.handled, diff)
	}
}

// The log names the record and its error, and neither body nor group.
func TestFailuresAreLogged(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.InfoLevel)
	entry := &logging.Entry{}
	ctx := logging.WithEntry(logging.With(t.Context(), zap.New(core)), entry)
	_, err := batch.SQS(func(context.Context, batch.Message) error { return errFails }, batch.Config{})(ctx, fifo("canary", "canary2"))
	if err != nil {
		t.Fatal(err)
	}
	if logs.Len() != 2 {
		t.Fatalf("%d lines, want 2", logs.Len())
	}
	first := logs.All()[0]
	if got := first.ContextMap()[batch.AttrRecord]; got != "id-canary" || first.Level != zap.ErrorLevel {
		t.Errorf("line %v of record %v", first.Level, got)
	}
	fields, _ := entry.Snapshot()
	got := map[string]int64{}
	for _, f := range fields {
		got[f.Key] = f.Integer
	}
	if diff := cmp.Diff(map[string]int64{"records": 2, "failed_records": 2}, got); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
}

func TestIsPermanent(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"Nil":       {nil, false},
		"Plain":     {errFails, false},
		"Permanent": {batch.Permanent(errFails), true},
		"Wrapped":   {fmt.Errorf("x: %w", batch.Permanent(errFails)), true},
		"OfNil":     {batch.Permanent(nil), false},
	} {
		if got := batch.IsPermanent(tt.err); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	if !errors.Is(batch.Permanent(errFails), errFails) {
		t.Error("Permanent hides its cause")
	}
}

func TestAHandlerIsNeeded(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"SQS":    func() { batch.SQS(nil, batch.Config{}) },
		"Stream": func() { batch.Stream(nil, batch.Config{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s took nil", name)
				}
			}()
			f()
		}()
	}
}

func TestLimitLeavesTimeForTheAnswer(t *testing.T) {
	t.Parallel()
	deadline := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	limited, stop := batch.Limit(ctx)
	defer stop()
	if got, _ := limited.Deadline(); !got.Equal(deadline.Add(-batch.DefaultMargin)) {
		t.Errorf("deadline %v, want %v before %v", got, batch.DefaultMargin, deadline)
	}
	unlimited, stop := batch.Limit(t.Context())
	defer stop()
	if _, ok := unlimited.Deadline(); ok {
		t.Error("a context without a deadline got one")
	}
}

package queues_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/queues"
)

// clock is a time that tests move.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) move(d time.Duration) { c.now = c.now.Add(d) }

func start(t *testing.T) (*queues.Server, *clock) {
	t.Helper()
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	s, err := queues.New(queues.Config{Now: c.Now, Queues: []queues.Queue{
		{Name: "orders.fifo", FIFO: true, VisibilityTimeout: time.Minute, DeadLetter: "dead.fifo", MaxReceives: 2},
		{Name: "dead.fifo", FIFO: true, VisibilityTimeout: time.Minute},
		{Name: "content.fifo", FIFO: true, ContentDeduplication: true, VisibilityTimeout: time.Minute},
		{Name: "groups.fifo", FIFO: true, GroupDeduplication: true, VisibilityTimeout: time.Minute},
		{Name: "plain", VisibilityTimeout: time.Minute, Delay: time.Second, Retention: time.Hour},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func send(t *testing.T, s *queues.Server, queue, group string, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		m := queues.Message{Body: body, Group: group}
		if strings.HasSuffix(queue, ".fifo") {
			m.Deduplication = group + body
		}
		if _, _, err := s.Send(queue, m); err != nil {
			t.Fatal(err)
		}
	}
}

func receive(t *testing.T, s *queues.Server, queue string, most int) ([]string, []queues.Received) {
	t.Helper()
	got, err := s.Receive(queue, most, -1)
	if err != nil {
		t.Fatal(err)
	}
	bodies := []string{}
	for _, m := range got {
		bodies = append(bodies, m.Body)
	}
	return bodies, got
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Error(diff)
	}
}

func TestGroupsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	send(t, s, "orders.fifo", "a", "a1", "a2", "a3")
	send(t, s, "orders.fifo", "b", "b1")

	first, messages := receive(t, s, "orders.fifo", 1)
	expect(t, first, "a1")
	others, _ := receive(t, s, "orders.fifo", 10)
	expect(t, others, "b1") // a waits for a1
	if messages[0].Sequence == "" || messages[0].Receives != 1 {
		t.Errorf("got %+v", messages[0])
	}
	if err := s.Hide("orders.fifo", messages[0].Receipt, 0); err != nil {
		t.Fatal(err)
	}
	again, messages := receive(t, s, "orders.fifo", 2)
	expect(t, again, "a1", "a2")
	if err := s.Delete("orders.fifo", messages[0].Receipt); err != nil {
		t.Fatal(err)
	}
	none, _ := receive(t, s, "orders.fifo", 10)
	expect(t, none) // a2 is in flight
	c.move(time.Minute)
	rest, _ := receive(t, s, "orders.fifo", 10)
	expect(t, rest, "a2", "a3", "b1")
}

func TestAMessageHiddenForARetryHoldsItsGroup(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	send(t, s, "orders.fifo", "a", "a1", "a2")
	_, messages := receive(t, s, "orders.fifo", 1)
	if err := s.Hide("orders.fifo", messages[0].Receipt, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	none, _ := receive(t, s, "orders.fifo", 10)
	expect(t, none)
	c.move(5 * time.Second)
	both, _ := receive(t, s, "orders.fifo", 10)
	expect(t, both, "a1", "a2")
}

func TestDeduplication(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	m := queues.Message{Body: "one", Group: "a"}
	first, sequence, err := s.Send("content.fifo", m)
	if err != nil {
		t.Fatal(err)
	}
	_, messages := receive(t, s, "content.fifo", 10)
	if err := s.Delete("content.fifo", messages[0].Receipt); err != nil {
		t.Fatal(err)
	}
	c.move(5*time.Minute - time.Second)
	if again, same, _ := s.Send("content.fifo", m); again != first || same != sequence {
		t.Errorf("got %s %s, want the first message's %s %s", again, same, first, sequence)
	}
	none, _ := receive(t, s, "content.fifo", 10)
	expect(t, none)
	c.move(time.Second)
	if later, _, _ := s.Send("content.fifo", m); later == first {
		t.Error("the deduplication id is remembered for longer than 5 minutes")
	}
}

func TestDeduplicationInAGroup(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	for _, group := range []string{"a", "b", "a"} {
		if _, _, err := s.Send("groups.fifo", queues.Message{Body: group, Group: group, Deduplication: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := receive(t, s, "groups.fifo", 10)
	expect(t, got, "a", "b")
}

func TestRedriveOfWhatWasSentToTheDeadLetterQueue(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	send(t, s, "dead.fifo", "a", "direct")
	if n, err := s.Redrive("dead.fifo", ""); n != 0 || err != nil {
		t.Errorf("redrove %d, %v without a destination", n, err)
	}
	if n, err := s.Redrive("dead.fifo", "orders.fifo"); n != 1 || err != nil {
		t.Errorf("redrove %d, %v", n, err)
	}
	if sources, err := s.Sources("dead.fifo"); err != nil || len(sources) != 1 || sources[0] != "orders.fifo" {
		t.Errorf("got the sources %v, %v", sources, err)
	}
}

func TestDeadLettersAndTheirRedrive(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	send(t, s, "orders.fifo", "a", "a1", "a2")
	for range 2 {
		got, _ := receive(t, s, "orders.fifo", 1)
		expect(t, got, "a1")
		c.move(time.Minute)
	}
	got, _ := receive(t, s, "orders.fifo", 10)
	expect(t, got, "a2")
	if d, _ := s.Depth("dead.fifo"); d.Visible != 1 {
		t.Errorf("got %+v in the dead-letter queue", d)
	}
	c.move(time.Minute)
	if n, err := s.Redrive("dead.fifo", ""); n != 1 || err != nil {
		t.Errorf("redrove %d, %v", n, err)
	}
	got, messages := receive(t, s, "orders.fifo", 10)
	expect(t, got, "a1", "a2") // in the order in which they were sent
	if messages[0].Receives != 1 {
		t.Errorf("got %d receives, want a new count", messages[0].Receives)
	}
	if _, err := s.Redrive("orders.fifo", ""); !errors.Is(err, queues.ErrNotDeadLetters) {
		t.Errorf("got %v", err)
	}
}

func TestStandardQueues(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	send(t, s, "plain", "", "one", "two")
	none, _ := receive(t, s, "plain", 10)
	expect(t, none) // delayed
	c.move(time.Second)
	got, _ := receive(t, s, "plain", 1)
	expect(t, got, "one")
	if d, _ := s.Depth("plain"); d != (queues.Depth{Visible: 1, InFlight: 1}) || d.All() != 2 {
		t.Errorf("got %+v", d)
	}
	c.move(time.Hour)
	if d, _ := s.Depth("plain"); d.All() != 0 {
		t.Errorf("got %+v after the retention", d)
	}
}

func TestAwaitWakesUp(t *testing.T) {
	t.Parallel()
	s, err := queues.New(queues.Config{Queues: []queues.Queue{{Name: "plain"}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got := make(chan int)
	go func() {
		messages, _ := s.Await(ctx, "plain", 10, time.Minute)
		got <- len(messages)
	}()
	send(t, s, "plain", "", "one")
	if n := <-got; n != 1 {
		t.Errorf("got %d messages", n)
	}
	cancel()
	if _, err := s.Await(ctx, "plain", 10, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestConfigureKeepsMessages(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	send(t, s, "orders.fifo", "a", "a1")
	if err := s.Configure([]queues.Queue{{Name: "orders.fifo", FIFO: true}}); err != nil {
		t.Fatal(err)
	}
	if d, _ := s.Depth("orders.fifo"); d.Visible != 1 {
		t.Errorf("got %+v", d)
	}
	if _, err := s.Depth("plain"); !errors.Is(err, queues.ErrNoQueue) {
		t.Errorf("got %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	second := time.Second
	for name, tt := range map[string]struct {
		queue   string
		message queues.Message
		want    string
	}{
		"NoBody":            {"plain", queues.Message{}, "MissingParameter"},
		"BodyTooLarge":      {"plain", queues.Message{Body: strings.Repeat("x", queues.MaxBody+1)}, "InvalidParameterValue"},
		"NoGroup":           {"orders.fifo", queues.Message{Body: "x", Deduplication: "1"}, "MissingParameter"},
		"NoDeduplication":   {"orders.fifo", queues.Message{Body: "x", Group: "a"}, "InvalidParameterValue"},
		"DelayInFIFO":       {"orders.fifo", queues.Message{Body: "x", Group: "a", Deduplication: "1", Delay: &second}, "InvalidParameterValue"},
		"DeduplicationHere": {"plain", queues.Message{Body: "x", Deduplication: "1"}, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := start(t)
			_, _, err := s.Send(tt.queue, tt.message)
			var fault *queues.FaultError
			if !errors.As(err, &fault) || fault.Code != tt.want {
				t.Errorf("got %v, want the code %s", err, tt.want)
			}
		})
	}
	if _, err := queues.New(queues.Config{Queues: []queues.Queue{{Name: "a", DeadLetter: "b"}}}); err == nil {
		t.Error("a dead-letter queue that does not exist is accepted")
	}
	if _, err := queues.New(queues.Config{Queues: []queues.Queue{{Name: "a"}, {Name: "a"}}}); err == nil {
		t.Error("two queues of one name are accepted")
	}
}

package queue_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/queue"
)

var errRefused = errors.New("refused")

// sender records requests and refuses the bodies of its set.
type sender struct {
	refuses  map[string]bool
	requests [][]string
}

func (s *sender) send(_ context.Context, batch []queue.Message) map[int]error {
	failed := map[int]error{}
	var bodies []string
	for i, m := range batch {
		bodies = append(bodies, m.Body)
		if s.refuses[m.Body] {
			failed[i] = errRefused
		}
	}
	s.requests = append(s.requests, bodies)
	return failed
}

func inGroups(bodies ...string) []queue.Message {
	messages := make([]queue.Message, len(bodies))
	for i, body := range bodies {
		messages[i] = queue.Message{Body: body, Group: body[:1]}
	}
	return messages
}

func TestMessagesOfOneGroupNeverShareARequest(t *testing.T) {
	t.Parallel()
	s := &sender{}
	if err := queue.SendBatches(t.Context(), inGroups("a1", "b1", "a2", "c1", "a3", "b2"), s.send); err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"a1", "b1", "c1"}, {"a2", "b2"}, {"a3"}}
	if diff := cmp.Diff(want, s.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAGroupStopsAtItsFirstFailure(t *testing.T) {
	t.Parallel()
	s := &sender{refuses: map[string]bool{"a2": true}}
	err := queue.SendBatches(t.Context(), inGroups("a1", "a2", "b1", "a3", "b2"), s.send)
	var partial *queue.PartialError
	if !errors.As(err, &partial) {
		t.Fatalf("error = %v, want a PartialError", err)
	}
	if len(partial.Failed) != 2 || !errors.Is(partial.Failed[1], errRefused) || !errors.Is(partial.Failed[3], queue.ErrBehind) {
		t.Errorf("failed = %v", partial.Failed)
	}
	if !errors.Is(err, errRefused) {
		t.Errorf("error %v does not wrap the first cause", err)
	}
	want := [][]string{{"a1", "b1"}, {"a2", "b2"}}
	if diff := cmp.Diff(want, s.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestMessagesWithoutAGroupFailAlone(t *testing.T) {
	t.Parallel()
	s := &sender{refuses: map[string]bool{"2": true}}
	err := queue.SendBatches(t.Context(), []queue.Message{{Body: "1"}, {Body: "2"}, {Body: "3"}}, s.send)
	var partial *queue.PartialError
	if !errors.As(err, &partial) || len(partial.Failed) != 1 || partial.Failed[1] == nil {
		t.Errorf("error = %v, want that of message 1 alone", err)
	}
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	third := strings.Repeat("x", queue.MaxBytes/3)
	for name, tt := range map[string]struct {
		bodies []string
		sizes  []int
	}{
		"ByCount": {strings.Split(strings.Repeat("x,", 24)+"x", ","), []int{10, 10, 5}},
		"ByBytes": {[]string{third, third, third, third}, []int{3, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &sender{}
			messages := make([]queue.Message, len(tt.bodies))
			for i, body := range tt.bodies {
				messages[i] = queue.Message{Body: body}
			}
			if err := queue.SendBatches(t.Context(), messages, s.send); err != nil {
				t.Fatal(err)
			}
			var sizes []int
			for _, r := range s.requests {
				sizes = append(sizes, len(r))
			}
			if diff := cmp.Diff(tt.sizes, sizes); diff != "" {
				t.Errorf("messages of the requests (-want +got):\n%s", diff)
			}
		})
	}
}

// A group keeps its order when a message has to wait for room.
func TestOrderOfAGroupIsKeptWhenARequestIsFull(t *testing.T) {
	t.Parallel()
	half := strings.Repeat("x", queue.MaxBytes/2)
	s := &sender{}
	messages := []queue.Message{{Body: "1" + half, Group: "a"}, {Body: "2" + half, Group: "b"}, {Body: "3", Group: "b"}}
	if err := queue.SendBatches(t.Context(), messages, s.send); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, r := range s.requests {
		for _, body := range r {
			order = append(order, body[:1])
		}
	}
	if diff := cmp.Diff([]string{"1", "2", "3"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestATooLargeMessageIsNeverSent(t *testing.T) {
	t.Parallel()
	s := &sender{}
	messages := []queue.Message{
		{Body: strings.Repeat("x", queue.MaxBytes+1), Group: "a"},
		{Body: "2", Group: "a"},
		{Body: "3", Group: "b"},
		{Body: "4", Group: "c", Attributes: map[string]string{"a": strings.Repeat("x", queue.MaxBytes)}},
	}
	err := queue.SendBatches(t.Context(), messages, s.send)
	var partial *queue.PartialError
	if !errors.As(err, &partial) {
		t.Fatalf("error = %v, want a PartialError", err)
	}
	if !errors.Is(partial.Failed[0], queue.ErrTooLarge) || !errors.Is(partial.Failed[1], queue.ErrBehind) || !errors.Is(partial.Failed[3], queue.ErrTooLarge) {
		t.Errorf("failed = %v", partial.Failed)
	}
	if diff := cmp.Diff([][]string{{"3"}}, s.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestNothingIsSentAfterTheContextHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := &sender{}
	err := queue.SendBatches(ctx, inGroups("a1", "a2", "b1"), func(ctx context.Context, batch []queue.Message) map[int]error {
		cancel()
		return s.send(ctx, batch)
	})
	var partial *queue.PartialError
	if !errors.As(err, &partial) || len(partial.Failed) != 1 || !errors.Is(partial.Failed[1], context.Canceled) {
		t.Errorf("error = %v, want message 1 failed by the context", err)
	}
}

func TestPartialErrorOfNothing(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(&queue.PartialError{}, errors.Unwrap(&queue.PartialError{})); !strings.Contains(got, "0 failed") {
		t.Errorf("text %q", got)
	}
}

// Package queues serves SQS queues from the memory of this process: FIFO queues with groups and deduplication,
// standard queues, visibility timeouts, dead-letter queues and their redrive. It has the calls that the functions
// and this repository make, in the JSON protocol, and a Go interface for local/pump and for tests.
//
// It is not github.com/Admiral-Piett/goaws: its v0.4.5 has the query protocol only, which no SDK of today and not
// shared/awsjson speaks, no StartMessageMoveTask, and no way to learn that a queue is empty or has a new message.
package queues

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// What SQS allows.
const (
	// MaxBody is the largest body in bytes, and the largest sum of the bodies of a batch.
	MaxBody = 1 << 20
	// MaxBatch is the most messages of one call.
	MaxBatch = 10
)

// Config configures a Server.
type Config struct {
	// Queues are the queues. A dead-letter queue is one of them.
	Queues []Queue
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
}

// Server holds the queues. It is an http.Handler of SQS's JSON protocol, and safe for concurrent use.
type Server struct {
	now func() time.Time

	mu     sync.Mutex
	queues map[string]*queue
	order  int64
}

// New returns a server with empty queues. It refuses a name that appears twice and a dead-letter queue that is
// not there.
func New(cfg Config) (*Server, error) {
	s := &Server{now: cfg.Now, queues: map[string]*queue{}}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.Configure(cfg.Queues); err != nil {
		return nil, err
	}
	return s, nil
}

// Configure changes the queues. Those that stay keep their messages.
func (s *Server) Configure(list []Queue) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[string]*queue{}
	for _, q := range list {
		if _, twice := next[q.Name]; twice {
			return fmt.Errorf("the queue %s is defined twice", q.Name)
		}
		next[q.Name] = newQueue(q)
		if old, stays := s.queues[q.Name]; stays && old.FIFO == q.FIFO {
			next[q.Name].messages, next[q.Name].seen = old.messages, old.seen
		}
	}
	for _, q := range list {
		if _, ok := next[q.DeadLetter]; q.DeadLetter != "" && !ok {
			return fmt.Errorf("the dead-letter queue %s of %s does not exist", q.DeadLetter, q.Name)
		}
	}
	for _, old := range s.queues {
		close(old.changed) // who waits looks again
	}
	s.queues = next
	return nil
}

// Names returns the names of the queues in order.
func (s *Server) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.queues))
}

// Errors of the server's methods.
var (
	// ErrNoQueue: no queue has the name.
	ErrNoQueue = errors.New("the queue does not exist")
	// ErrReceipt: the receipt is not that of the last time the message was received, or it is deleted.
	ErrReceipt = errors.New("the receipt handle is not valid")
	// ErrNotDeadLetters: the queue is not the dead-letter queue of another one.
	ErrNotDeadLetters = errors.New("the queue is not a dead-letter queue")
)

// FaultError is a message that SQS refuses.
type FaultError struct {
	// Code is SQS's, "MissingParameter".
	Code string
	// Detail is a sentence.
	Detail string
}

// Error implements error.
func (e *FaultError) Error() string { return e.Detail }

func (s *Server) named(name string) (*queue, error) {
	q, ok := s.queues[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, ErrNoQueue)
	}
	return q, nil
}

// Send appends a message and returns its id and, of a FIFO queue, its sequence number. A message of a FIFO
// queue whose deduplication id was sent in the last 5 minutes is not appended, and has the id of the first one.
// The error is ErrNoQueue or a *FaultError.
func (s *Server) Send(name string, m Message) (id, sequence string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.named(name)
	if err != nil {
		return "", "", err
	}
	switch {
	case m.Body == "":
		err = &FaultError{"MissingParameter", "The request must contain the parameter MessageBody."}
	case len(m.Body) > MaxBody:
		err = &FaultError{"InvalidParameterValue", fmt.Sprintf("The body has %d bytes, SQS takes at most %d.", len(m.Body), MaxBody)}
	case q.FIFO && m.Group == "":
		err = &FaultError{"MissingParameter", "The request must contain the parameter MessageGroupId."}
	case q.FIFO && m.Deduplication == "" && !q.ContentDeduplication:
		err = &FaultError{"InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"}
	case q.FIFO && m.Delay != nil:
		err = &FaultError{"InvalidParameterValue", "A FIFO queue delays no single message."}
	case !q.FIFO && m.Deduplication != "":
		err = &FaultError{"InvalidParameterValue", "The request includes a parameter that is not valid for this queue type: MessageDeduplicationId"}
	}
	if err != nil {
		return "", "", err
	}
	s.order++
	id, sequence = q.add(m, s.order, s.now())
	return id, sequence, nil
}

// Receive hides up to most messages for the time and returns them; a negative time is the queue's own. A
// message that has used up its receives moves to the dead-letter queue instead.
func (s *Server) Receive(name string, most int, visibility time.Duration) ([]Received, error) {
	got, _, _, err := s.receive(name, most, visibility)
	return got, err
}

// Await is Receive, but waits for a message. Its error is that of ctx, or ErrNoQueue.
func (s *Server) Await(ctx context.Context, name string, most int, visibility time.Duration) ([]Received, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		got, changed, hidden, err := s.receive(name, most, visibility)
		if len(got) > 0 || err != nil {
			return got, err
		}
		wait(ctx, changed, hidden)
	}
}

// wait returns when the queue has changed, when a hidden message becomes visible, or when ctx ends.
func wait(ctx context.Context, changed <-chan struct{}, hidden time.Duration) {
	var visible <-chan time.Time
	if hidden > 0 {
		t := time.NewTimer(hidden)
		defer t.Stop()
		visible = t.C
	}
	select {
	case <-changed:
	case <-visible:
	case <-ctx.Done():
	}
}

// receive also returns what is closed at the next change, and how long the first hidden message stays hidden (0
// without one).
func (s *Server) receive(name string, most int, visibility time.Duration) (got []Received, changed <-chan struct{}, hidden time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.named(name)
	if err != nil {
		return nil, nil, 0, err
	}
	if visibility < 0 {
		visibility = q.VisibilityTimeout
	}
	now := s.now()
	got, dead := q.receive(most, visibility, now)
	for _, m := range dead {
		s.queues[q.DeadLetter].take(m, name, now)
	}
	if next := q.next(now); !next.IsZero() {
		hidden = next.Sub(now)
	}
	return got, q.changed, hidden, nil
}

// Delete deletes a received message. A message that another consumer has deleted is not an error.
func (s *Server) Delete(name, receipt string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.named(name)
	if err != nil {
		return err
	}
	if i := q.find(receipt); i >= 0 {
		q.messages = slices.Delete(q.messages, i, i+1)
		q.wake() // its group may go on
	}
	return nil
}

// Hide hides a received message from now on for the time; 0 makes it visible.
func (s *Server) Hide(name, receipt string, visibility time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.named(name)
	if err != nil {
		return err
	}
	i := q.find(receipt)
	if i < 0 {
		return ErrReceipt
	}
	q.messages[i].visible = s.now().Add(visibility)
	q.wake()
	return nil
}

// Depth is how many messages a queue has.
type Depth struct {
	// Visible can be received, InFlight is with a consumer, Delayed is not visible yet.
	Visible, InFlight, Delayed int
}

// All counts all messages.
func (d Depth) All() int { return d.Visible + d.InFlight + d.Delayed }

// Depth counts the messages of a queue.
func (s *Server) Depth(name string) (Depth, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.named(name)
	if err != nil {
		return Depth{}, err
	}
	return q.depth(s.now()), nil
}

// Redrive moves the visible messages of a dead-letter queue back, in order, to the queues that they came from, or
// to the queue destination if it is not empty. It returns how many it moved. A message that was sent to the
// dead-letter queue directly stays without a destination, as on AWS.
func (s *Server) Redrive(name, destination string) (int, error) {
	sources, err := s.Sources(name)
	if err != nil {
		return 0, err
	}
	if len(sources) == 0 {
		return 0, fmt.Errorf("%s: %w", name, ErrNotDeadLetters)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.named(destination); destination != "" && err != nil {
		return 0, err
	}
	from, err := s.named(name)
	if err != nil {
		return 0, err
	}
	moved, now := 0, s.now()
	var kept []*stored
	for _, m := range from.messages {
		to := destination
		if to == "" {
			to = m.Origin
		}
		target, ok := s.queues[to]
		if !ok || now.Before(m.visible) {
			kept = append(kept, m)
			continue
		}
		target.take(m, "", now)
		moved++
	}
	from.messages = kept
	return moved, nil
}

// Sources returns the names of the queues whose dead-letter queue it is, in order.
func (s *Server) Sources(name string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.named(name); err != nil {
		return nil, err
	}
	var sources []string
	for _, q := range s.queues {
		if q.DeadLetter == name {
			sources = append(sources, q.Name)
		}
	}
	slices.Sort(sources)
	return sources, nil
}

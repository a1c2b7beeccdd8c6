package queues

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"
)

// deduplication is how long SQS remembers the deduplication id of a FIFO queue's message.
const deduplication = 5 * time.Minute

// Queue configures one queue.
type Queue struct {
	// Name is unique in a Server; that of a FIFO queue ends in ".fifo".
	Name string
	// FIFO is true for a queue that keeps the order of each message group.
	FIFO bool
	// ContentDeduplication is true when a message without a deduplication id takes the digest of its body.
	ContentDeduplication bool
	// GroupDeduplication is true when a deduplication id counts in its message group only.
	GroupDeduplication bool
	// VisibilityTimeout is how long a received message is hidden.
	VisibilityTimeout time.Duration
	// Retention is how long a message is kept. 0 is 4 days.
	Retention time.Duration
	// Delay is how long a new message is hidden.
	Delay time.Duration
	// DeadLetter is the name of the queue for messages that were received MaxReceives times; empty is none.
	DeadLetter string
	// MaxReceives is 0 without a DeadLetter.
	MaxReceives int
}

// Attribute is a message attribute, in the form of the JSON protocol.
type Attribute struct {
	DataType    string `json:"DataType"`
	StringValue string `json:"StringValue,omitempty"`
	BinaryValue []byte `json:"BinaryValue,omitempty"`
}

// Message is a message to send.
type Message struct {
	// Body is at most MaxBody bytes.
	Body string
	// Group is the message group; a FIFO queue needs one.
	Group string
	// Deduplication is the deduplication id, for FIFO queues.
	Deduplication string
	// Delay hides the message; nil is the queue's. FIFO queues refuse it.
	Delay *time.Duration
	// Attributes are the message's own.
	Attributes map[string]Attribute
	// TraceHeader is the system attribute AWSTraceHeader.
	TraceHeader string
}

// Received is a message that was received, and is hidden until its receipt is deleted or its time is over.
type Received struct {
	Message
	// ID is SQS's id of the message, Receipt what deletes it.
	ID, Receipt string
	// Sequence is the sequence number of a message of a FIFO queue; empty otherwise.
	Sequence string
	// Receives counts how often it was received, this time included.
	Receives int
	// Sent is when it was sent, First when it was received for the first time.
	Sent, First time.Time
	// MD5 is the checksum of the body, in hexadecimal digits.
	MD5 string
	// Origin is the name of the queue whose dead letter it is; empty otherwise.
	Origin string
}

// stored is a message in a queue.
type stored struct {
	Received
	order   int64     // its place among all messages of the server
	visible time.Time // when it may be received
}

// inFlight reports whether the message is with a consumer.
func (m *stored) inFlight(now time.Time) bool { return m.Receipt != "" && now.Before(m.visible) }

// seen is a deduplication id with the message that it was sent with.
type seen struct {
	id, sequence string
	until        time.Time
}

// queue holds messages in their order.
type queue struct {
	Queue
	messages []*stored
	seen     map[string]seen
	changed  chan struct{} // closed, and replaced, when a message may have become visible
}

func newQueue(q Queue) *queue {
	if q.Retention == 0 {
		q.Retention = 4 * 24 * time.Hour
	}
	return &queue{Queue: q, seen: map[string]seen{}, changed: make(chan struct{})}
}

func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// add appends a message, unless a FIFO queue has seen its deduplication id. It returns the id and sequence number
// of the message that it has.
func (q *queue) add(m Message, order int64, now time.Time) (id, sequence string) {
	if q.FIFO {
		if m.Deduplication == "" {
			digest := sha256.Sum256([]byte(m.Body))
			m.Deduplication = hex.EncodeToString(digest[:])
		}
		for key, s := range q.seen {
			if !now.Before(s.until) {
				delete(q.seen, key)
			}
		}
		if s, known := q.seen[q.deduplicationKey(m)]; known {
			return s.id, s.sequence
		}
	}
	delay := q.Delay
	if m.Delay != nil {
		delay = *m.Delay
	}
	added := &stored{
		Received: Received{Message: m, ID: newID(), Sent: now, MD5: checksum(m.Body)},
		order:    order, visible: now.Add(delay),
	}
	if q.FIFO {
		added.Sequence = sequence20(order)
		q.seen[q.deduplicationKey(m)] = seen{id: added.ID, sequence: added.Sequence, until: now.Add(deduplication)}
	}
	q.messages = append(q.messages, added)
	q.wake()
	return added.ID, added.Sequence
}

func (q *queue) deduplicationKey(m Message) string {
	if q.GroupDeduplication {
		return m.Group + "\x00" + m.Deduplication
	}
	return m.Deduplication
}

// receive hides up to most messages and returns them, and what has used up its receives. A group of a FIFO queue
// of which a message is in flight waits.
func (q *queue) receive(most int, visibility time.Duration, now time.Time) (got []Received, dead []*stored) {
	q.expire(now)
	blocked := map[string]bool{}
	if q.FIFO {
		for _, m := range q.messages {
			if m.inFlight(now) {
				blocked[m.Group] = true
			}
		}
	}
	for _, m := range q.messages {
		if len(got) == most {
			break
		}
		if now.Before(m.visible) || q.FIFO && blocked[m.Group] {
			if q.FIFO { // what is behind it in its group waits too
				blocked[m.Group] = true
			}
			continue
		}
		if q.MaxReceives > 0 && m.Receives >= q.MaxReceives {
			dead = append(dead, m)
			continue
		}
		m.Receives++
		if m.First.IsZero() {
			m.First = now
		}
		m.Receipt, m.visible = newID(), now.Add(visibility)
		got = append(got, m.Received)
	}
	q.messages = slices.DeleteFunc(q.messages, func(m *stored) bool { return slices.Contains(dead, m) })
	return got, dead
}

// expire drops what is older than the retention.
func (q *queue) expire(now time.Time) {
	q.messages = slices.DeleteFunc(q.messages, func(m *stored) bool { return now.Sub(m.Sent) >= q.Retention })
}

// take adds a message that another queue has given up.
func (q *queue) take(m *stored, origin string, now time.Time) {
	m.Receives, m.First, m.Receipt, m.visible, m.Origin = 0, time.Time{}, "", now, origin
	at, _ := slices.BinarySearchFunc(q.messages, m, func(a, b *stored) int { return int(min(1, max(-1, a.order-b.order))) })
	q.messages = slices.Insert(q.messages, at, m)
	q.wake()
}

// find returns the place of the message with the receipt, or -1.
func (q *queue) find(receipt string) int {
	return slices.IndexFunc(q.messages, func(m *stored) bool { return receipt != "" && m.Receipt == receipt })
}

// next returns when the first hidden message becomes visible; the zero time is never.
func (q *queue) next(now time.Time) time.Time {
	var first time.Time
	for _, m := range q.messages {
		if now.Before(m.visible) && (first.IsZero() || m.visible.Before(first)) {
			first = m.visible
		}
	}
	return first
}

// depth counts the messages.
func (q *queue) depth(now time.Time) Depth {
	q.expire(now)
	var d Depth
	for _, m := range q.messages {
		switch {
		case m.inFlight(now):
			d.InFlight++
		case now.Before(m.visible):
			d.Delayed++
		default:
			d.Visible++
		}
	}
	return d
}

// checksum is SQS's checksum of a body.
func checksum(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// sequence20 returns a sequence number: 20 digits, as SQS has them.
func sequence20(n int64) string {
	digits := strconv.FormatInt(n, 10)
	return "18800000000000000000"[:20-len(digits)] + digits
}

// newID returns a random (version 4) UUID.
func newID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

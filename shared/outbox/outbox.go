// Package outbox publishes events that cannot be lost and are not published for a change that did not happen:
// an event is an item that the change's own transaction writes. A stream then carries the items to a
// dispatcher, which sends each event to its subscribers (package outboxstream).
//
// Every event arrives at least once, and events of one subject may arrive in another order. A consumer writes
// a record of the event in the transaction of its own effect (outboxddb.Consume), so that the effect happens
// once, and decides by the state that it finds, not by the order of arrival.
package outbox

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/shared/api"
)

// SpecVersion is the version of CloudEvents that an Event follows
// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md).
const SpecVersion = "1.0"

// MaxBytes is the largest event in bytes of JSON. Ten of them fit into one request to SQS.
const MaxBytes = 24 << 10

// ErrConsumed means that the consumer has had the event before: its effect exists, and nothing is to be done.
var ErrConsumed = errors.New("outbox: the event was consumed before")

// Event is one fact about an entity, with the attributes of CloudEvents 1.0. Its JSON is CloudEvents' JSON
// format. New makes one.
type Event struct {
	// ID is a ULID, unique among all events. Consumers recognise a repeated event by it. Ids of one millisecond are in the
	// order in which the events were made.
	ID string
	// Source names what the event comes from, a URI reference ("/order").
	Source string
	// Type names what happened ("order.confirmed").
	Type string
	// Subject is the id of the entity. Events of one subject stay in one group of a FIFO queue.
	Subject string
	// Time is when it happened, in UTC, with milliseconds.
	Time time.Time
	// Data is the event's own JSON object.
	Data json.RawMessage
}

// New returns an event with an id of its own. typ is the entity and what happened, joined by a dot
// ("order.confirmed"); the source is "/" and the entity. data is encoded as JSON. It fails for a type without
// a dot, an empty subject, data that is not a JSON object, and an event of more than MaxBytes.
func New(now time.Time, typ, subject string, data any) (Event, error) {
	entity, _, ok := strings.Cut(typ, ".")
	if !ok {
		return Event{}, fmt.Errorf("new event: the type %q has no dot", typ)
	}
	body, err := json.Marshal(data)
	if err != nil {
		return Event{}, fmt.Errorf("new event %s: %w", typ, err)
	}
	now = now.UTC().Truncate(time.Millisecond)
	e := Event{
		ID:     newID(now),
		Source: "/" + entity, Type: typ, Subject: subject, Time: now, Data: body,
	}
	if err := e.validate(); err != nil {
		return Event{}, fmt.Errorf("new event %s: %w", typ, err)
	}
	encoded, err := json.Marshal(e)
	if err != nil {
		return Event{}, fmt.Errorf("new event %s: %w", typ, err)
	}
	if len(encoded) > MaxBytes {
		return Event{}, fmt.Errorf("new event %s: %d bytes, want at most %d", typ, len(encoded), MaxBytes)
	}
	return e, nil
}

// newID returns a ULID of the event's time. Ids of one millisecond are in the order in which they were made: the first half
// of the bits that follow the time is the clock's nanoseconds, which repeat after 18 minutes, and the other half is random.
func newID(at time.Time) string {
	var made [8]byte
	binary.BigEndian.PutUint64(made[:], uint64(time.Now().UnixNano()))
	unique := io.MultiReader(bytes.NewReader(made[3:]), rand.Reader)
	return ulid.MustNew(ulid.Timestamp(at), unique).String()
}

// Decode reads the event's data into dst, a pointer.
func (e Event) Decode(dst any) error {
	if err := json.Unmarshal(e.Data, dst); err != nil {
		return fmt.Errorf("decode data of %s: %w", e.Type, err)
	}
	return nil
}

// wire is an event in CloudEvents' JSON format. Attributes that are not listed are ignored.
type wire struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject"`
	Time            api.Time        `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Data            json.RawMessage `json:"data"`
}

const contentType = "application/json"

// MarshalJSON returns the event in CloudEvents' JSON format.
func (e Event) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{
		SpecVersion: SpecVersion, ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject,
		Time: api.NewTime(e.Time), DataContentType: contentType, Data: e.Data,
	})
}

// UnmarshalJSON reads an event in CloudEvents' JSON format. It refuses another version and an event that New
// would not have made. Its errors do not quote the data.
func (e *Event) UnmarshalJSON(text []byte) error {
	var w wire
	if err := json.Unmarshal(text, &w); err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	if w.SpecVersion != SpecVersion {
		return fmt.Errorf("read event: specversion %q, want %q", w.SpecVersion, SpecVersion)
	}
	read := Event{ID: w.ID, Source: w.Source, Type: w.Type, Subject: w.Subject, Time: w.Time.UTC(), Data: w.Data}
	if err := read.validate(); err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	*e = read
	return nil
}

func (e Event) validate() error {
	if _, err := ulid.ParseStrict(e.ID); err != nil {
		return errors.New("the id is not a ULID")
	}
	switch {
	case e.Source == "":
		return errors.New("the source is empty")
	case !strings.Contains(e.Type, "."):
		return errors.New("the type has no dot")
	case e.Subject == "":
		return errors.New("the subject is empty")
	case e.Time.IsZero():
		return errors.New("the time is missing")
	case !bytes.HasPrefix(bytes.TrimSpace(e.Data), []byte("{")):
		return errors.New("the data is not a JSON object")
	}
	return nil
}

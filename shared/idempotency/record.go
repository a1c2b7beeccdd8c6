package idempotency

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
)

const (
	// Lifetime is how long a key is remembered.
	Lifetime = 24 * time.Hour
	// MaxBody is the largest body of an answer that a record holds, in bytes.
	MaxBody = 64 << 10
	// MaxPoint is the longest point to resume from, in bytes.
	MaxPoint = 256
)

// Record is what is known about the request of a key. The zero Record means that no key was sent; a store writes
// nothing for it.
type Record struct {
	// Key is the request's.
	Key Key
	// Owner is a random text of the attempt that made the record. A write that finds its own Owner has happened before.
	Owner string
	// Previous is the Owner of the running record that this one takes over; empty if it takes over none.
	Previous string
	// Running is whether the answer is not known yet.
	Running bool
	// Point is where another attempt resumes, such as the id of what is being made. Done leaves it empty.
	Point string
	// LeaseUntil is when another attempt may take over a running record, to the millisecond.
	LeaseUntil time.Time
	// Answer is the answer of a record that is not running.
	Answer Answer
	// MadeAt is the time of the attempt by the clock of its service. The expiry and the lease of a stored record are
	// compared with it.
	MadeAt time.Time
	// ExpiresAt is when the key can be used anew, in whole seconds.
	ExpiresAt time.Time
}

// IsZero reports whether no key was sent.
func (r Record) IsZero() bool { return r.Key.ID == "" }

// Expired reports whether the key can be used anew. Stores compare: DynamoDB may remove an expired item days later.
func (r Record) Expired(now time.Time) bool { return !r.ExpiresAt.After(now) }

// Abandoned reports whether the record is running and its lease is over.
func (r Record) Abandoned(now time.Time) bool { return r.Running && !r.LeaseUntil.After(now) }

// Replaces reports whether the record may replace the stored one: it has expired, or it is abandoned and the record
// takes it over.
func (r Record) Replaces(stored Record) bool {
	return stored.Expired(r.MadeAt) || r.Previous != "" && stored.Owner == r.Previous && stored.Abandoned(r.MadeAt)
}

// Done returns the record of the request whose effect is about to be stored, with its final answer: see NewAnswer. The
// store writes it in the transaction of the effect. It returns the zero Record for a request without a key.
func Done(ctx context.Context, now time.Time, status int, header map[string]string, body any) (Record, error) {
	r := newRecord(ctx, now)
	if r.IsZero() {
		return Record{}, nil
	}
	var err error
	r.Answer, err = NewAnswer(status, header, body)
	if err != nil {
		return Record{}, err
	}
	return r, nil
}

// Begin returns a running record, to be stored before the effect elsewhere begins. Another attempt may take it over when
// lease has passed, and finds it by PointFrom. point is where that attempt resumes; if this attempt takes over a record,
// its point is kept. Begin returns the zero Record for a request without a key.
func Begin(ctx context.Context, now time.Time, lease time.Duration, point string) (Record, error) {
	r := newRecord(ctx, now)
	if r.IsZero() {
		return Record{}, nil
	}
	if lease <= 0 || lease > Lifetime {
		return Record{}, fmt.Errorf("idempotency: a lease of %v; want more than 0 and at most %v", lease, Lifetime)
	}
	if len(point) > MaxPoint {
		return Record{}, fmt.Errorf("idempotency: a point of %d bytes; want at most %d", len(point), MaxPoint)
	}
	r.Running, r.Point = true, point
	r.LeaseUntil = now.Add(lease).Truncate(time.Millisecond).UTC()
	if found, ok := PointFrom(ctx); ok {
		r.Point = found.Point
	}
	return r, nil
}

func newRecord(ctx context.Context, now time.Time) Record {
	key, ok := KeyFrom(ctx)
	if !ok {
		return Record{}
	}
	r := Record{
		Key: key, Owner: rand.Text(), MadeAt: now.Truncate(time.Millisecond).UTC(),
		ExpiresAt: now.Add(Lifetime).Truncate(time.Second).UTC(),
	}
	if found, ok := PointFrom(ctx); ok {
		r.Previous = found.Owner
	}
	recordOwner(ctx, r.Owner)
	return r
}

type foundContext struct{}

// PointFrom returns the running record of an earlier attempt whose lease is over, and false if there was none: go on at
// its Point instead of beginning anew.
func PointFrom(ctx context.Context) (Record, bool) {
	r, ok := ctx.Value(foundContext{}).(Record)
	return r, ok
}

// WithPoint returns a context that carries the record of an earlier attempt. Middleware calls it; so does a test of a
// service.
func WithPoint(ctx context.Context, found Record) context.Context {
	return context.WithValue(ctx, foundContext{}, found)
}

// Answer is an answer that can be given again.
type Answer struct {
	// Status is the HTTP status.
	Status int
	// Header holds single-valued headers: Location, ETag and Content-Type. Others depend on the request that is answered.
	Header map[string]string
	// Body is the encoded body; nil for none.
	Body []byte
}

// NewAnswer returns the answer that api.Write gives for the same status and body; a nil body is none. It returns an
// error for a status that must not be repeated (other than 2xx and 4xx, and those of requests that were refused before
// their work began), for headers besides Location and ETag, and for more than MaxBody bytes.
func NewAnswer(status int, header map[string]string, body any) (Answer, error) {
	a := Answer{Status: status, Header: map[string]string{}}
	for name, value := range header {
		if name = http.CanonicalHeaderKey(name); name != "Location" && name != "Etag" {
			return Answer{}, fmt.Errorf("idempotency: header %s of an answer; want Location or ETag", name)
		}
		a.Header[name] = value
	}
	if body != nil {
		text, err := api.Encode(body)
		if err != nil {
			return Answer{}, err
		}
		a.Body, a.Header[headerContentType] = text, api.ContentTypeJSON
	}
	return a, a.validate()
}

const headerContentType = "Content-Type"

// Refusal returns the answer of a request that fails with p once its work has begun, as a payment that is declined. The
// handler then returns p. Repetitions get the same document, with the id of the first request.
func Refusal(ctx context.Context, p *problem.Error) (Answer, error) {
	if p == nil {
		return Answer{}, errors.New("idempotency: a refusal without a problem")
	}
	body, err := p.Document(middleware.RequestIDFrom(ctx))
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Status: p.Kind.Status(), Header: map[string]string{headerContentType: problem.ContentType}, Body: body}
	return a, a.validate()
}

func (a Answer) validate() error {
	refusedBefore := []int{
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests,
	}
	if a.Status < http.StatusOK || a.Status >= http.StatusInternalServerError || a.Status/100 == 3 || slices.Contains(refusedBefore, a.Status) {
		return fmt.Errorf("idempotency: an answer with status %d must not be repeated", a.Status)
	}
	if len(a.Body) > MaxBody {
		return fmt.Errorf("idempotency: an answer of %d bytes; a record takes %d", len(a.Body), MaxBody)
	}
	return nil
}

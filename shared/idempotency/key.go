// Package idempotency lets a client repeat a request whose answer it did not get: the request has the header
// Idempotency-Key, takes effect once, and every repetition gets the first answer
// (https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07).
//
// A key belongs to its caller and route. A record with the answer keeps the promise, in one of two ways:
//
//   - The effect is in the store that has the records. Done makes the record, and the store writes it in the
//     transaction of the effect. One never exists without the other.
//   - The effect is elsewhere, at a payment provider for instance. Begin makes a record that is running, with a lease,
//     an owner and a point to resume from. Completing it is part of the transaction that stores the result, and fails
//     for an owner whose lease was taken over.
//
// Middleware looks the record up before the handler runs. It replays an answer, refuses the same key with another
// request, and refuses a request that is still running. idempotencyddb and idempotencymem keep records.
package idempotency

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/problem"
)

const (
	// HeaderKey makes a repeated request recognisable.
	HeaderKey = "Idempotency-Key"
	// HeaderReplayed is "true" on the answer of a request that was carried out before.
	HeaderReplayed = "Idempotent-Replayed"
	// MaxKey is the longest key in bytes.
	MaxKey = 255
)

// Key identifies a request that may be repeated.
type Key struct {
	// ID is a digest of the caller, the route and the header's value: two requests with the same ID are one request
	// and its repetition.
	ID string
	// Fingerprint is a digest of the request's method, path values, query and body. A repetition has the same one.
	Fingerprint string
}

type keyContext struct{}

// attempt is one request with a key.
type attempt struct {
	key Key

	mu     sync.Mutex
	owners []string // of the records that it has made
}

// KeyFrom returns the key of the request, and false for a request without one.
func KeyFrom(ctx context.Context) (Key, bool) {
	a, ok := ctx.Value(keyContext{}).(*attempt)
	if !ok {
		return Key{}, false
	}
	return a.key, true
}

// WithKey returns a context that carries the key of the request. Middleware calls it; so does a test of a service.
func WithKey(ctx context.Context, key Key) context.Context {
	return context.WithValue(ctx, keyContext{}, &attempt{key: key})
}

// recordOwner notes the owner of a record that the request makes.
func recordOwner(ctx context.Context, owner string) {
	if a, ok := ctx.Value(keyContext{}).(*attempt); ok {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.owners = append(a.owners, owner)
	}
}

// isOwn reports whether the request has made the record.
func isOwn(ctx context.Context, r Record) bool {
	a, ok := ctx.Value(keyContext{}).(*attempt)
	if !ok {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Contains(a.owners, r.Owner)
}

// ParseKey returns the request's key: 1 to MaxKey visible ASCII characters, bare or as the quoted string of the draft.
// It returns "" for a request without one, and 400 invalid_parameter for a malformed one.
func ParseKey(r *http.Request) (string, error) {
	values := r.Header.Values(HeaderKey)
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	if inner, ok := strings.CutPrefix(key, `"`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); ok {
			key = inner
		}
	}
	// With two headers the gateway joins the values by a comma.
	visible := !strings.ContainsFunc(key, func(c rune) bool { return c < '!' || c > '~' || c == '"' || c == ',' })
	if len(values) > 1 || key == "" || len(key) > MaxKey || !visible {
		return "", problem.Parameter(HeaderKey, "must be one value of 1 to 255 visible ASCII characters without quotes and commas")
	}
	return key, nil
}

// keyOf returns the key of a request to the route, and the request to go on with, whose body was read. It returns false
// for a request that has no key and needs none.
func keyOf(route api.Route, r *http.Request) (Key, *http.Request, bool, error) {
	value, err := ParseKey(r)
	if err != nil {
		return Key{}, r, false, err
	}
	if value == "" {
		if route.Idempotency == api.KeyRequired {
			return Key{}, r, false, ErrKeyRequired
		}
		return Key{}, r, false, nil
	}
	fingerprint, r, err := fingerprint(route, r)
	if err != nil {
		return Key{}, r, false, err
	}
	// Hashed, because the caller is a person.
	id := digest([]string{identity.MustUserID(r.Context()), route.Name, value})
	return Key{ID: id, Fingerprint: fingerprint}, r, true, nil
}

package idempotency

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Store finds records.
type Store interface {
	// Find returns the record of the key with the id, and false if there is none. The record may have expired. A write
	// that was answered before is seen.
	Find(ctx context.Context, id string) (Record, bool, error)
}

// Middleware keeps the promise of the header Idempotency-Key, for middleware.Config. now is the clock. It panics when
// one of them is nil.
//
// It looks the record of a request's key up before the handler runs, so that a repeated request never fails because the
// state has moved on, and again when the handler refuses the request. The first answer is replayed with HeaderReplayed.
// Its own errors are problems: 400 idempotency_key_required, 400 invalid_parameter, 422 idempotency_key_reused, 409
// request_in_progress with Retry-After. A handler that returns *UsedError gets the same treatment.
func Middleware(store Store, now func() time.Time) func(api.Route, api.Handler) api.Handler {
	if store == nil || now == nil {
		panic("idempotency: Middleware needs a store and a clock")
	}
	wall := clock.Wall(now)
	return func(route api.Route, next api.Handler) api.Handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			key, r, ok, err := keyOf(route, r)
			if err != nil {
				return err
			}
			if !ok {
				return next(w, r)
			}
			ctx := WithKey(r.Context(), key)
			found, ok, err := store.Find(ctx, key.ID)
			if err != nil {
				return err
			}
			if ok && !found.Expired(wall()) {
				if found.Key != key || !found.Abandoned(wall()) {
					return repeat(w, r, key, found)
				}
				ctx = WithPoint(ctx, found)
			}
			err = next(w, r.WithContext(ctx))
			if used, ok := errors.AsType[*UsedError](err); ok {
				return repeat(w, r, key, used.Stored)
			}
			if p, ok := problem.As(err); ok && p.Kind.Status() < http.StatusInternalServerError {
				// A repetition that ran at the same time may have changed what the handler then refused.
				found, ok, lookupErr := store.Find(ctx, key.ID)
				if lookupErr == nil && ok && !found.Expired(wall()) && !isOwn(ctx, found) && found.Key == key && !found.Abandoned(wall()) {
					return repeat(w, r, key, found)
				}
			}
			return err
		}
	}
}

// repeat answers a request whose key has a record.
func repeat(w http.ResponseWriter, r *http.Request, key Key, stored Record) error {
	if stored.Key != key {
		return ErrKeyReused
	}
	if stored.Running {
		return ErrInProgress
	}
	logging.EntryFrom(r.Context()).Add(zap.Bool("idempotent_replayed", true))
	header := map[string][]string{HeaderReplayed: {"true"}}
	for name, value := range stored.Answer.Header {
		header[name] = []string{value}
	}
	maps.Copy(w.Header(), header)
	w.WriteHeader(stored.Answer.Status)
	_, _ = w.Write(stored.Answer.Body) // fails if the client has gone
	return nil
}

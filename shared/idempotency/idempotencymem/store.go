// Package idempotencymem keeps the records of package idempotency in memory, for tests and for stores in memory.
package idempotencymem

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/tienda-dev/tienda/shared/idempotency"
)

// Store is an idempotency.Store in memory. The zero value is empty and ready. It is safe for concurrent use.
//
// A store in memory whose changes write records has its own lock for a change: it calls Check, checks and changes its
// own data, and calls Put.
type Store struct {
	mu      sync.Mutex
	records map[string]idempotency.Record
}

var _ idempotency.Store = (*Store)(nil)

// Find implements idempotency.Store.
func (s *Store) Find(ctx context.Context, id string) (idempotency.Record, bool, error) {
	if err := ctx.Err(); err != nil {
		return idempotency.Record{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[id]
	return clone(r), ok, nil
}

// Check returns the error that Put would return, and stores nothing.
func (s *Store) Check(r idempotency.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.check(r)
}

// Put stores the record. It returns *idempotency.UsedError if the key is in use, and idempotency.ErrDone if the owner
// has stored it before. For the zero Record it does nothing.
func (s *Store) Put(r idempotency.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(r); err != nil || r.IsZero() {
		return err
	}
	if s.records == nil {
		s.records = map[string]idempotency.Record{}
	}
	s.records[r.Key.ID] = clone(r)
	return nil
}

func (s *Store) check(r idempotency.Record) error {
	stored, ok := s.records[r.Key.ID]
	switch {
	case r.IsZero() || !ok:
		return nil
	case stored.Owner == r.Owner:
		return idempotency.ErrDone
	case r.Replaces(stored):
		return nil
	default:
		return &idempotency.UsedError{Stored: clone(stored)}
	}
}

// CheckComplete returns the error that Complete would return, and stores nothing.
func (s *Store) CheckComplete(begun idempotency.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checkComplete(begun)
}

// Complete stores the answer of a record that is running. It returns *idempotency.UsedError if another owner has taken it
// over, and idempotency.ErrDone if this owner has completed it before. For the zero Record it does nothing.
func (s *Store) Complete(begun idempotency.Record, answer idempotency.Answer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkComplete(begun); err != nil || begun.IsZero() {
		return err
	}
	stored := s.records[begun.Key.ID]
	stored.Running, stored.Answer = false, answer
	s.records[begun.Key.ID] = clone(stored)
	return nil
}

func (s *Store) checkComplete(begun idempotency.Record) error {
	if begun.IsZero() {
		return nil
	}
	stored, ok := s.records[begun.Key.ID]
	switch {
	case !ok:
		return errVanished
	case stored.Owner != begun.Owner:
		return &idempotency.UsedError{Stored: clone(stored)}
	case !stored.Running:
		return idempotency.ErrDone
	default:
		return nil
	}
}

var errVanished = errors.New("idempotencymem: the record does not exist")

// clone returns a copy that shares nothing with r.
func clone(r idempotency.Record) idempotency.Record {
	r.Answer.Header = maps.Clone(r.Answer.Header)
	r.Answer.Body = slices.Clone(r.Answer.Body)
	return r
}

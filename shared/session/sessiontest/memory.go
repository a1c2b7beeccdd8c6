package sessiontest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/shared/session"
)

// Memory is a session.Store in memory, for tests. It meets the whole contract of the interface and is
// safe for concurrent use.
type Memory struct {
	mu       sync.Mutex
	sessions map[string]session.Session
	accounts map[string]session.Account
	tokens   map[string]session.TokenRevocation
	epoch    time.Time
}

var _ session.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		sessions: map[string]session.Session{},
		accounts: map[string]session.Account{},
		tokens:   map[string]session.TokenRevocation{},
	}
}

// locked runs f, unless the context has ended.
func (m *Memory) locked(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return f()
}

// Create implements session.Store.
func (m *Memory) Create(ctx context.Context, s session.Session) error {
	return m.locked(ctx, func() error {
		if old, taken := m.sessions[s.ID]; taken && old.RotationID != s.RotationID {
			return errors.New("sessiontest: the id of a new session is taken")
		} else if !taken {
			m.sessions[s.ID] = clone(s)
		}
		return nil
	})
}

// Rotate implements session.Store.
func (m *Memory) Rotate(ctx context.Context, r session.Rotation) (got session.Session, done bool, err error) {
	err = m.locked(ctx, func() error {
		s, ok := m.sessions[r.SessionID]
		if !ok {
			return nil
		}
		if s.Subject == r.Subject && s.Generation == r.Presented && !s.Over(r.At) {
			s.Generation++
			s.RotatedAt, s.RotationID, s.IdleUntil = r.At, r.ID, r.IdleUntil
			m.sessions[r.SessionID] = s
		}
		got, done = clone(s), s.RotationID == r.ID
		return nil
	})
	return got, done, err
}

// State implements session.Store.
func (m *Memory) State(ctx context.Context, q session.Query) (state session.State, err error) {
	err = m.locked(ctx, func() error {
		var s session.Session
		if s, state.HasSession = m.sessions[q.SessionID]; state.HasSession {
			state.Session = session.Session{
				ID: s.ID, Subject: s.Subject, CreatedAt: s.CreatedAt, IdleUntil: s.IdleUntil, EndsAt: s.EndsAt,
				RevokedAt: s.RevokedAt, Reason: s.Reason,
			}
		}
		state.Account = m.accounts[q.Subject]
		_, state.TokenRevoked = m.tokens[q.TokenID]
		if q.Everybody {
			state.NotBefore = m.epoch
		}
		return nil
	})
	return state, err
}

// Revoke implements session.Store.
func (m *Memory) Revoke(ctx context.Context, r session.Ending) (found bool, err error) {
	err = m.locked(ctx, func() error {
		s, ok := m.sessions[r.SessionID]
		if !ok || r.Subject != "" && r.Subject != s.Subject {
			return nil
		}
		found = true
		if s.RevokedAt.IsZero() {
			s.RevokedAt, s.Reason = r.At, r.Reason
			m.sessions[r.SessionID] = s
		}
		return nil
	})
	return found, err
}

// RevokeSubject implements session.Store.
func (m *Memory) RevokeSubject(ctx context.Context, subject string, at time.Time) error {
	return m.locked(ctx, func() error {
		account := m.accounts[subject]
		if at.After(account.NotBefore) {
			account.NotBefore = at
			m.accounts[subject] = account
		}
		return nil
	})
}

// RevokeEverybody implements session.Store.
func (m *Memory) RevokeEverybody(ctx context.Context, at time.Time) error {
	return m.locked(ctx, func() error {
		if at.After(m.epoch) {
			m.epoch = at
		}
		return nil
	})
}

// RevokeToken implements session.Store.
func (m *Memory) RevokeToken(ctx context.Context, t session.TokenRevocation) error {
	return m.locked(ctx, func() error {
		if _, ok := m.tokens[t.TokenID]; !ok {
			m.tokens[t.TokenID] = t
		}
		return nil
	})
}

// RaiseAuthz implements session.Store.
func (m *Memory) RaiseAuthz(ctx context.Context, subject string, version int64) error {
	return m.locked(ctx, func() error {
		account := m.accounts[subject]
		account.AuthzVersion = max(account.AuthzVersion, version)
		m.accounts[subject] = account
		return nil
	})
}

// List implements session.Store.
func (m *Memory) List(ctx context.Context, subject string, limit int) (list []session.Session, more bool, err error) {
	err = m.locked(ctx, func() error {
		for _, s := range m.sessions {
			if s.Subject == subject && s.RevokedAt.IsZero() {
				list = append(list, clone(s))
			}
		}
		slices.SortFunc(list, func(a, b session.Session) int {
			return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
		})
		more = len(list) > limit
		list = list[:min(len(list), limit)]
		return nil
	})
	return list, more, err
}

func clone(s session.Session) session.Session {
	s.Scopes, s.AMR = slices.Clone(s.Scopes), slices.Clone(s.AMR)
	return s
}

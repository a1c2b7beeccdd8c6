package sessiontest

import (
	"errors"

	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/session"
)

// The actions of the model that revoke sessions and tokens.

func (m *machine) logout(t *rapid.T) {
	l := m.anyLogin(t)
	m.withOutcomes(t, func() {
		wanted := m.store.revoke == answered
		err := m.manager.RevokeOwn(t.Context(), l.user.subject, l.id)
		if (err == nil) != wanted {
			t.Fatalf("logout: %v", err)
		}
		if m.store.revoke != refused && l.revoked.IsZero() {
			l.revoked = m.now
		}
	})
	stranger := m.anyUser(t)
	if err := m.manager.RevokeOwn(t.Context(), stranger.subject, l.id); stranger != l.user && !errors.Is(err, session.ErrNotFound) {
		t.Fatalf("another user's session: %v", err)
	} else if stranger == l.user && l.revoked.IsZero() {
		l.revoked = m.now
	}
}

func (m *machine) logoutAll(t *rapid.T) {
	user := m.anyUser(t)
	done := m.write(t, func() error {
		epoch, err := m.manager.RevokeAll(t.Context(), user.subject, session.Logout)
		if err == nil && !epoch.Equal(m.now) {
			t.Fatalf("logout everywhere at %v, want %v", epoch, m.now)
		}
		return err
	})
	if done {
		user.epoch = m.now
	}
}

func (m *machine) revokeToken(t *rapid.T) {
	token := m.anyToken(t)
	done := m.write(t, func() error {
		return m.manager.RevokeToken(t.Context(), token.id.TokenID, token.id.ExpiresAt, session.Client)
	})
	if done {
		token.revoked = earliest(token.revoked, m.now)
	}
}

func (m *machine) changeRoles(t *rapid.T) {
	user := m.anyUser(t)
	done := m.write(t, func() error {
		return m.manager.RaiseAuthz(t.Context(), user.subject, user.version+1)
	})
	if !done {
		return
	}
	user.version++
	for _, l := range m.logins {
		for _, token := range l.access {
			if l.user == user {
				token.outdated = earliest(token.outdated, m.now)
			}
		}
	}
}

package authtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
)

// Memory is an auth.Store in memory, for tests. It meets the whole contract of the interface and is safe
// for concurrent use.
type Memory struct {
	mu       sync.Mutex
	users    map[string]auth.Registration
	owners   map[string]string // of identifiers: user ids
	attempts map[place]*attempts
	known    map[place]time.Time // until when
}

// place is an address for a name.
type place struct{ name, address string }

type attempts struct {
	failures auth.Failures
	open     map[string]time.Time // by id: when each attempt in flight began
}

var _ auth.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{users: map[string]auth.Registration{}, owners: map[string]string{}, attempts: map[place]*attempts{}, known: map[place]time.Time{}}
}

// Register implements auth.Store.
func (m *Memory) Register(ctx context.Context, r auth.Registration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if owner, taken := m.owners[r.User.Identifier]; taken {
		if owner == r.User.ID { // the same call again
			return nil
		}
		return auth.ErrEmailExists
	}
	m.owners[r.User.Identifier] = r.User.ID
	r.User = clone(r.User)
	m.users[r.User.ID] = r
	return nil
}

// Profile returns the address and the name that the user registered with.
func (m *Memory) Profile(id string) (email, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.users[id].Email, m.users[id].Name
}

// Guessable implements auth.Store.
func (m *Memory) Guessable(ctx context.Context, id string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if email, name := m.Profile(id); email != "" {
		return []string{email, name}, nil
	}
	return nil, nil
}

// Find implements auth.Store.
func (m *Memory) Find(ctx context.Context, identifier string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	id, ok := m.owners[identifier]
	if !ok {
		return "", auth.ErrUserNotFound
	}
	return id, nil
}

// User implements auth.Store.
func (m *Memory) User(ctx context.Context, id string) (auth.User, error) {
	c, err := m.Credentials(ctx, id)
	return c.User, err
}

// Credentials implements auth.Store.
func (m *Memory) Credentials(ctx context.Context, id string) (auth.Credentials, error) {
	if err := ctx.Err(); err != nil {
		return auth.Credentials{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.users[id]
	if !ok {
		return auth.Credentials{}, auth.ErrUserNotFound
	}
	r.User = clone(r.User)
	return r.Credentials, nil
}

// ReplacePassword implements auth.Store.
func (m *Memory) ReplacePassword(ctx context.Context, before, after auth.Credentials) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if after.User.ID != before.User.ID {
		return errors.New("authtest: a password is replaced for one user")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.users[after.User.ID]
	switch {
	case !ok:
		return auth.ErrUserNotFound
	case r.PasswordHash == before.PasswordHash, // or the same call again:
		r.PasswordHash == after.PasswordHash && r.PasswordChangedAt.Equal(after.PasswordChangedAt):
		r.PasswordHash, r.PasswordChangedAt = after.PasswordHash, after.PasswordChangedAt
		m.users[after.User.ID] = r
		return nil
	default:
		return auth.ErrChanged
	}
}

// ReplaceRoles implements auth.Store.
func (m *Memory) ReplaceRoles(ctx context.Context, before, after auth.User) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if after.ID != before.ID || after.AuthzVersion != before.AuthzVersion+1 {
		return errors.New("authtest: roles are replaced for one user, with the next version")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.users[after.ID]
	switch {
	case !ok:
		return auth.ErrUserNotFound
	case r.User.AuthzVersion == before.AuthzVersion:
		r.User.Roles, r.User.AuthzVersion = slices.Clone(after.Roles), after.AuthzVersion
		m.users[after.ID] = r
		return nil
	case r.User.AuthzVersion == after.AuthzVersion && slices.Equal(r.User.Roles, after.Roles): // the same call again
		return nil
	default:
		return auth.ErrChanged
	}
}

// Attempt implements auth.Store.
func (m *Memory) Attempt(ctx context.Context, a auth.Attempt) (auth.Failures, auth.Admission, error) {
	if err := ctx.Err(); err != nil {
		return auth.Failures{}, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	stored := m.attempts[place{a.Name, a.Address}]
	if stored == nil {
		stored = &attempts{open: map[string]time.Time{}}
		m.attempts[place{a.Name, a.Address}] = stored
	}
	if _, ok := stored.open[a.ID]; ok { // the same call again
		return stored.failures, auth.Admitted, nil
	}
	for id, began := range stored.open {
		if a.At.Sub(began) < auth.AttemptLife {
			continue
		}
		delete(stored.open, id)
		stored.failures.Count++
		if began.After(stored.failures.LastAt) {
			stored.failures.LastAt = began
		}
	}
	if stored.failures.Forgotten(a.At) {
		stored.failures = auth.Failures{}
	}
	switch {
	case stored.failures.Locked(a.At) > 0:
		return stored.failures, auth.Locked, nil
	case len(stored.open) >= auth.Places(stored.failures.Count):
		return stored.failures, auth.Busy, nil
	}
	stored.open[a.ID] = a.At
	return stored.failures, auth.Admitted, nil
}

// EndAttempt implements auth.Store.
func (m *Memory) EndAttempt(ctx context.Context, a auth.Attempt, verdict auth.Verdict, at time.Time) (auth.Failures, error) {
	if err := ctx.Err(); err != nil {
		return auth.Failures{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	stored := m.attempts[place{a.Name, a.Address}]
	if stored == nil {
		return auth.Failures{}, nil
	}
	_, open := stored.open[a.ID]
	delete(stored.open, a.ID)
	switch {
	case verdict == auth.Right:
		stored.failures = auth.Failures{}
	case verdict == auth.Wrong && open:
		stored.failures = auth.Failures{Count: stored.failures.Count + 1, LastAt: at}
	}
	return stored.failures, nil
}

// ResetAttempts implements auth.Store.
func (m *Memory) ResetAttempts(ctx context.Context, names ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for p := range m.attempts {
		if slices.Contains(names, p.name) {
			m.attempts[p] = &attempts{open: map[string]time.Time{}}
		}
	}
	return nil
}

// KnownUntil implements auth.Store.
func (m *Memory) KnownUntil(ctx context.Context, name, address string) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[place{name, address}], nil
}

// Remember implements auth.Store.
func (m *Memory) Remember(ctx context.Context, name, address string, until time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known[place{name, address}] = until
	return nil
}

// KnownAddresses implements auth.Store.
func (m *Memory) KnownAddresses(ctx context.Context, name string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return addresses(m.known, name), nil
}

// TriedAddresses implements auth.Store.
func (m *Memory) TriedAddresses(ctx context.Context, name string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return addresses(m.attempts, name), nil
}

// addresses returns the addresses of the name.
func addresses[T any](places map[place]T, name string) []string {
	var all []string
	for p := range places {
		if p.name == name && p.address != "" {
			all = append(all, p.address)
		}
	}
	return all
}

// clone returns a copy that shares nothing with u.
func clone(u auth.User) auth.User {
	u.Roles = append([]string{}, u.Roles...)
	return u
}

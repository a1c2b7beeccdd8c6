package auth_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/session"
)

// line is a connection to a store of sessions. The calls that it blocks are not done.
type line struct {
	session.Store

	mu   sync.Mutex
	down []string
}

// cut makes these calls fail from now on, and no others.
func (l *line) cut(calls ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = calls
}

func (l *line) err(call string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.down, call) {
		return session.ErrUnavailable
	}
	return nil
}

func (l *line) Create(ctx context.Context, s session.Session) error {
	if err := l.err("Create"); err != nil {
		return err
	}
	return l.Store.Create(ctx, s)
}

func (l *line) Revoke(ctx context.Context, r session.Ending) (bool, error) {
	if err := l.err("Revoke"); err != nil {
		return false, err
	}
	return l.Store.Revoke(ctx, r)
}

func (l *line) RevokeSubject(ctx context.Context, subject string, at time.Time) error {
	if err := l.err("RevokeSubject"); err != nil {
		return err
	}
	return l.Store.RevokeSubject(ctx, subject, at)
}

func (l *line) RevokeToken(ctx context.Context, t session.TokenRevocation) error {
	if err := l.err("RevokeToken"); err != nil {
		return err
	}
	return l.Store.RevokeToken(ctx, t)
}

// callCounter counts the calls of the store.
type callCounter struct {
	auth.Store

	mu    sync.Mutex
	calls map[string]int
}

func (c *callCounter) count(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	c.calls[name]++
}

func (c *callCounter) reset() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = nil
	// A lookup in parallel with a refused attempt may or may not run, so it is not counted.
	if calls["Credentials"] == 0 {
		delete(calls, "Find")
	}
	return calls
}

func (c *callCounter) Find(ctx context.Context, identifier string) (string, error) {
	c.count("Find")
	return c.Store.Find(ctx, identifier)
}

func (c *callCounter) Credentials(ctx context.Context, id string) (auth.Credentials, error) {
	c.count("Credentials")
	return c.Store.Credentials(ctx, id)
}

func (c *callCounter) Attempt(ctx context.Context, a auth.Attempt) (auth.Failures, auth.Admission, error) {
	c.count("Attempt")
	return c.Store.Attempt(ctx, a)
}

func (c *callCounter) EndAttempt(ctx context.Context, a auth.Attempt, verdict auth.Verdict, at time.Time) (auth.Failures, error) {
	c.count("EndAttempt")
	return c.Store.EndAttempt(ctx, a, verdict, at)
}

// asking counts the attempts that have asked for a place.
type asking struct {
	auth.Store

	mu  sync.Mutex
	ids map[string]bool
}

func (a *asking) Attempt(ctx context.Context, attempt auth.Attempt) (auth.Failures, auth.Admission, error) {
	f, got, err := a.Store.Attempt(ctx, attempt)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids[attempt.ID] = true
	return f, got, err
}

// asked returns how many attempts have their first answer.
func (a *asking) asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.ids)
}

// atOnce logs in n times at once and returns how many logins got each status. No password is checked before
// every login has asked for a place; held is how many were checked or being checked then.
func atOnce(t *testing.T, h *server, a *asking, n int, password string) (count map[int]int, held int) {
	t.Helper()
	h.hashes.counts()
	release := make(chan struct{})
	h.hashes.held = release
	before := a.asked()
	statuses := make([]int, n)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() { statuses[i] = h.post("/v1/auth/login", credentials(email, password)).Status })
	}
	for a.asked() < before+n {
		time.Sleep(time.Millisecond)
	}
	_, held = h.hashes.counts()
	close(release)
	wg.Wait()
	count = map[int]int{}
	for _, status := range statuses {
		count[status]++
	}
	return count, held
}

func newAskingServer(t *testing.T) (*server, *asking) {
	t.Helper()
	a := &asking{ids: map[string]bool{}}
	return newServer(t, func(s auth.Store) auth.Store {
		a.Store = s
		return a
	}), a
}

// failing makes calls of a store fail.
type failing struct {
	auth.Store

	mu  sync.Mutex
	err map[string]error // by call
}

func (f *failing) fails(call string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = map[string]error{call: err}
}

func (f *failing) fail(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err[call]
}

func (f *failing) Find(ctx context.Context, identifier string) (string, error) {
	if err := f.fail("Find"); err != nil {
		return "", err
	}
	return f.Store.Find(ctx, identifier)
}

func (f *failing) User(ctx context.Context, id string) (auth.User, error) {
	if err := f.fail("User"); err != nil {
		return auth.User{}, err
	}
	return f.Store.User(ctx, id)
}

func (f *failing) Credentials(ctx context.Context, id string) (auth.Credentials, error) {
	if err := f.fail("Credentials"); err != nil {
		return auth.Credentials{}, err
	}
	return f.Store.Credentials(ctx, id)
}

func (f *failing) Attempt(ctx context.Context, a auth.Attempt) (auth.Failures, auth.Admission, error) {
	if err := f.fail("Attempt"); err != nil {
		return auth.Failures{}, 0, err
	}
	return f.Store.Attempt(ctx, a)
}

func (f *failing) EndAttempt(ctx context.Context, a auth.Attempt, verdict auth.Verdict, at time.Time) (auth.Failures, error) {
	if err := f.fail("EndAttempt"); err != nil {
		return auth.Failures{}, err
	}
	return f.Store.EndAttempt(ctx, a, verdict, at)
}

func (f *failing) KnownUntil(ctx context.Context, name, address string) (time.Time, error) {
	if err := f.fail("KnownUntil"); err != nil {
		return time.Time{}, err
	}
	return f.Store.KnownUntil(ctx, name, address)
}

func (f *failing) Remember(ctx context.Context, name, address string, until time.Time) error {
	if err := f.fail("Remember"); err != nil {
		return err
	}
	return f.Store.Remember(ctx, name, address, until)
}

func (f *failing) KnownAddresses(ctx context.Context, name string) ([]string, error) {
	if err := f.fail("KnownAddresses"); err != nil {
		return nil, err
	}
	return f.Store.KnownAddresses(ctx, name)
}

func (f *failing) TriedAddresses(ctx context.Context, name string) ([]string, error) {
	if err := f.fail("TriedAddresses"); err != nil {
		return nil, err
	}
	return f.Store.TriedAddresses(ctx, name)
}

func (f *failing) ResetAttempts(ctx context.Context, names ...string) error {
	if err := f.fail("ResetAttempts"); err != nil {
		return err
	}
	return f.Store.ResetAttempts(ctx, names...)
}

func (f *failing) ReplacePassword(ctx context.Context, before, after auth.Credentials) error {
	if err := f.fail("ReplacePassword"); err != nil {
		return err
	}
	return f.Store.ReplacePassword(ctx, before, after)
}

func (f *failing) ReplaceRoles(ctx context.Context, before, after auth.User) error {
	if err := f.fail("ReplaceRoles"); err != nil {
		return err
	}
	return f.Store.ReplaceRoles(ctx, before, after)
}

func newFailingServer(t *testing.T) (*server, *failing) {
	t.Helper()
	f := &failing{}
	return newServer(t, func(s auth.Store) auth.Store {
		f.Store = s
		return f
	}), f
}

// forgetful does the first change of roles but returns err for it.
type forgetful struct {
	auth.Store

	err error
}

func (f *forgetful) ReplaceRoles(ctx context.Context, before, after auth.User) error {
	if err := f.Store.ReplaceRoles(ctx, before, after); err != nil {
		return err
	}
	err := f.err
	f.err = nil
	return err
}

// changing changes the password while a login is between reading it and starting the session.
type changing struct {
	auth.Store

	change func(before auth.Credentials)
}

func (c *changing) Credentials(ctx context.Context, id string) (auth.Credentials, error) {
	before, err := c.Store.Credentials(ctx, id)
	if f := c.change; f != nil && err == nil {
		c.change = nil
		f(before)
	}
	return before, err
}

// overtaking gives the user another role before each of the first changes of roles.
type overtaking struct {
	auth.Store

	times, done int
}

func (o *overtaking) ReplaceRoles(ctx context.Context, before, after auth.User) error {
	if o.done < o.times {
		o.done++
		other := before
		other.Roles = append(slices.Clone(before.Roles), fmt.Sprintf("role-%d", o.done))
		other.AuthzVersion++
		if err := o.Store.ReplaceRoles(ctx, before, other); err != nil {
			return err
		}
	}
	return o.Store.ReplaceRoles(ctx, before, after)
}

func (u unreliableUsers) KnownAddresses(ctx context.Context, name string) (all []string, err error) {
	err = u.through("KnownAddresses", func() error { all, err = u.Store.KnownAddresses(ctx, name); return err })
	return all, err
}

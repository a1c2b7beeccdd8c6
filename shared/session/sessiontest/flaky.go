package sessiontest

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/shared/session"
)

// outcome is what happens to a call.
type outcome int

const (
	answered outcome = iota
	lost             // the call is done, but the caller gets session.ErrUnavailable
	refused          // the call is not done, and the caller gets session.ErrUnavailable
)

// flaky is a store behind an unreliable network: the fields set the outcome of its calls.
type flaky struct {
	session.Store

	rotate, revoke, state outcome
	write                 outcome // of every other write

	created string // the session id of the last Create, whatever its outcome
}

// through does the call if the outcome says so, and returns the error for the caller.
func (o outcome) through(call func() error) error {
	if o == refused {
		return session.ErrUnavailable
	}
	if err := call(); err != nil || o == answered {
		return err
	}
	return session.ErrUnavailable
}

func (f *flaky) Create(ctx context.Context, s session.Session) error {
	f.created = s.ID
	return f.write.through(func() error { return f.Store.Create(ctx, s) })
}

func (f *flaky) RevokeSubject(ctx context.Context, subject string, at time.Time) error {
	return f.write.through(func() error { return f.Store.RevokeSubject(ctx, subject, at) })
}

func (f *flaky) RevokeToken(ctx context.Context, t session.TokenRevocation) error {
	return f.write.through(func() error { return f.Store.RevokeToken(ctx, t) })
}

func (f *flaky) RaiseAuthz(ctx context.Context, subject string, version int64) error {
	return f.write.through(func() error { return f.Store.RaiseAuthz(ctx, subject, version) })
}

func (f *flaky) Rotate(ctx context.Context, r session.Rotation) (s session.Session, done bool, err error) {
	err = f.rotate.through(func() error { s, done, err = f.Store.Rotate(ctx, r); return err })
	return s, done, err
}

func (f *flaky) Revoke(ctx context.Context, r session.Ending) (found bool, err error) {
	err = f.revoke.through(func() error { found, err = f.Store.Revoke(ctx, r); return err })
	return found, err
}

func (f *flaky) State(ctx context.Context, q session.Query) (state session.State, err error) {
	err = f.state.through(func() error { state, err = f.Store.State(ctx, q); return err })
	return state, err
}

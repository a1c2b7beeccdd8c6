package auth

import (
	"context"
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/session"
)

// Administrator changes users on behalf of admins.
type Administrator struct {
	store Store
}

// NewAdministrator returns an Administrator. It panics when the store is nil.
func NewAdministrator(store Store) *Administrator {
	if store == nil {
		panic("auth: NewAdministrator needs a store")
	}
	return &Administrator{store: store}
}

// changeAttempts is how often a change of roles is tried when other changes come in between.
const changeAttempts = 3

// SetRoles gives the user exactly the roles. Access tokens of the user that were minted before stop
// working; a refresh brings one with the new roles. Setting the roles that the user has changes
// nothing. It returns ErrUserNotFound, and ErrChanged when other changes keep coming in between.
func (s *Administrator) SetRoles(ctx context.Context, id string, roles []string) (User, error) {
	return s.change(ctx, id, func([]string) []string { return roles })
}

// Grant gives the user one more role.
func (s *Administrator) Grant(ctx context.Context, id, role string) (User, error) {
	return s.change(ctx, id, func(roles []string) []string { return append(slices.Clone(roles), role) })
}

func (s *Administrator) change(ctx context.Context, id string, change func(roles []string) []string) (User, error) {
	var last error
	for range changeAttempts {
		before, err := s.User(ctx, id)
		if err != nil {
			return User{}, err
		}
		after := before
		after.Roles = normalRoles(change(before.Roles))
		if slices.Equal(after.Roles, before.Roles) {
			return before, nil
		}
		after.AuthzVersion++
		last = s.store.ReplaceRoles(ctx, before, after)
		switch {
		case last == nil:
			logRoles(ctx, before, after)
			metrics.From(ctx).TokenRevoked(ctx, string(session.Roles))
			return after, nil
		case errors.Is(last, ErrChanged):
		case errors.Is(last, ErrUserNotFound):
			return User{}, last
		default:
			logRoles(ctx, before, after, zap.String(logging.KeyOutcome, logging.OutcomeUnknown))
			return User{}, last
		}
	}
	return User{}, last
}

// logRoles logs a change of roles, even if the response of the store was lost: a repeated request finds the
// roles set, changes nothing and logs nothing.
func logRoles(ctx context.Context, before, after User, fields ...zap.Field) {
	logEvent(ctx, rolesSet, append(fields, zap.String(logging.KeySubject, after.ID),
		zap.Strings(logging.KeyRolesBefore, before.Roles), zap.Strings(logging.KeyRoles, after.Roles))...)
}

// Unlocker unlocks users on behalf of admins.
type Unlocker struct {
	users         *Administrator
	logins, pairs ratelimit.Limiter
}

// NewUnlocker returns an Unlocker; logins is LoginLimits.Account, and pairs LoginLimits.Pair. It panics when
// something is missing.
func NewUnlocker(store Store, logins, pairs ratelimit.Limiter) *Unlocker {
	if logins == nil || pairs == nil {
		panic("auth: NewUnlocker needs two limiters")
	}
	return &Unlocker{users: NewAdministrator(store), logins: logins, pairs: pairs}
}

// Unlock resets the failed attempts of the user at all addresses, and the limits of unknown and of known ones: the
// user can try again at once. It returns ErrUserNotFound. An unlock that fails may have been made in part, and is
// logged too.
func (s *Unlocker) Unlock(ctx context.Context, id string) error {
	u, err := s.users.User(ctx, id)
	if err != nil {
		return err
	}
	var fields []zap.Field
	if err = s.reset(ctx, u); err != nil {
		fields = append(fields, zap.String(logging.KeyOutcome, logging.OutcomeUnknown))
	}
	logEvent(ctx, unlocked, append(fields, zap.String(logging.KeySubject, u.ID))...)
	return err
}

// reset resets the limits before the attempts, because the attempts name the addresses: after a failure, a repeated
// request finds them all again.
func (s *Unlocker) reset(ctx context.Context, u User) error {
	store := s.users.store
	if err := s.logins.Reset(ctx, AccountSubject(u.Identifier)); err != nil {
		return err
	}
	err := each(ctx, store.KnownAddresses, u.Identifier, func(ctx context.Context, address string) error {
		return s.logins.Reset(ctx, pairSubject(u.Identifier, address))
	})
	if err != nil {
		return err
	}
	err = each(ctx, store.TriedAddresses, u.Identifier, func(ctx context.Context, address string) error {
		return s.pairs.Reset(ctx, pairSubject(u.Identifier, address))
	})
	if err != nil {
		return err
	}
	return store.ResetAttempts(ctx, u.Identifier, changeName(u.ID))
}

// User returns the user, or ErrUserNotFound. An id that is not a ULID does not reach the store.
func (s *Administrator) User(ctx context.Context, id string) (User, error) {
	id, ok := api.ULID(id)
	if !ok {
		return User{}, ErrUserNotFound
	}
	return s.store.User(ctx, id)
}

// Lookup returns the session.UserLookup that reads users from the store.
func Lookup(store Store) session.UserLookup {
	return func(ctx context.Context, subject string) (session.User, error) {
		u, err := store.User(ctx, subject)
		if ignore(err, ErrUserNotFound) != nil {
			return session.User{}, err
		}
		if err != nil {
			return session.User{}, session.ErrInvalidGrant.WithCause(err)
		}
		return session.User{Subject: u.ID, Roles: u.Roles, AuthzVersion: u.AuthzVersion}, nil
	}
}

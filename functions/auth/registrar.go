package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
)

// hasher makes hashes of passwords (password.Hasher).
type hasher interface {
	Hash(ctx context.Context, password string) (string, error)
}

// Registrar registers users.
type Registrar struct {
	store     Store
	passwords hasher
	limit     ratelimit.Limiter
	key       func(context.Context) []byte
	now       func() time.Time
}

// NewRegistrar returns a Registrar; limit counts how often each e-mail address is registered, key returns the key of
// identifiers, now the time. It panics when something is missing.
func NewRegistrar(store Store, passwords hasher, limit ratelimit.Limiter, key func(context.Context) []byte, now func() time.Time) *Registrar {
	if store == nil || passwords == nil || limit == nil || key == nil || now == nil {
		panic("auth: NewRegistrar needs a store, a hasher, a limiter, a key and a clock")
	}
	return &Registrar{store: store, passwords: passwords, limit: limit, key: key, now: now}
}

// Register adds a user with the role customer. When the address is taken it returns ErrEmailExists, after
// it has hashed the password all the same. It returns 429 with Retry-After for an address that was tried too often.
func (s *Registrar) Register(ctx context.Context, email, password, name string) (_ Registration, err error) {
	identifier := Identifier(s.key(ctx), email)
	counted, err := s.limit.Take(ctx, AccountSubject(identifier), 1)
	if err == nil {
		err = ratelimithttp.Deny(counted)
	}
	if err != nil {
		return Registration{}, err
	}
	defer func() {
		if err != nil && !errors.Is(err, ErrEmailExists) { // an outage counts for nothing
			if lost := s.limit.Refund(context.WithoutCancel(ctx), counted); lost != nil {
				logging.From(ctx).Warn("registration not given back to its limit", logging.Error(lost))
			}
		}
	}()
	hash, err := s.passwords.Hash(ctx, password)
	if err != nil {
		return Registration{}, err
	}
	now := milliseconds(s.now())
	r := Registration{
		Credentials: Credentials{
			User: User{
				ID:           ulid.MustNew(ulid.Timestamp(now), rand.Reader).String(),
				Identifier:   identifier,
				Roles:        []string{policy.RoleCustomer},
				AuthzVersion: 1,
				CreatedAt:    now,
			},
			PasswordHash:      hash,
			PasswordChangedAt: now,
		},
		Email: email,
		Name:  name,
	}
	if err := s.store.Register(ctx, r); err != nil {
		return Registration{}, err
	}
	metrics.From(ctx).UserRegistered(ctx)
	metrics.From(ctx).Customer(ctx, metrics.Created)
	return r, nil
}

// milliseconds returns the time as users carry it: UTC, to the millisecond.
func milliseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

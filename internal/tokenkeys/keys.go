// Package tokenkeys opens the keys of tokens and of identifiers. Each has its own function here,
// because a function may read only the secrets that it uses. Only mains and package sessions import it.
package tokenkeys

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/internal/secret"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/secrets"
	"github.com/tienda-dev/tienda/shared/session"
)

// accessConfig is the environment of a function that mints or verifies access tokens.
type accessConfig struct {
	// Keys says where the token keys are: an ARN of Secrets Manager, file:/path, or their JSON.
	Keys   string `env:"TOKEN_KEYS_SECRET,required,notEmpty"`
	Tokens jwt.Config
}

// refreshConfig is the environment of a function that mints or reads refresh tokens.
type refreshConfig struct {
	// Keys says where the refresh keys are, as accessConfig.Keys does.
	Keys   string `env:"REFRESH_KEYS_SECRET,required,notEmpty"`
	Tokens jwt.RefreshConfig
}

// identifierConfig is the environment of a function that finds users by their e-mail address.
type identifierConfig struct {
	// Key says where the identifier key is, as accessConfig.Keys does.
	Key string `env:"IDENTIFIER_KEY_SECRET,required,notEmpty"`
}

// Open returns the keys of both kinds of tokens, for functions that mint them. It refuses a key that
// is in both secrets.
func Open(ctx context.Context, s *app.Setup) (session.Keys, error) {
	access, err := openAccess(ctx, s, newSigner)
	if err != nil {
		return session.Keys{}, err
	}
	refresh, err := openRefresh(ctx, s, newRefreshing)
	if err != nil {
		return session.Keys{}, err
	}
	s.Load(separate(access, refresh))
	return session.Keys{
		Access:  func(ctx context.Context) *jwt.Signer { return access.Get(ctx).made },
		Refresh: func(ctx context.Context) *jwt.RefreshSigner { return refresh.Get(ctx).made.signer },
		Verify:  func(ctx context.Context) *jwt.RefreshVerifier { return refresh.Get(ctx).made.reader },
	}, nil
}

// OpenReaders returns a function that verifies an access token, as Verify does, and one that reads a refresh
// token. Public keys are enough. It refuses a key that is in both secrets.
func OpenReaders(ctx context.Context, s *app.Setup) (
	access func(context.Context, string) (identity.Identity, error), refresh func(context.Context, string) (jwt.Refresh, error), err error,
) {
	accessKeys, err := openAccess(ctx, s, newVerifier)
	if err != nil {
		return nil, nil, err
	}
	refreshKeys, err := openRefresh(ctx, s, newReader)
	if err != nil {
		return nil, nil, err
	}
	s.Load(separate(accessKeys, refreshKeys))
	return verify(accessKeys), func(ctx context.Context, token string) (jwt.Refresh, error) {
		return refreshKeys.Get(ctx).made.Verify(token)
	}, nil
}

// separate reads both secrets in parallel and refuses keys that are in both.
func separate[A, R any](access *secrets.Secret[keyed[A]], refresh *secrets.Secret[keyed[R]]) func(context.Context) error {
	return func(ctx context.Context) error {
		group, loading := errgroup.WithContext(ctx)
		group.Go(func() error { return access.Load(loading) })
		group.Go(func() error { return refresh.Load(loading) })
		if err := group.Wait(); err != nil {
			return err
		}
		return jwt.Separate(access.Get(ctx).keys, refresh.Get(ctx).keys)
	}
}

// keyed holds a value made from keys, and the keys, because separate compares them.
type keyed[T any] struct {
	keys jwt.Keys
	made T
}

func newSigner(cfg jwt.Config, keys jwt.Keys) (*jwt.Signer, error) {
	return jwt.NewSigner(cfg, keys, time.Now)
}

func newVerifier(cfg jwt.Config, keys jwt.Keys) (*jwt.Verifier, error) {
	return jwt.NewVerifier(cfg, keys, time.Now)
}

func newReader(cfg jwt.RefreshConfig, keys jwt.Keys) (*jwt.RefreshVerifier, error) {
	return jwt.NewRefreshVerifier(cfg, keys, time.Now)
}

// refreshing mints and reads refresh tokens.
type refreshing struct {
	reader *jwt.RefreshVerifier
	signer *jwt.RefreshSigner
}

func newRefreshing(cfg jwt.RefreshConfig, keys jwt.Keys) (r refreshing, err error) {
	if r.reader, err = newReader(cfg, keys); err != nil {
		return r, err
	}
	r.signer, err = jwt.NewRefreshSigner(cfg, keys)
	return r, err
}

// openAccess returns the secret of the access keys, decoded into a T.
func openAccess[T any](ctx context.Context, s *app.Setup, build func(jwt.Config, jwt.Keys) (T, error)) (*secrets.Secret[keyed[T]], error) {
	var cfg accessConfig
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	return openKeys(ctx, s, "TOKEN_KEYS_SECRET", cfg.Keys, func(keys jwt.Keys) (T, error) { return build(cfg.Tokens, keys) })
}

// openRefresh returns the secret of the refresh keys, decoded into a T.
func openRefresh[T any](ctx context.Context, s *app.Setup, build func(jwt.RefreshConfig, jwt.Keys) (T, error)) (*secrets.Secret[keyed[T]], error) {
	var cfg refreshConfig
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	return openKeys(ctx, s, "REFRESH_KEYS_SECRET", cfg.Keys, func(keys jwt.Keys) (T, error) { return build(cfg.Tokens, keys) })
}

// openKeys returns a secret of keys, decoded into a T. Its Load must run before its Get.
func openKeys[T any](ctx context.Context, s *app.Setup, name, value string, build func(jwt.Keys) (T, error)) (*secrets.Secret[keyed[T]], error) {
	return secret.New(ctx, s, name, value, func(text []byte) (k keyed[T], err error) {
		if k.keys, err = jwt.ParseKeys(text); err != nil {
			return k, err
		}
		k.made, err = build(k.keys)
		return k, err
	})
}

// Verify returns a function that verifies an access token. It does not check revocation: that is
// session.Checker.Check.
func Verify(ctx context.Context, s *app.Setup) (func(context.Context, string) (identity.Identity, error), error) {
	access, err := openAccess(ctx, s, newVerifier)
	if err != nil {
		return nil, err
	}
	s.Load(access.Load)
	return verify(access), nil
}

func verify(access *secrets.Secret[keyed[*jwt.Verifier]]) func(context.Context, string) (identity.Identity, error) {
	return func(ctx context.Context, token string) (identity.Identity, error) {
		return access.Get(ctx).made.Verify(token)
	}
}

// Public returns a function that returns the public keys of access tokens.
func Public(ctx context.Context, s *app.Setup) (func(context.Context) jwt.JWKS, error) {
	public, err := openAccess(ctx, s, func(_ jwt.Config, keys jwt.Keys) (jwt.JWKS, error) { return jwt.PublicKeys(keys), nil })
	if err != nil {
		return nil, err
	}
	s.Load(public.Load)
	return func(ctx context.Context) jwt.JWKS { return public.Get(ctx).made }, nil
}

// Identifier returns the key of identifiers, as decode reads it from the secret. The key never changes, because
// the key of every user's item is made with it.
func Identifier(ctx context.Context, s *app.Setup, decode func(text []byte) ([]byte, error)) (func(context.Context) []byte, error) {
	var cfg identifierConfig
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	key, err := secret.New(ctx, s, "IDENTIFIER_KEY_SECRET", cfg.Key, decode)
	if err != nil {
		return nil, err
	}
	s.Load(key.Load)
	return key.Get, nil
}

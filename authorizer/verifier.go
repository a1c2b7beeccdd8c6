package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/shared/authorizer"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/secrets"
	"github.com/tienda-dev/tienda/shared/secrets/secretsaws"
)

// openVerifier reads the token keys and returns the check of a token's signature and claims. The
// keys are read again when they may have been rotated.
func openVerifier(ctx context.Context, cfg config) (authorizer.VerifierFunc, error) {
	source, err := secrets.ParseSource("TOKEN_KEYS_SECRET", cfg.Keys)
	if err != nil {
		return nil, err
	}
	client, err := secretsaws.New(cfg.Secrets)
	if err != nil {
		return nil, err
	}
	newVerifier := func(secret []byte) (*jwt.Verifier, error) {
		keys, err := jwt.ParseKeys(secret)
		if err != nil {
			return nil, err
		}
		return jwt.NewVerifier(cfg.Tokens, keys, time.Now)
	}
	verifier, err := secrets.Open(ctx, source, client, newVerifier, secrets.Config{})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, token string) (identity.Identity, error) {
		return verifier.Get(ctx).Verify(token)
	}, nil
}

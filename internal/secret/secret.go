// Package secret makes the secrets of a function from its environment. It has a package of its own because
// only functions that read a secret link a client of Secrets Manager.
package secret

import (
	"context"
	"fmt"

	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/secrets"
	"github.com/tienda-dev/tienda/shared/secrets/secretsaws"
)

// New returns the secret to which value, the value of the variable called name, points: an ARN of Secrets
// Manager, file:/path, or its JSON. The caller adds its Load to the loads of the Setup; Get works in requests.
func New[T any](ctx context.Context, s *app.Setup, name, value string, decode func([]byte) (T, error)) (*secrets.Secret[T], error) {
	source, err := secrets.ParseSource(name, value)
	if err != nil {
		return nil, err
	}
	var cfg secretsaws.Config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	if cfg.HTTP, err = process.HTTP(ctx); err != nil {
		return nil, err
	}
	client, err := secretsaws.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return secrets.New(source, client, decode, secrets.Config{})
}

// Package cursors opens the keys that seal page cursors. It stands apart from backend because
// only the functions that page link a Secrets Manager client and may read the secret.
package cursors

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/secrets"
	"github.com/tienda-dev/tienda/shared/secrets/secretsaws"
)

// Config is the environment of a function that pages.
type Config struct {
	// Keys says where the cursor keys are: an ARN of Secrets Manager, file:/path, or their JSON.
	Keys string `env:"CURSOR_KEY_SECRET,required,notEmpty"`

	AWS secretsaws.Config
}

// Open reads the keys and returns the sealer, which is made anew when the secret changes.
func Open(ctx context.Context, s *app.Setup) (*secrets.Secret[*page.Sealer], error) {
	var cfg Config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	source, err := secrets.ParseSource("CURSOR_KEY_SECRET", cfg.Keys)
	if err != nil {
		return nil, err
	}
	client, err := secretsaws.New(cfg.AWS)
	if err != nil {
		return nil, err
	}
	return secrets.Open(ctx, source, client, newSealer, secrets.Config{})
}

func newSealer(secret []byte) (*page.Sealer, error) {
	keys, err := page.ParseKeys(secret)
	if err != nil {
		return nil, err
	}
	return page.NewSealer(keys, time.Now)
}

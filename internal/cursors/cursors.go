// Package cursors opens the keys that seal the cursors of lists.
package cursors

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/internal/secret"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/secrets"
)

type config struct {
	// Keys says where the cursor keys are: an ARN of Secrets Manager, file:/path, or their JSON.
	Keys string `env:"CURSOR_KEY_SECRET,required,notEmpty"`
}

// Open returns the sealer. A load of s reads its keys; a refresh of the secret makes a new sealer.
func Open(ctx context.Context, s *app.Setup) (*secrets.Secret[*page.Sealer], error) {
	var cfg config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	sealer, err := secret.New(ctx, s, "CURSOR_KEY_SECRET", cfg.Keys, newSealer)
	if err != nil {
		return nil, err
	}
	s.Load(sealer.Load)
	return sealer, nil
}

func newSealer(text []byte) (*page.Sealer, error) {
	keys, err := page.ParseKeys(text)
	if err != nil {
		return nil, err
	}
	return page.NewSealer(keys, time.Now)
}

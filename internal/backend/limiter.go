package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/secret"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitddb"
	"github.com/tienda-dev/tienda/shared/secrets"
)

type config struct {
	ratelimit.Switches
	// Table is the name of the table that holds the counters.
	Table string `env:"RATELIMIT_TABLE"`
	// Key says where the key is that hashes the subjects: an ARN of Secrets Manager, file:/path, or its JSON.
	Key string `env:"LIMITER_KEY_SECRET"`
}

// Limiter returns a limiter of the policies on the table of all functions, with the operator's switches. A Setup's
// load reads the key. The policies' names and versions name the counters, so two functions can share them.
func Limiter(ctx context.Context, s *app.Setup, policies []ratelimit.Policy, onError ratelimit.Mode) (ratelimit.Limiter, error) {
	var cfg config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	for _, name := range slices.Concat(cfg.Off, cfg.Shadow) {
		if !policy.Known(name) { // not an error: it would be an outage
			s.Logger().Warn("unknown rate limit policy", zap.String("policy", name))
		}
	}
	policies = cfg.Apply(policies)
	if len(policies) == 0 {
		return ratelimit.Disabled(), nil
	}
	if cfg.Table == "" {
		return nil, errors.New("environment: RATELIMIT_TABLE is not set")
	}
	key, err := process.Once(ctx, keyName{}, func() (*secrets.Secret[[]byte], error) { return openKey(ctx, s, cfg.Key) })
	if err != nil {
		return nil, err
	}
	client, err := tables.Client(ctx, s)
	if err != nil {
		return nil, err
	}
	store, err := ratelimitddb.New(client, cfg.Table, func(ctx context.Context) ([]byte, error) { return key.Get(ctx), nil },
		policies, ratelimitddb.Config{Now: time.Now})
	if err != nil {
		return nil, err
	}
	breaker, err := process.Once(ctx, breakerName{}, func() (*ratelimit.Breaker, error) { return ratelimit.NewBreaker(), nil })
	if err != nil {
		return nil, err
	}
	return ratelimit.NewGuard(store, ratelimit.GuardConfig{OnError: onError, Breaker: breaker, Observe: observe(policies)})
}

type (
	keyName     struct{}
	breakerName struct{}
)

// openKey returns the secret with the key. A load of s reads it.
func openKey(ctx context.Context, s *app.Setup, value string) (*secrets.Secret[[]byte], error) {
	key, err := secret.New(ctx, s, "LIMITER_KEY_SECRET", value, parseKey)
	if err != nil {
		return nil, err
	}
	s.Load(key.Load)
	return key, nil
}

var errKey = fmt.Errorf("backend: the key of the rate limits must be a JSON object whose member key has %d bytes or more", ratelimitddb.MinKey)

// parseKey reads the secret with the key: one JSON object whose member "key" is random text of ratelimitddb.MinKey
// bytes or more. Its error never contains the secret.
func parseKey(text []byte) ([]byte, error) {
	keys, err := secrets.List[struct {
		Key string `json:"key"`
	}](text)
	if err != nil || len(keys) != 1 || len(keys[0].Key) < ratelimitddb.MinKey {
		return nil, errKey
	}
	return []byte(keys[0].Key), nil
}

package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/internal/observe"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/secret"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
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

// Where a failure of the store refuses the request, the store may take longer, and an instance notices earlier that an
// admin has reset a limit (docs/security.md).
const (
	closedBudget        = 500 * time.Millisecond
	closedConnectBudget = time.Second
	closedDenyCap       = 2 * time.Second
)

// Limiter returns a limiter of the policies on the table of all functions, with the operator's switches. A Setup's
// load reads the key. The policies' names and versions name the counters, so two functions can share them.
func Limiter(ctx context.Context, s *app.Setup, policies []ratelimit.Policy, onError ratelimit.Mode) (ratelimit.Limiter, error) {
	store, err := Counter(ctx, s, policies)
	if err != nil || len(store.Policies()) == 0 {
		return store, err
	}
	breaker, err := process.Once(ctx, breakerName{}, func() (*ratelimit.Breaker, error) { return ratelimit.NewBreaker(), nil })
	if err != nil {
		return nil, err
	}
	guard := ratelimit.GuardConfig{OnError: onError, Breaker: breaker, Observe: observe.Decisions(store.Policies())}
	if onError == ratelimit.Closed { // a late answer is better than a refusal
		guard.Budget, guard.ConnectBudget, guard.DenyCap = closedBudget, closedConnectBudget, closedDenyCap
	}
	return ratelimit.NewGuard(store, guard)
}

// LoginLimits returns the limiters of policy.LoginAccount, policy.LoginAccountAddress and policy.LoginAddress.
func LoginLimits(ctx context.Context, s *app.Setup) (account, pair, address ratelimit.Limiter, err error) {
	account, accountErr := ofClass(ctx, s, policy.RateLogin, policy.LoginAccount())
	pair, pairErr := ofClass(ctx, s, policy.RateLogin, policy.LoginAccountAddress())
	address, addressErr := ofClass(ctx, s, policy.RateLogin, policy.LoginAddress())
	return account, pair, address, errors.Join(accountErr, pairErr, addressErr)
}

// LoginAccount returns the Counters of policy.LoginAccount and policy.LoginAccountAddress. A Guard's budget is too short for
// admins, who can wait.
func LoginAccount(ctx context.Context, s *app.Setup) (account, pair ratelimit.Limiter, err error) {
	account, accountErr := Counter(ctx, s, policy.LoginAccount())
	pair, pairErr := Counter(ctx, s, policy.LoginAccountAddress())
	return account, pair, errors.Join(accountErr, pairErr)
}

// RegisterAccount returns the limiter of policy.RegisterAccount.
func RegisterAccount(ctx context.Context, s *app.Setup) (ratelimit.Limiter, error) {
	return ofClass(ctx, s, policy.RateRegister, policy.RegisterAccount())
}

// RefreshSession returns the limiter of policy.RefreshSession.
func RefreshSession(ctx context.Context, s *app.Setup) (ratelimit.Limiter, error) {
	return ofClass(ctx, s, policy.RateToken, policy.RefreshSession())
}

// ofClass returns a limiter of a handler, which fails as the routes of its class do.
func ofClass(ctx context.Context, s *app.Setup, rate api.Rate, policies []ratelimit.Policy) (ratelimit.Limiter, error) {
	class, _ := policy.ClassOf(rate) // without one, the mode is refused
	return Limiter(ctx, s, policies, class.OnError)
}

// Counter returns the limiter that Limiter guards: for admins, who must see what the table has, and not what an
// instance remembers. Its errors are the table's.
func Counter(ctx context.Context, s *app.Setup, policies []ratelimit.Policy) (ratelimit.Limiter, error) {
	cfg, err := process.Once(ctx, configName{}, func() (config, error) { return readConfig(s) })
	if err != nil {
		return nil, err
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
	get := func(ctx context.Context) ([]byte, error) {
		if key := key.Get(ctx); key != nil {
			return key, nil
		}
		return nil, errNoKey
	}
	limiter, err := ratelimitddb.New(client, cfg.Table, get, policies, ratelimitddb.Config{Now: time.Now})
	if err != nil {
		return nil, err
	}
	// The limiter and the handler ask at the same time, so INIT opens a connection for each (see tables.Open).
	_, err = process.Once(ctx, warmName{}, func() (bool, error) { s.OnInit(limiter.Warm); return true, nil })
	return limiter, err
}

func readConfig(s *app.Setup) (config, error) {
	var cfg config
	if err := s.Env(&cfg); err != nil {
		return config{}, err
	}
	for _, name := range slices.Concat(cfg.Off, cfg.Shadow) {
		if !policy.Known(name) { // not an error: it would be an outage
			s.Logger().Warn("unknown rate limit policy", zap.String("policy", name))
		}
	}
	return cfg, nil
}

type (
	configName  struct{}
	keyName     struct{}
	breakerName struct{}
	warmName    struct{}
)

// keyTimeout is how long INIT waits for a key that the route can serve without.
const keyTimeout = 2 * time.Second

// openKey returns the secret with the key. A load of s reads it. Where a failure of the limits serves the request, so does
// one of their key: requests are not counted until one of them has read it.
func openKey(ctx context.Context, s *app.Setup, value string) (*secrets.Secret[[]byte], error) {
	key, err := secret.New(ctx, s, "LIMITER_KEY_SECRET", value, parseKey)
	if err != nil {
		return nil, err
	}
	class, _ := policy.ClassOf(s.Route().Rate)
	if class.OnError != ratelimit.Open {
		s.Load(key.Load)
		return key, nil
	}
	s.Load(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, keyTimeout)
		defer cancel()
		if err := key.Load(ctx); err != nil {
			s.Logger().Warn("rate limits without their key", zap.Error(err))
		}
		return nil
	})
	return key, nil
}

var errNoKey = errors.New("backend: the key of the rate limits could not be read yet")

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

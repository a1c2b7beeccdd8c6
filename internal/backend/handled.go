package backend

import (
	"context"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// LoginLimits returns the limiters of wrong passwords, per account and per address. They deny when their store fails.
func LoginLimits(ctx context.Context, s *app.Setup) (account, address ratelimit.Limiter, err error) {
	if account, err = Limiter(ctx, s, policy.LoginAccount(), ratelimit.Closed); err != nil {
		return nil, nil, err
	}
	address, err = Limiter(ctx, s, policy.LoginAddress(), ratelimit.Closed)
	return account, address, err
}

// RegisterLimit returns the limiter of the registrations of an e-mail address. It denies when its store fails.
func RegisterLimit(ctx context.Context, s *app.Setup) (ratelimit.Limiter, error) {
	return Limiter(ctx, s, policy.RegisterAccount(), ratelimit.Closed)
}

// RefreshLimit returns the limiter of a user's refreshes. It denies when its store fails.
func RefreshLimit(ctx context.Context, s *app.Setup) (ratelimit.Limiter, error) {
	return Limiter(ctx, s, policy.RefreshUser(), ratelimit.Closed)
}

// Package stripe opens the payment provider of a function.
package stripe

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/secret"
	"github.com/tienda-dev/tienda/shared/app"
)

type config struct {
	paymentsstripe.Config

	// Keys says where the API key and the webhook secrets are: an ARN of Secrets Manager, file:/path, or their JSON.
	Keys string `env:"STRIPE_SECRET,required,notEmpty"`
}

// Open returns Stripe. A load of s reads its keys; a refresh of the secret replaces them.
func Open(ctx context.Context, s *app.Setup) (paymentsstripe.Live, error) {
	var cfg config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	aws, err := process.HTTP(ctx)
	if err != nil {
		return nil, err
	}
	// The same connections, without AWS's time-out: an authorisation takes longer.
	cfg.HTTP = &http.Client{Transport: aws.Transport, CheckRedirect: aws.CheckRedirect}
	client, err := secret.New(ctx, s, "STRIPE_SECRET", cfg.Keys, func(text []byte) (*paymentsstripe.Client, error) {
		keys, err := paymentsstripe.ParseKeys(text)
		if err != nil {
			return nil, err
		}
		return paymentsstripe.New(cfg.Config, keys)
	})
	if err != nil {
		return nil, err
	}
	s.Load(client.Load)
	return client.Get, nil
}

package stack

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
	"github.com/tienda-dev/tienda/local/simulator"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/local/token"
)

const (
	// EnvStripe is the variable with the URL of Stripe, for the functions that declare it.
	EnvStripe = "STRIPE_BASE_URL"
	// StripeWebhook is the path of the API's route that Stripe notifies.
	StripeWebhook = "/v1/webhooks/stripe"

	stripeSecret = "StripeSecret"
	stripeLedger = "stripe.json"
)

// simulate starts the simulated Stripe for a template with its secret, unless Env names another one. It notifies the API
// at url. Its ledger lasts as long as the tables do.
func (s *Stack) simulate(ctx context.Context, opts *Options, url string) error {
	if s.Stripe = opts.Env[EnvStripe]; s.Stripe != "" || !HasStripe(s.Template) {
		return nil
	}
	cfg := simulator.Config{
		Keys:   StripeKeys(s.cacheDir),
		Client: &http.Client{Transport: &http.Transport{}}, // connections of its own, which Close ends
	}
	if opts.Data != "" {
		cfg.File = filepath.Join(opts.Data, stripeLedger)
	}
	sim, err := simulator.New(cfg)
	if err != nil {
		return err
	}
	sim.Notify(url + StripeWebhook)
	listeners, err := Listen(ctx, "")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listeners[0]) }() // it ends when the server is closed below
	s.stops = append(s.stops, func() {
		_ = server.Close()
		sim.Close()
	})
	s.Stripe = "http://" + listeners[0].Addr().String()
	opts.Env = maps.Clone(opts.Env)
	if opts.Env == nil {
		opts.Env = map[string]string{}
	}
	opts.Env[EnvStripe] = s.Stripe
	return nil
}

// HasStripe reports whether the template has the secret of Stripe.
func HasStripe(t *template.Template) bool {
	return slices.ContainsFunc(t.Secrets, func(secret template.Secret) bool { return secret.LogicalID == stripeSecret })
}

// StripeKeys reads the secret of the cache folder for each request, because it may be replaced.
func StripeKeys(cacheDir string) func() (string, []string, error) {
	path := token.Path(cacheDir, stripeSecret)
	return func() (string, []string, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", nil, fmt.Errorf("read the local secret %s: %w", stripeSecret, err)
		}
		keys, err := paymentsstripe.ParseKeys(text)
		return keys.API, keys.Webhooks, err
	}
}

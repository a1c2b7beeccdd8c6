package sam

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/local/simulator"
	"github.com/tienda-dev/tienda/local/stack"
)

// serveStripe serves the simulated Stripe where containers reach it, for a template with its secret.
func (d *Data) serveStripe(ctx context.Context) error {
	d.stopStripe = func() {}
	if !stack.HasStripe(d.cli.template) {
		return nil
	}
	var err error
	d.stripe, err = simulator.New(simulator.Config{
		Keys:   stack.StripeKeys(d.cli.cacheDir()),
		Client: &http.Client{Transport: &http.Transport{}}, // connections of its own, which Close ends
	})
	if err != nil {
		return err
	}
	listeners, err := listenForContainers(ctx)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: d.stripe, ReadHeaderTimeout: 10 * time.Second}
	var running sync.WaitGroup
	for _, l := range listeners {
		running.Go(func() { _ = server.Serve(l) }) // it ends when the server is closed below
	}
	d.stopStripe = func() {
		_ = server.Close()
		running.Wait()
		d.stripe.Close()
	}
	d.Stripe = "http://" + listeners[0].Addr().String()
	return nil
}

// NotifyStripe lets the simulated Stripe notify the API at the URL.
func (d *Data) NotifyStripe(url string) {
	if d.stripe != nil {
		d.stripe.Notify(url + stack.StripeWebhook)
	}
}

// Package demo walks one order through its life on a running API, as a customer, the shop's staff and a carrier do, and
// prints each step: a quote with a discount, the order, its payment, the parcel, its delivery and a refund.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Patience is how long the demo waits for what the functions behind the queues do.
const Patience = 30 * time.Second

// Config configures Run. Everything is required.
type Config struct {
	// URL is the API's, "http://localhost:3000".
	URL string
	// Token mints an access token for staff with a role.
	Token func(role string) (string, error)
	// Sign returns the value of the header Carrier-Signature for a carrier's body.
	Sign func(at time.Time, body []byte) string
	// Now is the clock.
	Now func() time.Time
	// Out receives the steps.
	Out io.Writer
}

// Run walks an order through its life. It stops at the first answer that is not the expected one.
func Run(ctx context.Context, cfg Config) error {
	if cfg.URL == "" || cfg.Token == nil || cfg.Sign == nil || cfg.Now == nil || cfg.Out == nil {
		return errors.New("demo: a URL, tokens, signatures, a clock and an output are required")
	}
	d := &demo{
		cfg: cfg, http: &http.Client{Timeout: timeout}, staff: map[string]string{},
		mark: strings.ToLower(rand.Text()[:8]),
	}
	defer d.http.CloseIdleConnections()
	for _, step := range []func(context.Context) error{
		d.login, d.prepare, d.quote, d.order, d.pay, d.ship, d.carry, d.track, d.refund, d.timeline,
	} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	return nil
}

// demo is one run: what the steps have found out so far.
type demo struct {
	cfg   Config
	http  *http.Client
	staff map[string]string // tokens by role
	// mark makes names of this run unique.
	mark string
	// customer is the customer's access token.
	customer string
	code     string
	quoted   quote
	ordered  order
	paid     payment
	parcel   shipment
}

// say prints a line about a step.
func (d *demo) say(step, format string, args ...any) {
	_, _ = fmt.Fprintf(d.cfg.Out, "%-22s %s\n", step, fmt.Sprintf(format, args...))
}

// as returns a token of staff with the role.
func (d *demo) as(role string) (string, error) {
	if have := d.staff[role]; have != "" {
		return have, nil
	}
	minted, err := d.cfg.Token(role)
	d.staff[role] = minted
	return minted, err
}

// await repeats a read until done, at most for Patience. what is the state that is waited for.
func (d *demo) await(ctx context.Context, what string, read func() (done bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	for {
		done, err := read()
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("%s: it did not happen within %s; the log of `make run` has the reason", what, Patience)
			}
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// orderIs waits until the order has a status, and keeps what was read.
func (d *demo) orderIs(ctx context.Context, what string, is func(order) bool) error {
	return d.await(ctx, what, func() (bool, error) {
		err := d.call(ctx, request{method: http.MethodGet, path: "/v1/orders/" + d.ordered.ID, token: d.customer}, http.StatusOK, &d.ordered)
		return is(d.ordered), err
	})
}

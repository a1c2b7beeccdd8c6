package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tienda-dev/tienda/shared/jwt"
)

// The defaults of Config, and the bounds.
const (
	// DefaultIdle is how long a session lives without a refresh.
	DefaultIdle = 7 * 24 * time.Hour
	// DefaultAbsolute is how long a session lives however often it is refreshed.
	DefaultAbsolute = 30 * 24 * time.Hour
	// DefaultRetryWindow is how long a refresh may be repeated: longer than a phone is without a network in
	// a lift, or a database in a failover.
	DefaultRetryWindow = time.Minute
	// MinRetryWindow is the shortest such time but 0: half of it is the store's.
	MinRetryWindow = 2 * time.Second
	// MaxRetryWindow is the longest such time: a stolen token can be used within it too.
	MaxRetryWindow = 5 * time.Minute
	// maxRefreshWait is the longest time that a refresh waits for the store.
	maxRefreshWait = 5 * time.Second
	// MinIdle is the shortest idle life.
	MinIdle = time.Minute
)

// Config says how long sessions live. Its zero value works.
type Config struct {
	// Idle is how long a session lives without a refresh, in whole seconds. 0 is DefaultIdle.
	Idle time.Duration `env:"SESSION_IDLE"`
	// Absolute is how long it lives however often it is refreshed, in whole seconds, at most
	// jwt.MaxRefreshTTL. 0 is DefaultAbsolute.
	Absolute time.Duration `env:"SESSION_ABSOLUTE"`
	// RetryWindow is how long after a refresh the token that it replaced gets the same successor
	// again, while that was never used: for a client whose answer was lost. Half of it, and at most 5 s, is
	// how long a refresh waits for the store. Nil is DefaultRetryWindow; from MinRetryWindow to
	// MaxRetryWindow, or 0, with which such a client loses its session.
	RetryWindow *time.Duration `env:"REFRESH_RETRY_WINDOW"`
	// OnEvent receives every event, for a security log. It must not block. Nil drops them.
	OnEvent func(context.Context, Event)
}

func (c Config) withDefaults() Config {
	if c.Idle == 0 {
		c.Idle = DefaultIdle
	}
	if c.Absolute == 0 {
		c.Absolute = max(DefaultAbsolute, c.Idle)
	}
	if c.RetryWindow == nil {
		c.RetryWindow = new(DefaultRetryWindow)
	}
	return c
}

func (c Config) validate() error {
	var wrong []error
	if c.Idle < MinIdle || c.Idle%time.Second != 0 {
		wrong = append(wrong, fmt.Errorf("SESSION_IDLE of %v is not whole seconds from %v on", c.Idle, MinIdle))
	}
	if c.Absolute < c.Idle || c.Absolute > jwt.MaxRefreshTTL || c.Absolute%time.Second != 0 {
		wrong = append(wrong, fmt.Errorf("SESSION_ABSOLUTE of %v is not whole seconds from SESSION_IDLE (%v) to %v", c.Absolute, c.Idle, jwt.MaxRefreshTTL))
	}
	if w := *c.RetryWindow; w != 0 && (w < MinRetryWindow || w > MaxRetryWindow) {
		wrong = append(wrong, fmt.Errorf("REFRESH_RETRY_WINDOW of %v is neither 0 nor from %v to %v", w, MinRetryWindow, MaxRetryWindow))
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

// Keys gives the signers and the verifier, at every use anew, so that rotated keys are followed:
// the method Get of a secrets.Secret fits.
type Keys struct {
	Access  func(context.Context) *jwt.Signer
	Refresh func(context.Context) *jwt.RefreshSigner
	Verify  func(context.Context) *jwt.RefreshVerifier
}

func (k Keys) complete() bool { return k.Access != nil && k.Refresh != nil && k.Verify != nil }

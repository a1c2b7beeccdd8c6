package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
)

// KnownFor is how long after a login its address is known for the account.
const KnownFor = 30 * 24 * time.Hour

// LoginLimits bound how many wrong passwords are answered. A limiter that fails must deny (ratelimit.Closed).
type LoginLimits struct {
	// Account counts the wrong passwords for an account from all unknown addresses together, and those from each known
	// address apart. Its policies must be refundable: a unit is taken before the password is checked, so that guesses
	// at once are counted, and given back unless the password is wrong.
	Account ratelimit.Limiter
	// Address counts the wrong passwords from an address for all accounts. It is asked before the password is checked,
	// and a unit is taken after a wrong one: right passwords at once never use up an office's units. Guesses at once can
	// get past it by as many as are in flight.
	Address ratelimit.Limiter
}

// NoLimits are for changes of passwords: the caller has a token, and the route's class limits the user.
func NoLimits() LoginLimits {
	return LoginLimits{Account: ratelimit.Disabled(), Address: ratelimit.Disabled()}
}

func (l LoginLimits) valid() bool {
	if l.Account == nil || l.Address == nil {
		return false
	}
	for _, p := range l.Account.Policies() {
		if !p.Refundable() {
			return false
		}
	}
	return true
}

// kindKnown is the kind of the subject of an account at a known address.
const kindKnown = "account-address"

// AccountSubject returns the subject under which LoginLimits.Account counts an identifier at unknown addresses.
func AccountSubject(identifier string) ratelimit.Subject {
	return ratelimit.NewSubject(ratelimithttp.KindAccount, identifier)
}

// knownSubject returns the subject of an account at a known address, of which it gets the AddressKey.
func knownSubject(identifier, address string) ratelimit.Subject {
	return ratelimit.NewSubject(kindKnown, identifier, address)
}

// client is the address of one login.
type client struct {
	// network is what ratelimithttp.IPKey counts.
	network string
	// key is the network's keyed hash for this account, which differs between accounts: the store shows nobody which
	// users share an address.
	key string
}

// clientOf returns the client of an attempt for the identifier. Addresses that cannot be read are one client.
func clientOf(key []byte, identifier, ip string) client {
	var c client
	if addr, err := netip.ParseAddr(ip); err == nil {
		c.network = ratelimithttp.Network(addr)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(ratelimit.NewSubject(kindKnown, identifier, c.network)))
	c.key = hex.EncodeToString(mac.Sum(nil))
	return c
}

// AddressKey returns Attempt.Address of a login for the identifier from the address ip.
func AddressKey(key []byte, identifier, ip string) string { return clientOf(key, identifier, ip).key }

func (c client) subject() ratelimit.Subject {
	return ratelimit.NewSubject(ratelimithttp.KindIP, c.network)
}

// mayGuess returns the error of an address that has sent too many wrong passwords.
func (a *PasswordLogin) mayGuess(ctx context.Context, c client) error {
	d, err := a.limits.Address.Peek(ctx, c.subject())
	if err != nil {
		return err
	}
	return ratelimithttp.Deny(d)
}

// takeGuess takes a unit of the account.
func (a *PasswordLogin) takeGuess(ctx context.Context, identifier string, c client, known bool) (ratelimit.Decision, error) {
	subject := AccountSubject(identifier)
	if known {
		subject = knownSubject(identifier, c.key)
	}
	d, err := a.limits.Account.Take(ctx, subject, 1)
	if err != nil {
		return d, err
	}
	return d, ratelimithttp.Deny(d)
}

// giveBack gives the unit back. One that is lost comes back with time.
func (a *PasswordLogin) giveBack(ctx context.Context, taken ratelimit.Decision) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	if err := a.limits.Account.Refund(limited, taken); err != nil {
		logging.From(ctx).Warn("login not given back to its limit", logging.Error(err))
	}
}

// spend takes a unit of the address after a wrong password. The answer is the same if it fails.
func (a *PasswordLogin) spend(ctx context.Context, c client) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	if _, err := a.limits.Address.Take(limited, c.subject(), 1); err != nil {
		logging.From(ctx).Warn("wrong password not counted for its address", logging.Error(err))
	}
}

// eachAtOnce is how many known addresses are changed in parallel.
const eachAtOnce = 8

// eachKnown calls change for every address that is or was known for the identifier.
func eachKnown(ctx context.Context, store Store, identifier string, change func(ctx context.Context, address string) error) error {
	addresses, err := store.KnownAddresses(ctx, identifier)
	if err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(eachAtOnce)
	for _, address := range addresses {
		group.Go(func() error { return change(groupCtx, address) })
	}
	return group.Wait()
}

// forget makes every address unknown: an attacker who had the old password may have made one known.
func (a *PasswordLogin) forget(ctx context.Context, identifier string) error {
	now := milliseconds(a.now())
	return eachKnown(ctx, a.store, identifier, func(ctx context.Context, address string) error {
		return a.store.Remember(ctx, identifier, address, now)
	})
}

// remember makes the address known, or known for longer. A login succeeds without that.
func (a *PasswordLogin) remember(ctx context.Context, identifier string, c client, until time.Time) {
	now := milliseconds(a.now())
	if until.Sub(now) > KnownFor/2 {
		return
	}
	if err := a.store.Remember(ctx, identifier, c.key, now.Add(KnownFor)); err != nil {
		logging.From(ctx).Warn("address of a login not remembered", logging.Error(err))
	}
}

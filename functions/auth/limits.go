package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
)

// KnownFor is how long after a login its address is known for the account.
const KnownFor = 30 * 24 * time.Hour

// LoginLimits bound how many wrong passwords are answered. A unit of each limit is taken before the password is
// checked, so that guesses at once are counted, and given back unless the password is wrong. So policies must be
// refundable. A limiter that fails must deny (ratelimit.Closed).
type LoginLimits struct {
	// Account counts the wrong passwords for an account from all unknown addresses together, and those from each known
	// address apart.
	Account ratelimit.Limiter
	// Pair counts the wrong passwords for an account from each unknown address, so that one address cannot use up what
	// the account has for all of them. Its policy allows far less than Account's.
	Pair ratelimit.Limiter
	// Address counts the wrong passwords from an address for all accounts. Right ones in flight hold units of it, so it
	// needs enough at once for an office.
	Address ratelimit.Limiter
}

// NoLimits are for changes of passwords: the caller has a token, and the route's class limits the user.
func NoLimits() LoginLimits {
	return LoginLimits{Account: ratelimit.Disabled(), Pair: ratelimit.Disabled(), Address: ratelimit.Disabled()}
}

func (l LoginLimits) valid() bool {
	for _, limiter := range []ratelimit.Limiter{l.Account, l.Pair, l.Address} {
		if limiter == nil || slices.ContainsFunc(limiter.Policies(), func(p ratelimit.Policy) bool { return !p.Refundable() }) {
			return false
		}
	}
	return true
}

// kindPair is the kind of the subject of an account at an address.
const kindPair = string(policy.ByAccountAddress)

// AccountSubject returns the subject under which LoginLimits.Account counts an identifier at unknown addresses.
func AccountSubject(identifier string) ratelimit.Subject {
	return ratelimit.NewSubject(ratelimithttp.KindAccount, identifier)
}

// pairSubject returns the subject of an account at an address, of which it gets the AddressKey. LoginLimits.Account
// counts it at known addresses, and LoginLimits.Pair at unknown ones.
func pairSubject(identifier, address string) ratelimit.Subject {
	return ratelimit.NewSubject(kindPair, identifier, address)
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
	mac.Write([]byte(ratelimit.NewSubject(kindPair, identifier, c.network)))
	c.key = hex.EncodeToString(mac.Sum(nil))
	return c
}

// AddressKey returns Attempt.Address of a login for the identifier from the address ip.
func AddressKey(key []byte, identifier, ip string) string { return clientOf(key, identifier, ip).key }

func (c client) subject() ratelimit.Subject {
	return ratelimit.NewSubject(ratelimithttp.KindIP, c.network)
}

// counted returns the units that a wrong password of the login costs.
func (a *PasswordLogin) counted(l login, known bool) []ratelimit.Request {
	address := ratelimit.Request{Limiter: a.limits.Address, Subject: l.client.subject(), Cost: 1}
	pair := pairSubject(l.identifier, l.client.key)
	if known {
		return []ratelimit.Request{address, {Limiter: a.limits.Account, Subject: pair, Cost: 1}}
	}
	return []ratelimit.Request{
		address,
		{Limiter: a.limits.Account, Subject: AccountSubject(l.identifier), Cost: 1},
		{Limiter: a.limits.Pair, Subject: pair, Cost: 1},
	}
}

// takeUnits takes all units or none. It returns 429 when a limit is used up.
func takeUnits(ctx context.Context, units []ratelimit.Request) (ratelimit.Decisions, error) {
	taken, err := ratelimit.TakeAll(ctx, units...)
	if err != nil {
		return nil, err
	}
	return taken, ratelimithttp.Deny(taken...)
}

// giveBack gives the units back. One that is lost comes back with time.
func giveBack(ctx context.Context, units []ratelimit.Request, taken ratelimit.Decisions) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	var refunds sync.WaitGroup
	for i, unit := range units {
		refunds.Go(func() {
			if err := unit.Limiter.Refund(limited, taken[i]); err != nil {
				logging.From(ctx).Warn("login not given back to its limit", logging.Error(err))
			}
		})
	}
	refunds.Wait()
}

// eachAtOnce is how many addresses are changed in parallel.
const eachAtOnce = 8

// each calls change for every address of the identifier that list returns.
func each(
	ctx context.Context, list func(ctx context.Context, identifier string) ([]string, error), identifier string,
	change func(ctx context.Context, address string) error,
) error {
	addresses, err := list(ctx, identifier)
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
	return each(ctx, a.store.KnownAddresses, identifier, func(ctx context.Context, address string) error {
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

package ratelimithttp

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// KeyFunc returns the subject of a request. It fails if the request does not say; Rule.Closed decides what happens then.
type KeyFunc func(r *http.Request) (ratelimit.Subject, error)

// The kinds of subjects, as in "ip" of NewSubject. An administrator who resets a subject builds it from these.
const (
	KindIP           = "ip"
	KindUser         = "user"
	KindEndpoint     = "endpoint"
	KindUserEndpoint = "user-endpoint"
	KindIPEndpoint   = "ip-endpoint"
	KindAccount      = "account"
	KindUnknown      = "unknown"
)

// errNoAddress is a request without a client address that can be read.
var errNoAddress = errors.New("ratelimithttp: the request has no client address that can be read")

// IPKey returns the key of the client's address: r.RemoteAddr, which lambdahttp takes from the event's request context
// and not from a header. An IPv6 client is its /64, which is what a provider gives one customer; an IPv4-mapped address is
// the IPv4 address, and zones do not count.
//
// If the connection comes from one of proxies, the client is the right-most address of X-Forwarded-For that is not one of
// them; the addresses before it are what the client says. Without proxies the header is not read.
func IPKey(proxies ...netip.Prefix) KeyFunc {
	return func(r *http.Request) (ratelimit.Subject, error) {
		addr, err := clientAddr(r, proxies)
		if err != nil {
			return "", err
		}
		return ratelimit.NewSubject(KindIP, Network(addr)), nil
	}
}

// UserKey returns the key of the authenticated user. Anonymous requests have the fallback's key, which is IPKey as a rule.
func UserKey(fallback KeyFunc) KeyFunc {
	return func(r *http.Request) (ratelimit.Subject, error) {
		if id, ok := identity.UserID(r.Context()); ok && id != "" {
			return ratelimit.NewSubject(KindUser, id), nil
		}
		return fallback(r)
	}
}

// EndpointKey returns the key of the endpoint: all clients share its limit. endpoint is a route's name.
func EndpointKey(endpoint string) KeyFunc {
	subject := ratelimit.NewSubject(KindEndpoint, endpoint)
	return func(*http.Request) (ratelimit.Subject, error) { return subject, nil }
}

// UserEndpointKey returns the key of the authenticated user at the endpoint. Anonymous requests have the fallback's key at
// the endpoint.
func UserEndpointKey(endpoint string, fallback KeyFunc) KeyFunc {
	return func(r *http.Request) (ratelimit.Subject, error) {
		if id, ok := identity.UserID(r.Context()); ok && id != "" {
			return ratelimit.NewSubject(KindUserEndpoint, id, endpoint), nil
		}
		subject, err := fallback(r)
		if err != nil {
			return "", err
		}
		return ratelimit.NewSubject(KindIPEndpoint, string(subject), endpoint), nil
	}
}

// AccountKey returns the subject of an account that somebody names who has not proved to own it: the address of a login,
// in the form in which it is stored. It fails if id is empty.
func AccountKey(id string) (ratelimit.Subject, error) {
	if id == "" {
		return "", errors.New("ratelimithttp: the account has no id")
	}
	return ratelimit.NewSubject(KindAccount, id), nil
}

// Network returns the part of an address that IPKey counts: an IPv4 address, or the /64 of an IPv6 address.
func Network(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	const customer = 64
	prefix, _ := addr.Prefix(customer) // fails for lengths above 128 only
	return prefix.String()
}

func clientAddr(r *http.Request, proxies []netip.Prefix) (netip.Addr, error) {
	addr, ok := parseAddr(r.RemoteAddr)
	if !ok {
		return netip.Addr{}, errNoAddress
	}
	if len(proxies) == 0 || !trusted(addr, proxies) {
		return addr, nil
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		hop = strings.TrimSpace(hop)
		if hop == "" {
			continue
		}
		if addr, ok = parseAddr(hop); !ok {
			return netip.Addr{}, errNoAddress
		}
		if !trusted(addr, proxies) {
			break
		}
	}
	return addr, nil
}

func trusted(addr netip.Addr, proxies []netip.Prefix) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// parseAddr reads an address, with a port and brackets or without.
func parseAddr(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		host, _, splitErr := net.SplitHostPort(s)
		if splitErr != nil {
			host = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
		}
		addr, err = netip.ParseAddr(host)
	}
	return addr.Unmap().WithZone(""), err == nil
}

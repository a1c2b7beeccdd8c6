package ratelimithttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
)

func TestIPKey(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ffff::/48")}
	for name, c := range map[string]struct {
		remote  string
		forward []string
		proxies []netip.Prefix
		want    string // "" is an error
	}{
		"IPv4":                {remote: "192.0.2.7:0", want: "192.0.2.7"},
		"WithoutPort":         {remote: "192.0.2.7", want: "192.0.2.7"},
		"IPv6":                {remote: "[2001:db8:1:2:3:4:5:6]:0", want: "2001:db8:1:2::/64"},
		"IPv6WithoutPort":     {remote: "2001:db8:1:2:ffff::1", want: "2001:db8:1:2::/64"},
		"IPv6InBrackets":      {remote: "[2001:db8:1:2::1]", want: "2001:db8:1:2::/64"},
		"Mapped":              {remote: "[::ffff:192.0.2.7]:0", want: "192.0.2.7"},
		"MappedInHex":         {remote: "[::ffff:c000:207]:443", want: "192.0.2.7"},
		"Zone":                {remote: "[fe80::1%eth0]:80", want: "fe80::/64"},
		"Empty":               {},
		"Garbage":             {remote: "@"},
		"HeaderOfTheClient":   {remote: "192.0.2.7:0", forward: []string{"198.51.100.1"}, want: "192.0.2.7"},
		"NotFromAProxy":       {remote: "192.0.2.7:0", forward: []string{"198.51.100.1"}, proxies: proxies, want: "192.0.2.7"},
		"Proxy":               {remote: "10.1.1.1:0", forward: []string{"198.51.100.1"}, proxies: proxies, want: "198.51.100.1"},
		"RightMostUntrusted":  {remote: "10.1.1.1:0", forward: []string{"203.0.113.9, 198.51.100.1, 10.9.9.9"}, proxies: proxies, want: "198.51.100.1"},
		"SeveralLines":        {remote: "10.1.1.1:0", forward: []string{"203.0.113.9", "198.51.100.1:4711"}, proxies: proxies, want: "198.51.100.1"},
		"MappedProxy":         {remote: "[::ffff:10.1.1.1]:0", forward: []string{"[2001:db8:1:2::3]:9"}, proxies: proxies, want: "2001:db8:1:2::/64"},
		"GarbageLeftOfClient": {remote: "10.1.1.1:0", forward: []string{"<script>, 198.51.100.1"}, proxies: proxies, want: "198.51.100.1"},
		"GarbageOfTheProxy":   {remote: "10.1.1.1:0", forward: []string{"198.51.100.1, unknown"}, proxies: proxies},
		"ProxiesOnly":         {remote: "10.1.1.1:0", forward: []string{"10.2.2.2"}, proxies: proxies, want: "10.2.2.2"},
		"NoHeader":            {remote: "10.1.1.1:0", proxies: proxies, want: "10.1.1.1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		r.Header["X-Forwarded-For"] = c.forward
		got, err := ratelimithttp.IPKey(c.proxies...)(r)
		if (err != nil) != (c.want == "") || err == nil && got != ratelimit.NewSubject("ip", c.want) {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
		if err != nil && c.remote != "" && strings.Contains(err.Error(), c.remote) {
			t.Errorf("%s: the error has the address: %v", name, err)
		}
	}
}

func TestOtherKeys(t *testing.T) {
	t.Parallel()
	anonymous := httptest.NewRequest(http.MethodGet, "/", nil) // from 192.0.2.1
	user := anonymous.WithContext(identity.With(anonymous.Context(), identity.Identity{Subject: "u1"}))
	nobody := anonymous.WithContext(identity.With(anonymous.Context(), identity.Identity{}))
	ip := ratelimithttp.IPKey()
	for name, c := range map[string]struct {
		key  ratelimithttp.KeyFunc
		r    *http.Request
		want ratelimit.Subject
	}{
		"User":                  {ratelimithttp.UserKey(ip), user, ratelimit.NewSubject("user", "u1")},
		"AnonymousUser":         {ratelimithttp.UserKey(ip), anonymous, ratelimit.NewSubject("ip", "192.0.2.1")},
		"UserWithoutSubject":    {ratelimithttp.UserKey(ip), nobody, ratelimit.NewSubject("ip", "192.0.2.1")},
		"Endpoint":              {ratelimithttp.EndpointKey("buy"), user, ratelimit.NewSubject("endpoint", "buy")},
		"UserEndpoint":          {ratelimithttp.UserEndpointKey("buy", ip), user, ratelimit.NewSubject("user-endpoint", "u1", "buy")},
		"AnonymousUserEndpoint": {ratelimithttp.UserEndpointKey("buy", ip), anonymous, ratelimit.NewSubject("ip-endpoint", "2:ip9:192.0.2.1", "buy")},
	} {
		if got, err := c.key(c.r); err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
	anonymous.RemoteAddr = ""
	if got, err := ratelimithttp.UserEndpointKey("buy", ip)(anonymous); err == nil {
		t.Errorf("a request without a client is %q", got)
	}
	if got, err := ratelimithttp.AccountKey("a@example.com"); err != nil || got != ratelimit.NewSubject("account", "a@example.com") {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := ratelimithttp.AccountKey(""); err == nil {
		t.Errorf("an empty account is %q", got)
	}
}

// No input panics, a subject is never empty, an address counts as itself and its neighbours in the /64, and subjects of
// different users or endpoints are different.
func FuzzKeys(f *testing.F) {
	f.Add("192.0.2.1:0", "198.51.100.1, 10.0.0.1", "u1", "buy", "u2", "bu")
	f.Add("[::ffff:1.2.3.4%x]:9", ",,]", "a:1", "b", "a", "1:b")
	f.Fuzz(func(t *testing.T, remote, forward, user, endpoint, otherUser, otherEndpoint string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = remote
		r.Header["X-Forwarded-For"] = []string{forward}
		for _, proxies := range [][]netip.Prefix{nil, {netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}} {
			subject, err := ratelimithttp.IPKey(proxies...)(r)
			if (err == nil) == (subject == "") {
				t.Fatalf("%q, %v", subject, err)
			}
			if addr, parseErr := netip.ParseAddr(remote); parseErr == nil && proxies == nil &&
				(err != nil || subject != ratelimit.NewSubject("ip", ratelimithttp.Network(addr))) {
				t.Fatalf("%q, %v of %q", subject, err, remote)
			}
		}
		key := func(user, endpoint string) ratelimit.Subject {
			r := r.WithContext(identity.With(r.Context(), identity.Identity{Subject: user}))
			subject, _ := ratelimithttp.UserEndpointKey(endpoint, ratelimithttp.IPKey())(r)
			return subject
		}
		if user != "" && otherUser != "" && (user != otherUser || endpoint != otherEndpoint) && key(user, endpoint) == key(otherUser, otherEndpoint) {
			t.Fatalf("(%q, %q) and (%q, %q) are one subject", user, endpoint, otherUser, otherEndpoint)
		}
	})
}

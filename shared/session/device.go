package session

import (
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"strings"
)

const (
	maxDeviceName = 100 // characters
	prefixIPv4    = 24
	prefixIPv6    = 48
)

// Device is what is kept about where a session lives. Start reduces UserAgent and IP to what
// recognises a device and does not identify a person.
type Device struct {
	// Name is a label for the owner's list of devices. At most 100 characters are kept.
	Name string
	// UserAgent goes in as the header's value and is kept as a hash.
	UserAgent string
	// IP goes in as the client's address and is kept as its network: the first 24 bits of IPv4, 48
	// of IPv6. Anything else is not kept.
	IP string
}

// reduced returns what is kept of the device.
func (d Device) reduced() Device {
	kept := Device{Name: shorten(strings.ToValidUTF8(d.Name, ""), maxDeviceName)}
	if d.UserAgent != "" {
		sum := sha256.Sum256([]byte(d.UserAgent))
		kept.UserAgent = base64.RawURLEncoding.EncodeToString(sum[:16])
	}
	if ip, err := netip.ParseAddr(d.IP); err == nil {
		bits := prefixIPv6
		if ip = ip.Unmap().WithZone(""); ip.Is4() {
			bits = prefixIPv4
		}
		if network, err := ip.Prefix(bits); err == nil {
			kept.IP = network.String()
		}
	}
	return kept
}

// shorten cuts s to at most limit characters.
func shorten(s string, limit int) string {
	n := 0
	for i := range s {
		if n == limit {
			return s[:i]
		}
		n++
	}
	return s
}

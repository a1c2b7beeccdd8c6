package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"regexp"
	"strings"

	"github.com/tienda-dev/tienda/shared/secrets"
)

// MinIdentifierKey is the least length of the key of identifiers, in bytes.
const MinIdentifierKey = 32

// errIdentifierKey does not contain the parsed text, which would be part of the secret.
var errIdentifierKey = errors.New(`auth: the identifier key is not one JSON object with a "key" of 32 bytes or more`)

// ParseIdentifierKey reads the secret with the key of identifiers: one JSON object whose member "key" is
// random text of MinIdentifierKey bytes or more; other members are ignored. Its error never contains
// the secret.
func ParseIdentifierKey(secret []byte) ([]byte, error) {
	list, err := secrets.List[struct {
		Key string `json:"key"`
	}](secret)
	if err != nil || len(list) != 1 || len(list[0].Key) < MinIdentifierKey {
		return nil, errIdentifierKey
	}
	return []byte(list[0].Key), nil
}

// Identifier returns the HMAC-SHA256 of an e-mail address in hex, which replaces the address in keys of
// the store. Keys appear in logs, metrics and consoles, where no address may be, and a plain hash of an
// address is easy to guess. The case of ASCII letters and surrounding space do not count; other letters
// are kept, because Unicode folds some of them into ASCII. A change of the key means writing every user
// again.
//
// Text that is not an address has an identifier too, so that attempts with it are counted as well.
func Identifier(key []byte, email string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Map(asciiLower, strings.TrimSpace(email))))
	return hex.EncodeToString(mac.Sum(nil))
}

func asciiLower(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + ('a' - 'A')
	}
	return r
}

// The bounds of an address in bytes (RFC 5321 section 4.5.3.1, RFC 3696 erratum 1690).
const (
	maxEmail     = 254
	maxEmailName = 64
)

// atom is RFC 5322's (section 3.2.3), without the comments around it.
const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"

var (
	emailName   = regexp.MustCompile("^" + atom + `(\.` + atom + ")*$")
	emailDomain = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])$`)
)

// validEmail reports whether mail could be sent to the address: RFC 5321's dot-string at a domain of
// two labels or more, the last of which begins with a letter (RFC 3696 section 2). It is ASCII, so that
// no two addresses look alike or are folded into one; an internationalised domain comes in its xn-- form.
func validEmail(email string) bool {
	name, domain, ok := strings.Cut(email, "@")
	if !ok || len(email) > maxEmail || len(name) > maxEmailName || !emailName.MatchString(name) || !emailDomain.MatchString(domain) {
		return false
	}
	_, err := netip.ParseAddr(domain)
	return err != nil
}

package logging

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// maxKeyName is how many bytes of a name are compared. Of a longer name the end counts.
const maxKeyName = 48

// keyName is the letters and digits of a name, in lower case, so that "X-Api-Key", "x_api_key" and
// "xApiKey" are equal.
type keyName struct {
	buf [maxKeyName]byte
	n   int
}

func (k *keyName) set(name string) {
	k.n = 0
	if len(name) > maxKeyName {
		name = name[len(name)-maxKeyName:]
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		default:
			continue
		}
		k.buf[k.n] = c
		k.n++
	}
}

func (k *keyName) bytes() []byte { return k.buf[:k.n] }

// sensitive reports whether the value under the name is a credential or card data.
func (r *redactor) sensitive(name string) bool {
	var key keyName
	key.set(name)
	b := key.bytes()
	switch string(b) {
	case "authorization", "proxyauthorization", "authorizationtoken", "identitysource",
		"cookie", "setcookie", "cookies", "cookie2", "setcookie2",
		"xapikey", "apikey", "accesskey", "secretkey", "secretaccesskey", "awssecretaccesskey",
		"signingkey", "privatekey", "encryptionkey", "secretstring", "secretbinary",
		"password", "passwd", "passphrase", "pwd", "pin", "otp", "totp", "mfacode",
		"token", "secret", "secrets", "credential", "credentials", "dpop", "assertion",
		"card", "cardnumber", "cardno", "ccnumber", "creditcard", "pan", "primaryaccountnumber",
		"cardexpiry", "trackdata", "track1", "track2",
		"cvv", "cvv2", "cvc", "cvc2", "csc", "securitycode", "cardsecuritycode":
		return true
	}
	if len(b) > len("token") && hasSecretSuffix(b) {
		return true
	}
	if len(r.extra) == 0 {
		return false
	}
	_, ok := r.extra[string(b)]
	return ok
}

// hasSecretSuffix catches "refresh_token", "new_password", "client_secret", "stripe_api_key".
func hasSecretSuffix(b []byte) bool {
	for _, suffix := range [...]string{
		"token", "password", "passwd", "secret", "cookie", "apikey", "privatekey", "authorization",
		"cardnumber", "assertion", "credentials",
	} {
		if len(b) > len(suffix) && string(b[len(b)-len(suffix):]) == suffix {
			return true
		}
	}
	return false
}

// isHeader reports whether a secret name is a header's, whose value may hold spaces and delimiters: it has a hyphen, or
// is one of those without. The last three are members of API Gateway's events that hold headers.
func isHeader(name string) bool {
	for _, header := range [...]string{"authorization", "cookie", "cookies", "identitySource", "authorizationToken"} {
		if strings.EqualFold(name, header) {
			return true
		}
	}
	return strings.IndexByte(name, '-') >= 0
}

// isBasic reports whether s is the base64 of user:password.
func isBasic(s string) bool {
	decoded, err := base64.StdEncoding.DecodeString(s)
	return err == nil && bytes.IndexByte(decoded, ':') >= 0
}

// A card number (ISO/IEC 7812) as the networks issue them has 13 to 19 digits.
const (
	panMin = 13
	panMax = 19
)

// panAt returns the end of the card number that starts at s[i], or i if there is none. A card number
// is digits, alone or in groups with one kind of separator, with a network's prefix and a correct
// check digit, and not a part of a longer number or of a hexadecimal id.
func panAt(s string, i int) int {
	if !panPrefix(s[i:]) || i > 0 && (isHex(s[i-1]) || s[i-1] == '.' && i > 1 && isDigit(s[i-2])) {
		return i
	}

	var digits [panMax]byte
	var separator byte
	n := 0
	for j := i; j < len(s) && n < panMax; {
		digits[n] = s[j] - '0'
		n++
		j++
		groupEnds := j == len(s) || !isDigit(s[j])
		if groupEnds && n >= panMin && panEnds(s, j) && luhn(digits[:n]) {
			return j
		}
		if !groupEnds {
			continue
		}
		if j+1 >= len(s) || !isDigit(s[j+1]) || s[j] != ' ' && s[j] != '-' || separator != 0 && s[j] != separator {
			return i
		}
		separator = s[j]
		j++
	}
	return i
}

func panEnds(s string, j int) bool {
	return j == len(s) || !isHex(s[j]) && (s[j] != '.' || j+1 == len(s) || !isDigit(s[j+1]))
}

// panPrefix reports whether digits begin as the card networks' numbers do: 2221-2720, 3, 4, 5, 6.
func panPrefix(s string) bool {
	if s[0] >= '3' && s[0] <= '6' {
		return true
	}
	return s[0] == '2' && len(s) >= panMin && s[1] >= '2' && s[1] <= '7'
}

func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i])
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func digitsEnd(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

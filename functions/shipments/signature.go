package shipments

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/secrets"
)

// HeaderSignature signs a carrier's request: "t=<seconds since 1970>,v1=<signature>". The signature is the
// HMAC-SHA256 of "<t>.<body>" in hex. There may be several v1, from several keys.
const HeaderSignature = "Carrier-Signature"

// MaxSignatureAge is how old a signature may be, and how far in the future by another clock.
const MaxSignatureAge = 300 * time.Second

const (
	minCarrierKey = 32
	// maxCarrierKeys is how many keys are valid at once: the new and the old one.
	maxCarrierKeys = 2
	// maxSignatures bounds the work for an unsigned request.
	maxSignatures = 4
)

// The errors of a signature.
var (
	// ErrBadSignature: no valid key signed this body at this time.
	ErrBadSignature = problem.New(problem.Unauthorized, "bad_signature", "The signature is missing or not valid.").
			WithFields(problem.FieldError{Pointer: HeaderSignature, Detail: "must sign the request's body with the shared key"})
	// ErrStaleSignature: the signature is valid, and too old or too far in the future.
	ErrStaleSignature = problem.New(problem.BadRequest, "stale_signature", "The signature's time is too far from the present.").
				WithFields(problem.FieldError{Pointer: HeaderSignature, Detail: fmt.Sprintf("must not be older than %s", MaxSignatureAge)})
)

// CarrierKey is a key that carriers sign with. It prints without the key.
type CarrierKey struct {
	// ID names the key for people.
	ID string `json:"kid"`
	// Text is the secret: the bytes of the text are the HMAC's key.
	Text string `json:"key"`
}

// String returns the key without its secret, so that it cannot be logged by accident.
func (k CarrierKey) String() string { return "carrier key " + k.ID }

// GoString is String, for %#v.
func (k CarrierKey) GoString() string { return k.String() }

// ParseCarrierKeys reads a secret: a JSON list of one or two {"kid", "key"}, or one such object. While keys are
// rotated both are valid. Its errors never contain the secret.
func ParseCarrierKeys(secret []byte) ([]CarrierKey, error) {
	keys, err := secrets.List[CarrierKey](secret)
	if err != nil {
		return nil, err
	}
	if len(keys) > maxCarrierKeys {
		return nil, fmt.Errorf("shipments: the secret has %d keys, want at most %d", len(keys), maxCarrierKeys)
	}
	for i, k := range keys {
		if k.ID == "" || len(k.Text) < minCarrierKey {
			return nil, fmt.Errorf("shipments: key %d has no kid, or fewer than %d characters", i+1, minCarrierKey)
		}
	}
	return keys, nil
}

// Sign returns the value of the header for a body that is sent at the time.
func (k CarrierKey) Sign(at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(k.mac(t, body))
}

func (k CarrierKey) mac(t string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(k.Text))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// verify returns ErrBadSignature unless one of the keys made one of the header's signatures, and then
// ErrStaleSignature if its time is too far from now.
func verify(header []string, body []byte, keys []CarrierKey, now time.Time) error {
	if len(header) != 1 {
		return ErrBadSignature
	}
	t, signatures := parseSignature(header[0])
	at, err := strconv.ParseInt(t, 10, 64)
	if err != nil || len(signatures) == 0 || len(signatures) > maxSignatures {
		return ErrBadSignature
	}
	valid := false
	for _, k := range keys {
		want := k.mac(t, body)
		for _, s := range signatures {
			valid = hmac.Equal(want, s) || valid
		}
	}
	if !valid {
		return ErrBadSignature
	}
	if age := now.Unix() - at; age > int64(MaxSignatureAge/time.Second) || -age > int64(MaxSignatureAge/time.Second) {
		return ErrStaleSignature
	}
	return nil
}

// parseSignature returns the time and the signatures of a header; other members are for later versions.
func parseSignature(header string) (t string, signatures [][]byte) {
	for member := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(member, "=")
		switch name {
		case "t":
			if t != "" {
				return "", nil
			}
			t = value
		case "v1":
			if s, err := hex.DecodeString(value); err == nil {
				signatures = append(signatures, s)
			}
		}
	}
	return t, signatures
}

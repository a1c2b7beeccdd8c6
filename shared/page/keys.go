package page

import (
	"fmt"
	"regexp"

	"github.com/tienda-dev/tienda/shared/secrets"
)

// Status is what a key is used for.
type Status string

// The statuses of a key. Before a key is removed it must be retiring for at least Lifetime, so that the
// cursors it sealed can still be opened.
const (
	Active   Status = "active"   // seals and opens; exactly one key is
	Retiring Status = "retiring" // opens
)

// MinKeyLength is the minimum length of a key's text in bytes. The text must be random: 32 bytes of
// base64url hold 192 bits.
const MinKeyLength = 32

// Key is one key that seals cursors.
type Key struct {
	// ID names the key in the cursors that it sealed: 1 to 32 letters, digits, ".", "_" and "-".
	// Clients can read it.
	ID string `json:"kid"`
	// Status is Active or Retiring.
	Status Status `json:"status"`
	// Text is the secret. The AES key is derived from it.
	Text string `json:"key"`
}

// String returns the key without its secret, so that it cannot be logged by accident.
func (k Key) String() string { return fmt.Sprintf("%s (%s)", k.ID, k.Status) }

// GoString is String, for %#v.
func (k Key) GoString() string { return k.String() }

// ParseKeys reads a secret: a JSON list of {"kid", "status", "key"}, or one such object. Its errors
// never contain the secret.
func ParseKeys(secret []byte) ([]Key, error) {
	keys, err := secrets.List[Key](secret)
	if err != nil {
		return nil, fmt.Errorf("cursor keys: %w", err)
	}
	if err := validateKeys(keys); err != nil {
		return nil, err
	}
	return keys, nil
}

func validateKeys(keys []Key) error {
	validID := regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)
	seen := map[string]bool{}
	active := 0
	for i, k := range keys {
		switch {
		case !validID.MatchString(k.ID):
			return fmt.Errorf(`cursor keys: "kid" of key %d must be 1 to 32 letters, digits, ".", "_" or "-"`, i+1)
		case seen[k.ID]:
			return fmt.Errorf("cursor keys: two keys have the kid %s", k.ID)
		case k.Status != Active && k.Status != Retiring:
			return fmt.Errorf("cursor keys: the status of %s must be %s or %s", k.ID, Active, Retiring)
		case len(k.Text) < MinKeyLength:
			return fmt.Errorf("cursor keys: the key of %s is shorter than %d bytes", k.ID, MinKeyLength)
		}
		seen[k.ID] = true
		if k.Status == Active {
			active++
		}
	}
	if active != 1 {
		return fmt.Errorf("cursor keys: %d keys are %s, exactly one must be", active, Active)
	}
	return nil
}

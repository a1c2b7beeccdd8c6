// Package token makes the secrets of a local run, instead of Secrets Manager, and mints access tokens with
// them.
package token

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/secrets"
)

// The variables of the authorizer with the claims and keys of tokens.
const (
	EnvKeys     = "TOKEN_KEYS_SECRET"
	EnvIssuer   = "TOKEN_ISSUER"
	EnvAudience = "TOKEN_AUDIENCE"
)

// Path returns the file of a secret in the cache folder.
func Path(cacheDir, logicalID string) string {
	return filepath.Join(cacheDir, "secrets", logicalID+".json")
}

// EnsureSecrets generates the secrets that have no file yet, as Secrets Manager does: the template's JSON
// object with a random value under its key. Files are readable by their owner only. A secret that exists is
// kept, so that tokens outlive a restart. If functions could not use it, the error names its file.
func EnsureSecrets(cacheDir string, all []template.Secret) error {
	for _, s := range all {
		path := Path(cacheDir, s.LogicalID)
		value, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if err := create(path, s); err != nil {
				return fmt.Errorf("the local secret %s: %w", s.LogicalID, err)
			}
		case err != nil:
			return unusable(path, nil, err)
		default:
			if err := check(value, s); err != nil {
				return unusable(path, value, err)
			}
		}
	}
	return nil
}

// unusable advises what to do about a secret. One with several keys is not to be deleted: the good ones, and
// what was signed with them, would go with the bad one.
func unusable(path string, value []byte, reason error) error {
	if list, err := secrets.List[map[string]any](value); err == nil && len(list) > 1 {
		return fmt.Errorf("the local secret %s cannot be used: correct it, and keep its other keys (%w)", path, reason)
	}
	return fmt.Errorf("the local secret %s cannot be used: delete it, and another one is made (%w)", path, reason)
}

// check returns an error if functions could not use the value: shared/jwt must accept keys of tokens, which
// have an algorithm. In every other secret each object must have the template's members and a key that is
// long enough. The error does not contain the value.
func check(value []byte, s template.Secret) error {
	if s.Template == "" {
		if len(value) == 0 {
			return errors.New("it is empty")
		}
		return nil
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(s.Template), &members); err != nil {
		return fmt.Errorf("SecretStringTemplate is not a JSON object: %w", err)
	}
	if _, tokens := members["alg"]; tokens {
		_, err := jwt.ParseKeys(value)
		return err
	}
	list, err := secrets.List[map[string]any](value)
	if err != nil {
		return err
	}
	for i, object := range list {
		which := fmt.Sprintf("object %d", i+1)
		if kid, ok := object["kid"].(string); ok && kid != "" {
			which = fmt.Sprintf("key %q", kid)
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if object[name] == nil || object[name] == "" {
				return fmt.Errorf("%s has no %s", which, name)
			}
		}
		if key, ok := object[s.Key].(string); !ok || len(key) < minKey {
			return fmt.Errorf("%s has no %s of %d characters", which, s.Key, minKey)
		}
	}
	return nil
}

func create(path string, s template.Secret) error {
	value, err := generate(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(value)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	// Unlike a rename, a link does not replace a file that another process has just made.
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// generate returns the value that Secrets Manager would generate.
func generate(s template.Secret) ([]byte, error) {
	random, err := password(s.Length)
	if err != nil || s.Template == "" {
		return []byte(random), err
	}
	object := map[string]any{}
	if err := json.Unmarshal([]byte(s.Template), &object); err != nil {
		return nil, fmt.Errorf("SecretStringTemplate is not a JSON object: %w", err)
	}
	object[s.Key] = random
	return json.Marshal(object)
}

// minKey is the least length of a key's text, for cursors and identifiers alike.
const minKey = 32

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func password(length int) (string, error) {
	out := make([]byte, length)
	for i := range out {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		out[i] = alphabet[n.Int64()]
	}
	return string(out), nil
}

// Mint returns an access token that the template's authorizer accepts on this machine.
func Mint(t *template.Template, cacheDir, subject string, roles []string, now func() time.Time) (string, error) {
	for _, f := range t.Functions {
		issuer, audience := f.Environment[EnvIssuer], f.Environment[EnvAudience]
		if issuer == "" || audience == "" {
			continue
		}
		id, err := keySecret(t, f.Environment[EnvKeys])
		if err != nil {
			return "", err
		}
		data, err := os.ReadFile(Path(cacheDir, id))
		if errors.Is(err, fs.ErrNotExist) {
			return "", errors.New("no local keys yet: `make run` makes them")
		}
		if err != nil {
			return "", err
		}
		keys, err := jwt.ParseKeys(data)
		if err != nil {
			return "", unusable(Path(cacheDir, id), data, err)
		}
		signer, err := jwt.NewSigner(jwt.Config{Issuer: issuer, Audience: audience, TTL: jwt.MaxTTL}, keys, now)
		if err != nil {
			return "", err
		}
		minted, _, err := signer.Sign(identity.Identity{Subject: subject, Roles: roles, AuthTime: now()})
		return minted, err
	}
	return "", errors.New("no function of the template declares " + EnvIssuer + " and " + EnvAudience)
}

// keySecret returns the logical id of the secret with the name.
func keySecret(t *template.Template, reference string) (string, error) {
	for _, s := range t.Secrets {
		if s.Name == reference {
			return s.LogicalID, nil
		}
	}
	return "", errors.New(EnvKeys + " is not a secret of the template")
}

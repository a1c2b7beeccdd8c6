// Package keys makes and rotates the keys of a token-keys secret: the JSON that shared/jwt reads. The
// caller reads and stores the secret.
package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/secrets"
)

const (
	// spread is how long it takes until every running function has read a new secret: its soft age of
	// five minutes, twice, because a read may fail.
	spread = 10 * time.Minute
	// secretBytes is the length of a key of HS256, as long as its hash.
	secretBytes = 32
	// rsaBits gives a strength of 128 bits, which NIST SP 800-57 requires from 2031.
	rsaBits = 3072
)

// Kind is the kind of token that a set of keys is for.
type Kind int

// The kinds.
const (
	// Access tokens live up to jwt.MaxTTL.
	Access Kind = iota
	// Refresh tokens live as long as a session may be idle, and are signed by an algorithm that
	// gives the same token each time.
	Refresh
)

// Set is a token-keys secret that is being changed.
type Set struct {
	kind Kind
	keys []key
}

// The members of a key. Only this package uses those that end in "_at"; shared/jwt ignores members that it
// does not know.
const (
	memberID       = "kid"
	memberAlg      = "alg"
	memberStatus   = "status"
	memberKey      = "key"
	memberAdded    = "added_at"
	memberPromoted = "promoted_at"
	memberRetired  = "retired_at"
	memberRevoked  = "revoked_at"
)

// key is one key with all its members, unknown ones too.
type key map[string]any

func (k key) text(member string) string {
	s, _ := k[member].(string)
	return s
}

func (k key) status() jwt.Status { return jwt.Status(k.text(memberStatus)) }

// set changes the status and records the time.
func (k key) set(status jwt.Status, noted string, now time.Time) {
	k[memberStatus] = string(status)
	k[noted] = now.UTC().Format(time.RFC3339)
}

// Parse reads a secret that functions accept.
func Parse(kind Kind, secret []byte) (*Set, error) {
	if _, err := jwt.ParseKeys(secret); err != nil {
		return nil, err
	}
	list, err := secrets.List[key](secret)
	if err != nil {
		return nil, err
	}
	return &Set{kind: kind, keys: list}, nil
}

// Secret returns the JSON, or an error if functions would refuse it.
func (s *Set) Secret() ([]byte, error) {
	data, err := json.MarshalIndent(s.keys, "", "  ")
	if err != nil {
		return nil, err
	}
	keys, err := jwt.ParseKeys(data)
	if err != nil {
		return nil, err
	}
	if s.kind == Refresh {
		_, err = jwt.NewRefreshSigner(jwt.RefreshConfig{Issuer: "-", Audience: "-"}, keys)
	}
	return data, err
}

// Add generates a key that verifies and does not sign yet. An empty alg is the active key's. It
// refuses a second next key, and for refresh tokens an algorithm that signs differently each time.
func (s *Set) Add(alg string, now time.Time) error {
	if next := s.having(jwt.Next); len(next) > 0 {
		return fmt.Errorf("key %q is next already: promote or revoke it", next[0].text(memberID))
	}
	if alg == "" {
		alg = s.having(jwt.Active)[0].text(memberAlg)
	}
	if s.kind == Refresh && alg == jwt.ES256 {
		return fmt.Errorf("%s signs differently each time, and a repeated refresh must give the same token: use %s, %s or %s", jwt.ES256, jwt.HS256, jwt.EdDSA, jwt.RS256)
	}
	material, err := generate(alg)
	if err != nil {
		return err
	}
	added := key{memberID: s.freeID(now), memberAlg: alg, memberKey: material}
	added.set(jwt.Next, memberAdded, now)
	s.keys = append(s.keys, added)
	return nil
}

// Promote makes the next key active and the active key retiring. It refuses to do so before every function
// has had the time to read the next key, unless force is set.
func (s *Set) Promote(force bool, now time.Time) error {
	next := s.having(jwt.Next)
	if len(next) == 0 {
		return errors.New("no key is next: add one")
	}
	if err := waited(next[0], memberAdded, spread, force, now); err != nil {
		return err
	}
	s.having(jwt.Active)[0].set(jwt.Retiring, memberRetired, now)
	next[0].set(jwt.Active, memberPromoted, now)
	return nil
}

// Remove deletes the retiring keys. It refuses to do so while a token that one of them signed may be in
// use, unless force is set. life is how long a token of the set's kind lives.
func (s *Set) Remove(life time.Duration, force bool, now time.Time) error {
	retiring := s.having(jwt.Retiring)
	if len(retiring) == 0 {
		return errors.New("no key is retiring")
	}
	for _, k := range retiring {
		// Functions that have not read the new secret still sign with it.
		if err := waited(k, memberRetired, spread+life+jwt.Leeway, force, now); err != nil {
			return err
		}
	}
	s.keys = slices.DeleteFunc(s.keys, func(k key) bool { return k.status() == jwt.Retiring })
	return nil
}

// Revoke ends the use of a key at once and deletes its bytes. Its id is kept, so that no other key gets it.
// If it was the active key, the next key becomes active, or a new one if there is none.
func (s *Set) Revoke(id string, now time.Time) error {
	i := slices.IndexFunc(s.keys, func(k key) bool { return k.text(memberID) == id })
	if i < 0 || s.keys[i].status() == jwt.Revoked {
		return fmt.Errorf("no key %q to revoke", id)
	}
	revoked := s.keys[i]
	if revoked.status() == jwt.Active {
		if len(s.having(jwt.Next)) == 0 {
			if err := s.Add("", now); err != nil {
				return err
			}
		}
		s.having(jwt.Next)[0].set(jwt.Active, memberPromoted, now)
	}
	delete(revoked, memberKey)
	revoked.set(jwt.Revoked, memberRevoked, now)
	return nil
}

// Public returns the secret of a function that only verifies: the public keys. HS256 has none.
func (s *Set) Public() ([]byte, error) {
	data, err := s.Secret()
	if err != nil {
		return nil, err
	}
	keys, err := jwt.ParseKeys(data)
	if err != nil {
		return nil, err
	}
	public := map[string]jwt.JWK{}
	for _, k := range jwt.PublicKeys(keys).Keys {
		public[k.KeyID] = k
	}
	list := []key{}
	for _, k := range s.keys {
		k = maps.Clone(k)
		if k.status() != jwt.Revoked {
			jwk, ok := public[k.text(memberID)]
			if !ok {
				return nil, fmt.Errorf("key %q is for %s, which has no public key", k.text(memberID), k.text(memberAlg))
			}
			k[memberKey] = jwk
		}
		list = append(list, k)
	}
	return json.MarshalIndent(list, "", "  ")
}

// Line is the part of a key that may be shown.
type Line struct {
	// ID is the kid.
	ID string
	// Alg is the algorithm.
	Alg string
	// Status is its place in the rotation.
	Status jwt.Status
	// Since is the time of its last step; zero if the secret has none.
	Since time.Time
}

// Lines returns the lines of all keys, in the secret's order.
func (s *Set) Lines() []Line {
	noted := map[jwt.Status]string{
		jwt.Next: memberAdded, jwt.Active: memberPromoted, jwt.Retiring: memberRetired, jwt.Revoked: memberRevoked,
	}
	lines := make([]Line, len(s.keys))
	for i, k := range s.keys {
		since, _ := time.Parse(time.RFC3339, k.text(noted[k.status()]))
		lines[i] = Line{ID: k.text(memberID), Alg: k.text(memberAlg), Status: k.status(), Since: since}
	}
	return lines
}

func (s *Set) having(status jwt.Status) []key {
	var found []key
	for _, k := range s.keys {
		if k.status() == status {
			found = append(found, k)
		}
	}
	return found
}

// freeID returns the day, with a number if a key has that id.
func (s *Set) freeID(now time.Time) string {
	day := now.UTC().Format(time.DateOnly)
	id := day
	for n := 2; slices.ContainsFunc(s.keys, func(k key) bool { return k.text(memberID) == id }); n++ {
		id = day + "." + strconv.Itoa(n)
	}
	return id
}

// waited returns an error unless the recorded time is at least wait ago.
func waited(k key, noted string, wait time.Duration, force bool, now time.Time) error {
	if force {
		return nil
	}
	since, err := time.Parse(time.RFC3339, k.text(noted))
	if err != nil {
		return fmt.Errorf("key %q has no %s: make sure that it is %v ago, then repeat with -force", k.text(memberID), noted, wait)
	}
	if until := since.Add(wait); now.Before(until) {
		return fmt.Errorf("key %q must wait until %s", k.text(memberID), until.UTC().Format(time.RFC3339))
	}
	return nil
}

// generate returns a new key in the format of the secret.
func generate(alg string) (string, error) {
	var private any
	var err error
	switch alg {
	case jwt.HS256:
		secret := make([]byte, secretBytes)
		_, err := rand.Read(secret)
		return base64.RawURLEncoding.EncodeToString(secret), err
	case jwt.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case jwt.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jwt.RS256:
		private, err = rsa.GenerateKey(rand.Reader, rsaBits)
	default:
		return "", fmt.Errorf("unknown algorithm %q (want %s, %s, %s or %s)", alg, jwt.HS256, jwt.EdDSA, jwt.ES256, jwt.RS256)
	}
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

package page

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Lifetime is how long a cursor can be opened, at most; at least expiryStep less.
const Lifetime = 24 * time.Hour

// expiryStep is how often the expiry of new cursors moves on. In between, a position has one cursor, so
// that a page that did not change has the same bytes and the same entity tag.
const expiryStep = time.Hour

// clockSkew is how far the clock of the process that sealed a cursor may be ahead.
const clockSkew = time.Minute

const (
	// version is the first byte of every cursor. Another layout needs another number.
	version = 1
	// maxPayload bounds a position's JSON in bytes: a cursor has to fit into a URL.
	maxPayload = 2048
	// maxCursor bounds what Open looks at: version, key id, nonce, expiry, payload and tag in base64.
	maxCursor = (2 + 32 + 12 + 8 + maxPayload + 16 + 2) / 3 * 4
)

// ErrInvalidCursor (400 invalid_cursor) is a cursor that Seal did not make for this binding, or that has
// expired. It does not say which.
var ErrInvalidCursor = problem.New(problem.BadRequest, "invalid_cursor",
	"The cursor is not valid here or has expired. Start at the first page.").
	WithFields(problem.FieldError{
		Pointer: ParamCursor,
		Detail:  "must be the next_cursor of an earlier page of the same list, unchanged",
	})

// Binding is what a cursor belongs to. It opens only with an equal one.
type Binding struct {
	// Route is the operation's name ("list-products").
	Route string
	// Filter is the list's filter, order and everything else that decides its items, in one
	// canonical text, such as url.Values.Encode of the parameters without cursor and limit.
	Filter string
	// Principal is the caller; empty for a list that everybody may read.
	Principal string
}

// additionalData is unambiguous: the length of each part precedes it.
func (b Binding) additionalData(header []byte) []byte {
	data := append([]byte{}, header...)
	for _, part := range []string{b.Route, b.Filter, b.Principal} {
		data = binary.BigEndian.AppendUint64(data, uint64(len(part)))
		data = append(data, part...)
	}
	return data
}

// Sealer seals positions in lists into cursors and opens them again. A cursor is encrypted, because
// item keys hold more than the client may know, and authenticated, because a position that the client
// made up would read another partition. It is safe for concurrent use.
type Sealer struct {
	active string             // key id
	keys   map[string]keyPair // by key id
	now    func() time.Time
}

// keyPair is derived from the text of one key.
type keyPair struct {
	cipher cipher.AEAD
	// nonce is the HMAC key that nonces are made with.
	nonce []byte
}

// NewSealer returns a sealer with the keys of ParseKeys and a clock (time.Now).
func NewSealer(keys []Key, now func() time.Time) (*Sealer, error) {
	if now == nil {
		return nil, errors.New("page: NewSealer needs a clock")
	}
	if err := validateKeys(keys); err != nil {
		return nil, err
	}
	s := &Sealer{keys: make(map[string]keyPair, len(keys)), now: clock.Wall(now)}
	for _, k := range keys {
		pair, err := k.derive()
		if err != nil {
			return nil, fmt.Errorf("page: key %s: %w", k.ID, err)
		}
		s.keys[k.ID] = pair
		if k.Status == Active {
			s.active = k.ID
		}
	}
	return s, nil
}

// derive returns AES-256-GCM and the key of nonces, both derived from the key for cursors alone. A nonce
// is 96 bits of an HMAC over everything that is sealed: two different cursors have the same one as rarely
// as if nonces were random, so that a key is good for 2^32 cursors (NIST SP 800-38D section 8.3).
func (k Key) derive() (keyPair, error) {
	derived, err := hkdf.Key(sha256.New, []byte(k.Text), nil, "page cursor, AES-256-GCM, version 1", 32)
	if err != nil {
		return keyPair{}, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return keyPair{}, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return keyPair{}, err
	}
	nonce, err := hkdf.Key(sha256.New, []byte(k.Text), nil, "page cursor, nonce, version 1", 32)
	return keyPair{cipher: aead, nonce: nonce}, err
}

// Seal returns a cursor for a position: any value that encoding/json writes in at most 2 KiB. Within an
// hour the same binding and position have the same cursor.
func (s *Sealer) Seal(b Binding, position any) (string, error) {
	payload, err := json.Marshal(position)
	if err != nil {
		return "", fmt.Errorf("page: seal %T: %w", position, err)
	}
	if len(payload) > maxPayload {
		return "", fmt.Errorf("page: seal %T: %d bytes are more than %d", position, len(payload), maxPayload)
	}

	header := append([]byte{version, byte(len(s.active))}, s.active...)
	data := b.additionalData(header)
	expires := s.now().Add(Lifetime).Truncate(expiryStep)
	plain := binary.BigEndian.AppendUint64(nil, uint64(expires.Unix()))
	plain = append(plain, payload...)

	key := s.keys[s.active]
	mac := hmac.New(sha256.New, key.nonce)
	mac.Write(data)
	mac.Write(plain)
	nonce := mac.Sum(nil)[:key.cipher.NonceSize()]
	cursor := append(append([]byte{}, header...), nonce...)
	cursor = key.cipher.Seal(cursor, nonce, plain, data)
	return base64.RawURLEncoding.EncodeToString(cursor), nil
}

// Open reads the position that was sealed with an equal binding into dst, or returns ErrInvalidCursor.
// dst must have the type that was sealed: unknown members are refused.
func (s *Sealer) Open(b Binding, cursor string, dst any) error {
	plain, ok := s.open(b, cursor)
	if !ok {
		return ErrInvalidCursor
	}
	expires := int64(binary.BigEndian.Uint64(plain))
	// A cursor that lives longer than any was sealed before the clock was set back.
	if left := expires - s.now().Unix(); left <= 0 || left > int64((Lifetime+clockSkew)/time.Second) {
		return ErrInvalidCursor
	}
	decoder := json.NewDecoder(bytes.NewReader(plain[8:]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(dst); err != nil { // another release sealed it
		return ErrInvalidCursor.WithCause(fmt.Errorf("open into %T: %w", dst, err))
	}
	return nil
}

// open returns the expiry and the payload of a cursor that is authentic.
func (s *Sealer) open(b Binding, cursor string) ([]byte, bool) {
	// The decoder skips line breaks; Strict checks the last bits only.
	if len(cursor) > maxCursor || strings.ContainsAny(cursor, "\r\n") {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return nil, false
	}
	r := bytes.NewBuffer(raw)
	head := r.Next(2)
	if len(head) != 2 || head[0] != version {
		return nil, false
	}
	id := r.Next(int(head[1]))
	key, ok := s.keys[string(id)]
	if !ok {
		return nil, false
	}
	header := raw[:2+len(id)]
	nonce := r.Next(key.cipher.NonceSize())
	if len(nonce) != key.cipher.NonceSize() {
		return nil, false
	}
	plain, err := key.cipher.Open(nil, nonce, r.Bytes(), b.additionalData(header))
	if err != nil || len(plain) < 8 {
		return nil, false
	}
	return plain, true
}

package page

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/shared/problem"
)

// Lifetime is how long a cursor opens after it was sealed.
const Lifetime = 24 * time.Hour

const (
	// version is the first byte of every cursor. Another layout takes another number.
	version = 1
	// maxPayload bounds a position's JSON in bytes: a cursor has to fit into a URL.
	maxPayload = 2048
	// maxCursor bounds what Open looks at: version, key id, nonce, expiry, payload and tag in base64.
	maxCursor = (2 + 32 + 12 + 8 + maxPayload + 16 + 2) / 3 * 4
)

// ErrInvalidCursor (400 invalid_cursor) is a cursor that Seal has not made for this binding, or that
// has expired. It does not say which.
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
	// Principal is who asks; empty for anybody.
	Principal string
}

// additionalData is unambiguous: every part stands behind its length.
func (b Binding) additionalData(header []byte) []byte {
	data := append([]byte{}, header...)
	for _, part := range []string{b.Route, b.Filter, b.Principal} {
		data = binary.BigEndian.AppendUint64(data, uint64(len(part)))
		data = append(data, part...)
	}
	return data
}

// Sealer seals positions in lists into cursors and opens them again. A cursor is encrypted, because
// keys of items say more than the client may know, and authenticated, because a position of the
// client's own making would read another partition. It is safe for concurrent use.
type Sealer struct {
	active  string
	ciphers map[string]cipher.AEAD // by key id
	now     func() time.Time
}

// NewSealer returns a sealer with the keys of ParseKeys and a clock (time.Now).
func NewSealer(keys []Key, now func() time.Time) (*Sealer, error) {
	if now == nil {
		return nil, errors.New("page: NewSealer needs a clock")
	}
	if err := validateKeys(keys); err != nil {
		return nil, err
	}
	s := &Sealer{ciphers: make(map[string]cipher.AEAD, len(keys)), now: now}
	for _, k := range keys {
		aead, err := k.cipher()
		if err != nil {
			return nil, fmt.Errorf("page: key %s: %w", k.ID, err)
		}
		s.ciphers[k.ID] = aead
		if k.Status == Active {
			s.active = k.ID
		}
	}
	return s, nil
}

// cipher returns AES-256-GCM under a key that is derived for cursors alone. GCM draws a random nonce
// per cursor: one key is good for 2^32 of them (NIST SP 800-38D section 8.3).
func (k Key) cipher() (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, []byte(k.Text), nil, "page cursor, AES-256-GCM, version 1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Seal returns a cursor for a position, which is anything that encoding/json can write and that has
// at most 2 KiB then.
func (s *Sealer) Seal(b Binding, position any) (string, error) {
	payload, err := json.Marshal(position)
	if err != nil {
		return "", fmt.Errorf("page: seal %T: %w", position, err)
	}
	if len(payload) > maxPayload {
		return "", fmt.Errorf("page: seal %T: %d bytes are more than %d", position, len(payload), maxPayload)
	}
	aead := s.ciphers[s.active]
	header := append([]byte{version, byte(len(s.active))}, s.active...)

	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	plain := binary.BigEndian.AppendUint64(nil, uint64(s.now().Add(Lifetime).Unix()))
	plain = append(plain, payload...)

	cursor := append(append([]byte{}, header...), nonce...)
	cursor = aead.Seal(cursor, nonce, plain, b.additionalData(header))
	return base64.RawURLEncoding.EncodeToString(cursor), nil
}

// Open reads the position that was sealed with an equal binding into dst, or returns
// ErrInvalidCursor. dst must be what was sealed: members that it does not have are refused, too.
func (s *Sealer) Open(b Binding, cursor string, dst any) error {
	plain, ok := s.open(b, cursor)
	if !ok {
		return ErrInvalidCursor
	}
	expires := int64(binary.BigEndian.Uint64(plain))
	if s.now().Unix() >= expires {
		return ErrInvalidCursor
	}
	decoder := json.NewDecoder(bytes.NewReader(plain[8:]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(dst); err != nil { // sealed by another release
		return ErrInvalidCursor.WithCause(fmt.Errorf("open into %T: %w", dst, err))
	}
	return nil
}

// open returns the expiry and the payload of a cursor that is authentic.
func (s *Sealer) open(b Binding, cursor string) ([]byte, bool) {
	// The decoder skips line breaks, and strictness is about the last bits only.
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
	aead, ok := s.ciphers[string(id)]
	if !ok {
		return nil, false
	}
	header := raw[:2+len(id)]
	nonce := r.Next(aead.NonceSize())
	if len(nonce) != aead.NonceSize() {
		return nil, false
	}
	plain, err := aead.Open(nil, nonce, r.Bytes(), b.additionalData(header))
	if err != nil || len(plain) < 8 {
		return nil, false
	}
	return plain, true
}

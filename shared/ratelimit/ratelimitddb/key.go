package ratelimitddb

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// Key returns the current key of the keyed hash, at least MinKey bytes. It is called for each operation, so it returns
// a value in memory, such as a secret of shared/secrets. When the key changes, every subject starts from nothing:
// counters under the old key are never read again, and DynamoDB removes them by their time to live.
type Key func(ctx context.Context) ([]byte, error)

// MinKey is the least number of bytes of a key: the size of the hash, as RFC 2104, section 3, advises.
const MinKey = sha256.Size

// prefix begins every partition key, for IAM conditions on dynamodb:LeadingKeys.
const prefix = "RL#"

// hasher makes partition keys: HMAC-SHA256 over the policies and the subject. Without the key, the table does not show
// whether a client address or a user has been seen.
type hasher struct {
	key Key
	// policies is the unambiguous encoding of the policies: their number, and each one's name with its length in
	// front, version, algorithm, limit, window in seconds and burst. So a changed policy never reads the items of the old
	// one, which may not be valid for it. The subject follows; it is the rest.
	policies []byte
	current  atomic.Pointer[keyed]
}

// keyed has ready hashes of one key: making one costs as much as using it.
type keyed struct {
	key  []byte
	pool sync.Pool
}

type mac struct {
	hash hash.Hash
	text []byte
	sum  [sha256.Size]byte
	out  [len(prefix) + 43]byte // base64 of 32 bytes without padding
}

func newHasher(key Key, policies []ratelimit.Policy) *hasher {
	text := binary.AppendUvarint(nil, uint64(len(policies)))
	for i := range policies {
		p := &policies[i]
		text = binary.AppendUvarint(text, uint64(len(p.Name)))
		text = append(text, p.Name...)
		for _, v := range []int64{int64(p.Version), int64(p.Algorithm), p.Limit, int64(p.Window / time.Second), p.Burst} {
			text = binary.AppendUvarint(text, uint64(v))
		}
	}
	return &hasher{key: key, policies: text}
}

// partitionKey returns the subject's partition key.
func (h *hasher) partitionKey(ctx context.Context, subject ratelimit.Subject) (string, error) {
	if subject == "" {
		return "", errors.New("ratelimitddb: the subject is empty")
	}
	key, err := h.key(ctx)
	if err != nil {
		return "", fmt.Errorf("ratelimitddb: read the key: %w", err)
	}
	if len(key) < MinKey {
		return "", fmt.Errorf("ratelimitddb: the key has %d bytes, want at least %d", len(key), MinKey)
	}
	with := h.current.Load()
	if with == nil || !bytes.Equal(with.key, key) {
		with = newKeyed(key)
		h.current.Store(with)
	}
	m := with.pool.Get().(*mac) //nolint:forcetypeassert // the pool has nothing else
	defer with.pool.Put(m)
	m.hash.Reset()
	m.text = append(append(m.text[:0], h.policies...), subject...)
	m.hash.Write(m.text)
	copy(m.out[:], prefix)
	base64.RawURLEncoding.Encode(m.out[len(prefix):], m.hash.Sum(m.sum[:0]))
	return string(m.out[:]), nil
}

func newKeyed(key []byte) *keyed {
	k := &keyed{key: bytes.Clone(key)}
	k.pool.New = func() any { return &mac{hash: hmac.New(sha256.New, k.key)} }
	return k
}

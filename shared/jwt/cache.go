package jwt

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/identity"
)

// VerifiedFor is how long a Verifier remembers a token at most.
const VerifiedFor = time.Minute

// maxVerified is how many it remembers at most.
const maxVerified = 1000

// verifiedTokens remembers the callers of tokens that were verified, and nothing about those that were refused: a client
// cannot fill it with tokens that it made up. It keeps a hash of each token, so that what reads the memory finds none
// that works. It is safe for concurrent use.
//
// There is no list in the order of use. Entries go into young; when half of all are in it, it becomes old, and what was
// in old is forgotten.
type verifiedTokens struct {
	mu         sync.Mutex
	young, old map[tokenHash]verified
}

type tokenHash [sha256.Size]byte

// verified is a caller, and when its token was verified.
type verified struct {
	id   identity.Identity
	made time.Time
}

// find returns the caller of a token that was verified less than VerifiedFor before now and has not expired. Such a token
// was valid at an earlier time, so that now is not before its beginning.
func (v *verifiedTokens) find(token tokenHash, now time.Time) (identity.Identity, bool) {
	v.mu.Lock()
	found, ok := v.young[token]
	if !ok {
		found, ok = v.old[token]
	}
	v.mu.Unlock()
	if !ok || !clock.Fresh(found.made, now, VerifiedFor) || !now.Before(found.id.ExpiresAt) {
		return identity.Identity{}, false
	}
	return separate(found.id), true
}

func (v *verifiedTokens) add(token tokenHash, id identity.Identity, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.old, token)
	if _, known := v.young[token]; !known && len(v.young) >= maxVerified/2 {
		v.young, v.old = nil, v.young
	}
	if v.young == nil {
		v.young = make(map[tokenHash]verified)
	}
	v.young[token] = verified{separate(id), now}
}

// separate returns a copy of id that shares no slice with it: a handler may change its own.
func separate(id identity.Identity) identity.Identity {
	id.Roles, id.Scopes, id.AMR = slices.Clone(id.Roles), slices.Clone(id.Scopes), slices.Clone(id.AMR)
	return id
}

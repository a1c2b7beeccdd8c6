package jwt

import (
	"crypto/elliptic"
	"errors"
	"math/big"
)

// With (r, s), (r, n-s) is a signature of the same text too. Of the two we mint the one with the
// smaller s and accept no other, so that a token has one spelling.

// errHighS is why a signature is refused that we would have written with n-s.
var errHighS = errors.New("the larger s of two")

// sizeES256 is the length in bytes of r and of s.
const sizeES256 = 32

// isLowS reports whether s is the smaller of the two. signature has 64 bytes.
func isLowS(signature []byte) bool {
	s := new(big.Int).SetBytes(signature[sizeES256:])
	return s.Cmp(new(big.Int).Rsh(elliptic.P256().Params().N, 1)) <= 0
}

// lowS replaces s by n-s in place, where that is smaller.
func lowS(signature []byte) {
	if isLowS(signature) {
		return
	}
	s := signature[sizeES256:]
	new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(s)).FillBytes(s)
}

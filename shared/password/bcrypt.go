package password

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	// MaxBcryptCost is the highest cost of an imported hash that is verified: about a second.
	MaxBcryptCost = 14
	// bcryptInput is how many bytes of a password bcrypt reads.
	bcryptInput = 72
	// bcryptLength is the length of a hash: prefix, cost, salt and tag.
	bcryptLength = 60
)

func isBcrypt(encoded string) bool {
	return strings.HasPrefix(encoded, "$2a$") || strings.HasPrefix(encoded, "$2b$") || strings.HasPrefix(encoded, "$2y$")
}

// verifyBcrypt compares with an imported hash. bcrypt reads 72 bytes, and repeats a shorter password
// after a zero byte until they are full. So it ignores the bytes after the 72nd, and takes "a\x00a" for
// "a". Such passwords are not the one that was hashed and do not match. They take the same time.
func (h *Hasher) verifyBcrypt(ctx context.Context, encoded, password string) (Result, error) {
	cost, err := bcrypt.Cost([]byte(encoded))
	if err != nil || cost > MaxBcryptCost || len(encoded) != bcryptLength {
		return Result{}, ErrHash
	}
	if err := h.enter(ctx); err != nil {
		return Result{}, err
	}
	defer h.leave()
	err = bcrypt.CompareHashAndPassword([]byte(encoded), []byte(password[:min(len(password), bcryptInput)]))
	switch {
	case err == nil:
		whole := len(password) <= bcryptInput && !strings.Contains(password, "\x00")
		return Result{Match: whole, Outdated: true}, nil
	case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
		return Result{Outdated: true}, nil
	default:
		return Result{}, fmt.Errorf("%w: %T", ErrHash, err)
	}
}

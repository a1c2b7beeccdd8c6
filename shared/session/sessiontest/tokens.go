package sessiontest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/session"
)

// The issuer and the audiences of the tokens.
const (
	Issuer          = "https://auth.example.com"
	AccessAudience  = "https://api.example.com"
	RefreshAudience = "https://auth.example.com/v1/auth/refresh"
)

// Tokens are the keys of a manager under test and the verifiers of its tokens.
type Tokens struct {
	// Keys is for session.New.
	Keys session.Keys
	// Access verifies access tokens.
	Access *jwt.Verifier
	// Refresh verifies refresh tokens.
	Refresh *jwt.RefreshVerifier
}

// NewTokens returns new keys for the clock.
func NewTokens(t testing.TB, clock func() time.Time) Tokens {
	t.Helper()
	access := jwt.Config{Issuer: Issuer, Audience: AccessAudience}
	refresh := jwt.RefreshConfig{Issuer: Issuer, Audience: RefreshAudience}
	accessKeys, refreshKeys := newKeys(t), newKeys(t)
	signer, err := jwt.NewSigner(access, accessKeys, clock)
	must(t, err)
	verifier, err := jwt.NewVerifier(access, accessKeys, clock)
	must(t, err)
	refreshSigner, err := jwt.NewRefreshSigner(refresh, refreshKeys)
	must(t, err)
	refreshVerifier, err := jwt.NewRefreshVerifier(refresh, refreshKeys, clock)
	must(t, err)
	return Tokens{
		Keys: session.Keys{
			Access:  func(context.Context) *jwt.Signer { return signer },
			Refresh: func(context.Context) *jwt.RefreshSigner { return refreshSigner },
			Verify:  func(context.Context) *jwt.RefreshVerifier { return refreshVerifier },
		},
		Access:  verifier,
		Refresh: refreshVerifier,
	}
}

func newKeys(t testing.TB) jwt.Keys {
	t.Helper()
	keys, err := jwt.ParseKeys([]byte(`{"kid":"test","alg":"HS256","status":"active","key":"` + rand.Text() + rand.Text() + `"}`))
	must(t, err)
	return keys
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

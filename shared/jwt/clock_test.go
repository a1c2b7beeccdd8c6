package jwt_test

import (
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/clock/clocktest"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
)

// Tokens end by the wall clock, and a clock that is set back behind their beginning does not lengthen their life.
func TestTokensEndByTheWallClock(t *testing.T) {
	t.Parallel()
	const secret = `[{"kid":"a","alg":"HS256","status":"active","key":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}]`
	for moved, want := range map[time.Duration]identity.Outcome{
		0: identity.OK, time.Hour: identity.TokenExpired, -time.Hour: identity.InvalidClaims,
	} {
		stalled, keys := clocktest.New(t), parseKeys(t, secret)
		signer, err := jwt.NewSigner(cfg, keys, stalled.Now)
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := jwt.NewVerifier(cfg, keys, stalled.Now)
		if err != nil {
			t.Fatal(err)
		}
		refreshVerifier, err := jwt.NewRefreshVerifier(refreshCfg, keys, stalled.Now)
		if err != nil {
			t.Fatal(err)
		}
		refresh := step()
		refresh.IssuedAt, refresh.ExpiresAt = stalled.Now(), stalled.Now().Add(time.Minute)
		refreshToken := mintRefresh(t, newRefreshSigner(t, refreshCfg, secret), refresh)
		token := mint(t, signer, identity.Identity{Subject: "alice", SessionID: "s1", TokenID: "t1"})
		stalled.Move(moved)
		_, err = verifier.Verify(token)
		if got := outcome(err); got != want {
			t.Errorf("access token after %v: %s, want %s", moved, got, want)
		}
		_, err = refreshVerifier.Verify(refreshToken)
		if got := outcome(err); got != want {
			t.Errorf("refresh token after %v: %s, want %s", moved, got, want)
		}
	}
}

package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// A login starts a session, and a logout ends it: its tokens are refused from then on.
func Example() {
	ctx := context.Background()
	manager, verifier, err := openSessions()
	if err != nil {
		fmt.Println(err)
		return
	}

	tokens, err := manager.Start(ctx, session.User{Subject: "maria"}, session.Device{Name: "Phone"})
	if err != nil {
		fmt.Println(err)
		return
	}
	caller, err := verifier.Verify(tokens.AccessToken)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("logged in:", manager.Check(ctx, caller, identity.Default))

	if err := manager.Revoke(ctx, caller.SessionID, session.Logout); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("logged out:", errors.Is(manager.Check(ctx, caller, identity.Strict), session.ErrRevoked))
	// Output:
	// logged in: <nil>
	// logged out: true
}

// openSessions makes a manager on a store in memory, with one key for each kind of token.
func openSessions() (*session.Manager, *jwt.Verifier, error) {
	cfg := jwt.Config{Issuer: "https://auth.shop.example", Audience: "shop-api"}
	refreshCfg := jwt.RefreshConfig{Issuer: cfg.Issuer, Audience: cfg.Issuer + "/refresh"}
	accessKeys, err1 := jwt.ParseKeys([]byte(`{"kid":"a1","alg":"HS256","status":"active","key":"` + strings.Repeat("0123456789abcdef", 4) + `"}`))
	refreshKeys, err2 := jwt.ParseKeys([]byte(`{"kid":"r1","alg":"HS256","status":"active","key":"` + strings.Repeat("fedcba9876543210", 4) + `"}`))
	if err := errors.Join(err1, err2); err != nil {
		return nil, nil, err
	}
	signer, err1 := jwt.NewSigner(cfg, accessKeys, time.Now)
	verifier, err2 := jwt.NewVerifier(cfg, accessKeys, time.Now)
	refreshSigner, err3 := jwt.NewRefreshSigner(refreshCfg, refreshKeys)
	refreshVerifier, err4 := jwt.NewRefreshVerifier(refreshCfg, refreshKeys, time.Now)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, nil, err
	}
	manager, err := session.New(session.Config{}, sessiontest.NewMemory(), session.Keys{
		Access:  func(context.Context) *jwt.Signer { return signer },
		Refresh: func(context.Context) *jwt.RefreshSigner { return refreshSigner },
		Verify:  func(context.Context) *jwt.RefreshVerifier { return refreshVerifier },
	}, time.Now)
	return manager, verifier, err
}

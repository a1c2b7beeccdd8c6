package tokenkeys_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/session"
)

func secret(kid, letter string) string {
	return `{"kid":"` + kid + `","alg":"HS256","status":"active","key":"` + strings.Repeat(letter, 32) + `"}`
}

func environment() map[string]string {
	return map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s",
		"TOKEN_KEYS_SECRET": secret("k1", "a"), "REFRESH_KEYS_SECRET": secret("r1", "r"), "IDENTIFIER_KEY_SECRET": secret("i1", "i"),
		"TOKEN_ISSUER": "https://auth.shop.example", "TOKEN_AUDIENCE": "api", "REFRESH_AUDIENCE": "https://auth.shop.example/v1/auth/refresh",
	}
}

// open runs f as a function's build does.
func open(t *testing.T, environ map[string]string, f func(ctx context.Context, s *app.Setup) error) error {
	t.Helper()
	route := api.Route{Name: "test", Method: http.MethodGet, Path: "/test", Auth: api.Public, Rate: api.Unlimited}
	_, err := process.Handler(t.Context(), route, func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		return func(http.ResponseWriter, *http.Request) error { return nil }, f(ctx, s)
	}, environ)
	return err
}

func TestMintedTokensAreAccepted(t *testing.T) {
	t.Parallel()
	var (
		keys          session.Keys
		verify, check func(context.Context, string) (identity.Identity, error)
		read          func(context.Context, string) (jwt.Refresh, error)
		public        func(context.Context) jwt.JWKS
	)
	err := open(t, environment(), func(ctx context.Context, s *app.Setup) (err error) {
		if keys, err = tokenkeys.Open(ctx, s); err != nil {
			return err
		}
		if verify, err = tokenkeys.Verify(ctx, s); err != nil {
			return err
		}
		if check, read, err = tokenkeys.OpenReaders(ctx, s); err != nil {
			return err
		}
		public, err = tokenkeys.Public(ctx, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	ctx := t.Context()
	access, _, err := keys.Access(ctx).Sign(identity.Identity{Subject: "u1"})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := verify(ctx, access); err != nil || id.Subject != "u1" {
		t.Errorf("Verify: %+v, %v", id, err)
	}
	now := time.Now()
	refresh, err := keys.Refresh(ctx).Sign(jwt.Refresh{Subject: "u1", SessionID: "s1", IssuedAt: now, ExpiresAt: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := check(ctx, access); err != nil || id.Subject != "u1" {
		t.Errorf("an access token: %+v, %v", id, err)
	}
	if r, err := read(ctx, refresh); err != nil || r.SessionID != "s1" {
		t.Errorf("a refresh token: %+v, %v", r, err)
	}
	if _, err := verify(ctx, refresh); err == nil {
		t.Error("a refresh token was accepted as an access token")
	}
	if _, err := read(ctx, access); err == nil {
		t.Error("an access token was accepted as a refresh token")
	}
	if n := len(public(ctx).Keys); n != 0 {
		t.Errorf("%d keys of HS256 are public", n)
	}
}

// What only reads tokens needs no key that could mint one.
func TestPublicKeysAreEnoughToRead(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	pair := func(members string) string {
		return `{"kid":"r1","alg":"EdDSA","status":"active","key":{"kty":"OKP","crv":"Ed25519","x":"` + encode(public) + `"` + members + `}}`
	}
	minting, reading := environment(), environment()
	minting["REFRESH_KEYS_SECRET"], reading["REFRESH_KEYS_SECRET"] = pair(`,"d":"`+encode(private.Seed())+`"`), pair("")

	var keys session.Keys
	err = open(t, minting, func(ctx context.Context, s *app.Setup) (err error) {
		keys, err = tokenkeys.Open(ctx, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	token, err := keys.Refresh(t.Context()).Sign(jwt.Refresh{Subject: "u1", SessionID: "s1", IssuedAt: now, ExpiresAt: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	var read func(context.Context, string) (jwt.Refresh, error)
	err = open(t, reading, func(ctx context.Context, s *app.Setup) (err error) {
		_, read, err = tokenkeys.OpenReaders(ctx, s)
		return err
	})
	if err != nil {
		t.Fatalf("with the public key: %v", err)
	}
	if r, err := read(t.Context(), token); err != nil || r.SessionID != "s1" {
		t.Errorf("got %+v, %v", r, err)
	}
	err = open(t, reading, func(ctx context.Context, s *app.Setup) error { _, err := tokenkeys.Open(ctx, s); return err })
	if !errors.Is(err, jwt.ErrKeys) {
		t.Errorf("what mints starts with the public key: %v", err)
	}
}

func TestIdentifierIsDecodedByItsOwner(t *testing.T) {
	t.Parallel()
	var key func(context.Context) []byte
	err := open(t, environment(), func(ctx context.Context, s *app.Setup) (err error) {
		key, err = tokenkeys.Identifier(ctx, s, func(text []byte) ([]byte, error) { return text[:8], nil })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := key(t.Context()); string(got) != `{"kid":"` {
		t.Errorf("got %q", got)
	}
}

func TestOneKeyForBothKindsIsRefused(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(ctx context.Context, s *app.Setup) error{
		"WhereBothAreMinted": func(ctx context.Context, s *app.Setup) error { _, err := tokenkeys.Open(ctx, s); return err },
		"WhereBothAreRead":   func(ctx context.Context, s *app.Setup) error { _, _, err := tokenkeys.OpenReaders(ctx, s); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environ := environment()
			environ["REFRESH_KEYS_SECRET"] = secret("r1", "a")
			err := open(t, environ, f)
			if err == nil || !strings.Contains(err.Error(), `"k1"`) || strings.Contains(err.Error(), "aaaa") {
				t.Errorf("got %v, want an error that names the key", err)
			}
		})
	}
}

func TestErrorNamesTheVariable(t *testing.T) {
	t.Parallel()
	opens := map[string]func(ctx context.Context, s *app.Setup) error{
		"TOKEN_KEYS_SECRET":   func(ctx context.Context, s *app.Setup) error { _, err := tokenkeys.Open(ctx, s); return err },
		"REFRESH_KEYS_SECRET": func(ctx context.Context, s *app.Setup) error { _, _, err := tokenkeys.OpenReaders(ctx, s); return err },
		"TOKEN_ISSUER":        func(ctx context.Context, s *app.Setup) error { _, err := tokenkeys.Verify(ctx, s); return err },
		"TOKEN_AUDIENCE":      func(ctx context.Context, s *app.Setup) error { _, err := tokenkeys.Public(ctx, s); return err },
		"REFRESH_AUDIENCE":    func(ctx context.Context, s *app.Setup) error { _, err := tokenkeys.Open(ctx, s); return err },
		"IDENTIFIER_KEY_SECRET": func(ctx context.Context, s *app.Setup) error {
			_, err := tokenkeys.Identifier(ctx, s, func(b []byte) ([]byte, error) { return b, nil })
			return err
		},
	}
	for name, f := range opens {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, value := range []string{"", "canary-value"} {
				environ := maps.Clone(environment())
				environ[name] = value
				if value == "" {
					delete(environ, name)
				} else if !strings.HasSuffix(name, "_SECRET") {
					continue // any text is an issuer
				}
				err := open(t, environ, f)
				if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "canary") {
					t.Errorf("%q: %v, want an error that names %s and not the value", value, err, name)
				}
			}
		})
	}
}

// A key is revoked in the secret. Its tokens are refused when the secret is read again, though they were verified before.
func TestARevokedKeyEndsWithTheNextReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "keys.json")
		write := func(keys string) {
			if err := os.WriteFile(file, []byte(keys), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(secret("k1", "a"))
		environ := environment()
		environ["TOKEN_KEYS_SECRET"] = "file:" + file
		var keys session.Keys
		var verify func(context.Context, string) (identity.Identity, error)
		err := open(t, environ, func(ctx context.Context, s *app.Setup) (err error) {
			if keys, err = tokenkeys.Open(ctx, s); err != nil {
				return err
			}
			verify, err = tokenkeys.Verify(ctx, s)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		token, _, err := keys.Access(ctx).Sign(identity.Identity{Subject: "u1"})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := verify(ctx, token); err != nil {
				t.Fatal(err)
			}
		}
		write("[" + secret("k2", "b") + "," + strings.Replace(secret("k1", "a"), "active", "revoked", 1) + "]")
		time.Sleep(2 * time.Second) // of the test's clock; a file is read again after one
		if _, err := verify(ctx, token); err == nil {
			t.Error("a token of a revoked key is accepted")
		}
	})
}

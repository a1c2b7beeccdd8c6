package middleware_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/middleware"
)

func TestJWTAuthenticator(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return startOfTests }
	exp := strconv.FormatInt(startOfTests.Add(time.Second).Unix(), 10)
	past := strconv.FormatInt(startOfTests.Unix(), 10)
	subject := func(c identity.Claims) (identity.Identity, error) { return identity.Identity{Subject: c["sub"]}, nil }
	refuse := func(identity.Claims) (identity.Identity, error) {
		return identity.Identity{}, errors.New("another client")
	}
	for name, tc := range map[string]struct {
		claims identity.Claims
		header string
		read   func(identity.Claims) (identity.Identity, error)
		want   identity.Outcome // empty is an error
	}{
		"OK":                   {identity.Claims{"sub": "u1", "exp": exp}, "Bearer x", subject, identity.OK},
		"Expired":              {identity.Claims{"sub": "u1", "exp": past}, "Bearer x", subject, identity.TokenExpired},
		"NeverExpires":         {identity.Claims{"sub": "u1"}, "Bearer x", subject, identity.TokenExpired},
		"NoSubject":            {identity.Claims{"exp": exp}, "Bearer x", subject, identity.InvalidClaims},
		"Refused":              {identity.Claims{"sub": "u1", "exp": exp}, "Bearer x", refuse, identity.InvalidClaims},
		"Anonymous":            {nil, "", subject, identity.Anonymous},
		"WiredWithoutAChecker": {nil, "Bearer x", subject, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if tc.header != "" {
				r.Header.Set("Authorization", tc.header)
			}
			if tc.claims != nil {
				r = r.WithContext(identity.WithClaims(r.Context(), tc.claims))
			}
			got, err := middleware.JWTAuthenticator(tc.read, now)(r)
			if got.Outcome != tc.want || (err != nil) != (tc.want == "") {
				t.Errorf("got %q, %v, want %q", got.Outcome, err, tc.want)
			}
		})
	}
}

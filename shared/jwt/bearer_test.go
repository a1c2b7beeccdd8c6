package jwt_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
)

func TestBearer(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		values []string
		token  string
		want   identity.Outcome
	}{
		"OK":                   {[]string{"Bearer a.b-c_d~e+f/g=="}, "a.b-c_d~e+f/g==", identity.OK},
		"OKLowerCase":          {[]string{"bearer x"}, "x", identity.OK},
		"OKUpperCase":          {[]string{"BEARER x"}, "x", identity.OK},
		"OKSpaces":             {[]string{" Bearer   x \t"}, "x", identity.OK},
		"NoHeader":             {nil, "", identity.Anonymous},
		"Empty":                {[]string{""}, "", identity.InvalidRequest},
		"SchemeAlone":          {[]string{"Bearer"}, "", identity.InvalidRequest},
		"SchemeAndSpace":       {[]string{"Bearer "}, "", identity.InvalidRequest},
		"NoScheme":             {[]string{"a.b.c"}, "", identity.UnsupportedScheme},
		"OtherScheme":          {[]string{"Basic eDp5"}, "", identity.UnsupportedScheme},
		"DPoP":                 {[]string{"DPoP a.b.c"}, "", identity.UnsupportedScheme},
		"SchemeWithPrefix":     {[]string{"XBearer a.b.c"}, "", identity.UnsupportedScheme},
		"TabAfterTheScheme":    {[]string{"Bearer\tx"}, "", identity.InvalidRequest},
		"TwoHeaders":           {[]string{"Bearer x", "Bearer x"}, "", identity.InvalidRequest},
		"TwoHeadersJoined":     {[]string{"Bearer x,Bearer x"}, "", identity.InvalidRequest},
		"TwoSchemesJoined":     {[]string{"Basic eDp5, Bearer x"}, "", identity.UnsupportedScheme},
		"TwoTokens":            {[]string{"Bearer x y"}, "", identity.InvalidRequest},
		"Quoted":               {[]string{`Bearer "x"`}, "", identity.InvalidRequest},
		"Parameter":            {[]string{`Bearer realm="x"`}, "", identity.InvalidRequest},
		"PaddingOnly":          {[]string{"Bearer =="}, "", identity.InvalidRequest},
		"PaddingInside":        {[]string{"Bearer a=b"}, "", identity.InvalidRequest},
		"LineEndInside":        {[]string{"Bearer x\r\ny"}, "", identity.InvalidRequest},
		"NotASCII":             {[]string{"Bearer é"}, "", identity.InvalidRequest},
		"SchemeFoldsToBearer":  {[]string{"Bea\u017fer x"}, "", identity.UnsupportedScheme},
		"SchemeWithKelvinSign": {[]string{"Bearer\u212a x"}, "", identity.InvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, got := jwt.Bearer(tt.values)
			if token != tt.token || got != tt.want {
				t.Errorf("got %q, %s; want %q, %s", token, got, tt.token, tt.want)
			}
		})
	}
}

// outcomeError is the error of a check that wraps the verifier.
type outcomeError struct{ outcome identity.Outcome }

func (e outcomeError) Error() string             { return "refused" }
func (e outcomeError) Outcome() identity.Outcome { return e.outcome }

func TestAuthenticate(t *testing.T) {
	t.Parallel()

	secret := secretOf("a", "active", key1)
	verifier := newVerifier(t, cfg, secret, noon)
	token := mint(t, newSigner(t, cfg, secret, noon), alice())
	want, err := verifier.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(_ context.Context, token string) (identity.Identity, error) { return verifier.Verify(token) }
	failing := func(err error) func(context.Context, string) (identity.Identity, error) {
		return func(context.Context, string) (identity.Identity, error) { return alice(), err }
	}
	errDown := errors.New("the table does not answer")

	for name, tt := range map[string]struct {
		verify func(context.Context, string) (identity.Identity, error)
		header []string
		want   identity.Annotation
		err    error
	}{
		"OK":            {verify, []string{"Bearer " + token}, identity.Annotation{Outcome: identity.OK, Identity: want}, nil},
		"Anonymous":     {verify, nil, identity.Annotation{Outcome: identity.Anonymous}, nil},
		"Twice":         {verify, []string{"Bearer " + token, "Bearer " + token}, identity.Annotation{Outcome: identity.InvalidRequest}, nil},
		"Altered":       {verify, []string{"Bearer " + token + "x"}, identity.Annotation{Outcome: identity.InvalidToken}, nil},
		"Revoked":       {failing(outcomeError{identity.TokenRevoked}), []string{"Bearer x"}, identity.Annotation{Outcome: identity.TokenRevoked}, nil},
		"Unavailable":   {failing(outcomeError{identity.Unavailable}), []string{"Bearer x"}, identity.Annotation{Outcome: identity.Unavailable}, nil},
		"Unanswered":    {failing(errDown), []string{"Bearer x"}, identity.Annotation{}, errDown},
		"OKAsAnError":   {failing(outcomeError{identity.OK}), []string{"Bearer x"}, identity.Annotation{}, outcomeError{identity.OK}},
		"NobodyAsError": {failing(outcomeError{identity.Anonymous}), []string{"Bearer x"}, identity.Annotation{}, outcomeError{identity.Anonymous}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header["Authorization"] = tt.header
			got, err := jwt.Authenticate(tt.verify)(r)
			if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v (-want +got):\n%s", err, tt.err, diff)
			}
		})
	}

	rejectAll := func(context.Context, string) (identity.Identity, error) {
		return identity.Identity{Roles: []string{"admin"}}, nil
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer x")
	if a, err := jwt.Authenticate(rejectAll)(r); err == nil {
		t.Errorf("not authenticated: %+v", a)
	}
}

// A token in the query or in a form ends up in logs and histories.
func TestAuthenticateTakesTheHeaderOnly(t *testing.T) {
	t.Parallel()

	verify := func(context.Context, string) (identity.Identity, error) {
		t.Error("a token was found")
		return alice(), nil
	}
	form := url.Values{"access_token": {"x"}}.Encode()
	r := httptest.NewRequest(http.MethodPost, "/?"+form, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Amzn-Remapped-Authorization", "Bearer x")
	r.Header.Set("Proxy-Authorization", "Bearer x")
	r.AddCookie(&http.Cookie{Name: "access_token", Value: "x"})
	a, err := jwt.Authenticate(verify)(r)
	if err != nil || a.Outcome != identity.Anonymous {
		t.Errorf("got %s, %v", a.Outcome, err)
	}
}

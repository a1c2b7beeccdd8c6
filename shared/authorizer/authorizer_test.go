package authorizer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/authorizer"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/logging"
)

const token = "canary-token.abc.def"

type refusal identity.Outcome

func (r refusal) Error() string             { return "refused " + string(r) }
func (r refusal) Outcome() identity.Outcome { return identity.Outcome(r) }

func alice() identity.Identity {
	return identity.Identity{
		Subject: "alice", SessionID: "s1", Roles: []string{"catalog", "fulfilment"},
		ExpiresAt: time.Unix(1795522500, 0).UTC(),
	}
}

// onlyToken accepts token and nothing else.
func onlyToken(_ context.Context, got string) (identity.Identity, error) {
	if got != token {
		return identity.Identity{}, refusal(identity.InvalidToken)
	}
	return alice(), nil
}

func answers(id identity.Identity, err error) authorizer.VerifierFunc {
	return func(context.Context, string) (identity.Identity, error) { return id, err }
}

func newAuthorizer(t testing.TB, v authorizer.VerifierFunc, cfg authorizer.Config) *authorizer.Authorizer {
	t.Helper()
	a, err := authorizer.New(v, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(header string) events.APIGatewayV2CustomAuthorizerV2Request {
	return events.APIGatewayV2CustomAuthorizerV2Request{
		Version: "2.0", Type: "REQUEST", RouteKey: "GET /v1/products",
		Headers: map[string]string{"accept": "*/*", "authorization": header},
	}
}

// authorize returns the annotation as the function behind the gateway reads it.
func authorize(t *testing.T, a *authorizer.Authorizer, req events.APIGatewayV2CustomAuthorizerV2Request) identity.Annotation {
	t.Helper()
	resp, err := a.Authorize(t.Context(), req)
	if err != nil || !resp.IsAuthorized {
		t.Fatalf("isAuthorized %t, error %v; the authorizer must annotate, not deny", resp.IsAuthorized, err)
	}
	data, err := json.Marshal(resp)
	if err != nil {
		t.Fatal(err)
	}
	var wire struct{ Context map[string]string } // strings only, or this fails
	if err := json.Unmarshal(data, &wire); err != nil {
		t.Fatal(err)
	}
	annotation, err := identity.ParseAnnotation(wire.Context)
	if err != nil {
		t.Fatal(err)
	}
	return annotation
}

func TestCredentials(t *testing.T) {
	t.Parallel()

	none := events.APIGatewayV2CustomAuthorizerV2Request{}
	headers := func(pairs ...string) events.APIGatewayV2CustomAuthorizerV2Request {
		h := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			h[pairs[i]] = pairs[i+1]
		}
		return events.APIGatewayV2CustomAuthorizerV2Request{Headers: h}
	}
	sources := func(s ...string) events.APIGatewayV2CustomAuthorizerV2Request {
		return events.APIGatewayV2CustomAuthorizerV2Request{IdentitySource: s}
	}
	query := none
	query.QueryStringParameters = map[string]string{"access_token": token}
	query.RawQueryString = "access_token=" + token

	for name, tt := range map[string]struct {
		req  events.APIGatewayV2CustomAuthorizerV2Request
		want identity.Outcome
	}{
		"OneBearer":         {request("Bearer " + token), identity.OK},
		"SchemeInLowerCase": {request("bearer " + token), identity.OK},
		"SchemeInCapitals":  {request("BEARER " + token), identity.OK},
		"SpacesAround":      {request("  Bearer   " + token + " \t"), identity.OK},
		"HeaderInTitleCase": {headers("Authorization", "Bearer "+token), identity.OK},
		"IdentitySource":    {sources("Bearer "+token, "GET /v1/products"), identity.OK},
		"HeaderAndIdentitySource": {func() (r events.APIGatewayV2CustomAuthorizerV2Request) {
			r = request("Bearer " + token)
			r.IdentitySource = []string{"Bearer " + token}
			return r
		}(), identity.OK},
		"UnknownToken":             {request("Bearer other"), identity.InvalidToken},
		"NoHeader":                 {none, identity.Anonymous},
		"OtherHeadersOnly":         {headers("x-authorization", "Bearer "+token, "cookie", "authorization=Bearer "+token), identity.Anonymous},
		"OnlyARouteKey":            {sources("GET /v1/products"), identity.Anonymous},
		"TokenInTheQuery":          {query, identity.Anonymous},
		"EmptyHeader":              {request(""), identity.InvalidRequest},
		"OtherScheme":              {request("Basic dTpw"), identity.UnsupportedScheme},
		"SchemeOnly":               {request("Bearer"), identity.InvalidRequest},
		"SchemeAndSpace":           {request("Bearer  "), identity.InvalidRequest},
		"TokenOnly":                {request(token), identity.UnsupportedScheme},
		"SchemeGluedToTheToken":    {request("Bearer" + token), identity.UnsupportedScheme},
		"TabBehindTheScheme":       {request("Bearer\t" + token), identity.InvalidRequest},
		"RepeatedAndJoined":        {request("Bearer " + token + ",Bearer " + token), identity.InvalidRequest},
		"RepeatedWithSpace":        {request("Bearer " + token + ", Bearer " + token), identity.InvalidRequest},
		"TwoTokens":                {request("Bearer " + token + " " + token), identity.InvalidRequest},
		"SchemeTwice":              {request("Bearer Bearer " + token), identity.InvalidRequest},
		"TwoSpellings":             {headers("authorization", "Bearer "+token, "Authorization", "Bearer "+token), identity.InvalidRequest},
		"TwoSpellingsOneEmpty":     {headers("authorization", "Bearer "+token, "AUTHORIZATION", ""), identity.InvalidRequest},
		"TwoIdentitySources":       {sources("Bearer "+token, "Bearer "+token), identity.InvalidRequest},
		"Quoted":                   {request(`Bearer "` + token + `"`), identity.InvalidRequest},
		"LineEndInside":            {request("Bearer " + token + "\r\nx: y"), identity.InvalidRequest},
		"NotASCII":                 {request("Bearer tokén"), identity.InvalidRequest},
		"PaddingOnly":              {request("Bearer =="), identity.InvalidRequest},
		"PaddingInside":            {request("Bearer a=b"), identity.InvalidRequest},
		"AuthParameters":           {request(`Bearer realm="x"`), identity.InvalidRequest},
		"LongSchemeUnicodeFolding": {request("Bearer\u212a " + token), identity.InvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := authorize(t, newAuthorizer(t, onlyToken, authorizer.Config{}), tt.req)
			want := identity.Annotation{Outcome: tt.want}
			if tt.want == identity.OK {
				want.Identity = alice()
				want.Identity.Scopes, want.Identity.AMR = []string{}, []string{}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestVerifierAnswers(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		verifier authorizer.VerifierFunc
		want     identity.Outcome
	}{
		"Expired":           {answers(alice(), refusal(identity.TokenExpired)), identity.TokenExpired},
		"Revoked":           {answers(alice(), fmt.Errorf("check: %w", refusal(identity.TokenRevoked))), identity.TokenRevoked},
		"InvalidClaims":     {answers(alice(), refusal(identity.InvalidClaims)), identity.InvalidClaims},
		"Unavailable":       {answers(alice(), refusal(identity.Unavailable)), identity.Unavailable},
		"StoreFails":        {answers(alice(), errors.New("timeout")), identity.Unavailable},
		"ErrorClaimsOK":     {answers(alice(), refusal(identity.OK)), identity.Unavailable},
		"ErrorClaimsNobody": {answers(alice(), refusal(identity.Anonymous)), identity.Unavailable},
		"ErrorIsMadeUp":     {answers(alice(), refusal("root")), identity.Unavailable},
		"NoSubject":         {answers(identity.Identity{SessionID: "s"}, nil), identity.Unavailable},
		"Panics":            {func(_ context.Context, token string) (identity.Identity, error) { panic(token) }, identity.Unavailable},
		"PanicsWithNil":     {func(context.Context, string) (identity.Identity, error) { panic(nil) }, identity.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := identity.Annotation{Outcome: tt.want}
			got := authorize(t, newAuthorizer(t, tt.verifier, authorizer.Config{}), request("Bearer "+token))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}

			// With a result cache, the gateway must not cache a failed check.
			resp, err := newAuthorizer(t, tt.verifier, authorizer.Config{ResultTTLSeconds: 60}).Authorize(t.Context(), request("Bearer "+token))
			if tt.want == identity.Unavailable {
				if !errors.Is(err, authorizer.ErrUnavailable) || resp.IsAuthorized {
					t.Errorf("cached: %+v, %v; want ErrUnavailable", resp, err)
				}
			} else if err != nil || !resp.IsAuthorized {
				t.Errorf("cached: %+v, %v", resp, err)
			}
		})
	}
}

func TestTokenIsNeverLogged(t *testing.T) {
	t.Parallel()

	for name, verifier := range map[string]authorizer.VerifierFunc{
		"PanicsWithTheToken": func(_ context.Context, token string) (identity.Identity, error) { panic("bad " + token) },
		"PanicsWithAnError":  func(_ context.Context, token string) (identity.Identity, error) { panic(errors.New(token)) },
		"StoreFails":         answers(identity.Identity{}, errors.New("no answer")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log, err := logging.New(logging.Config{DisableRedaction: true}, &out)
			if err != nil {
				t.Fatal(err)
			}
			a := newAuthorizer(t, verifier, authorizer.Config{})
			if _, err := a.Authorize(logging.With(t.Context(), log), request("Bearer "+token)); err != nil {
				t.Fatal(err)
			}
			if out.Len() == 0 || strings.Contains(out.String(), "canary") {
				t.Errorf("logged %s", out.String())
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()

	if _, err := authorizer.New(nil, authorizer.Config{}); err == nil {
		t.Error("a nil verifier was accepted")
	}
	if _, err := authorizer.New(onlyToken, authorizer.Config{ResultTTLSeconds: -1}); err == nil {
		t.Error("a negative TTL was accepted")
	}
}

// verifier returns a real verifier and a token that it accepts.
func verifier(t testing.TB) (authorizer.VerifierFunc, string) {
	t.Helper()
	cfg := jwt.Config{Issuer: "iss", Audience: "api"}
	keys, err := jwt.ParseKeys([]byte(`{"kid":"a","alg":"HS256","status":"active","key":"0123456789abcdef0123456789abcdef"}`))
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return time.Unix(1795521600, 0) }
	signer, err := jwt.NewSigner(cfg, keys, clock)
	if err != nil {
		t.Fatal(err)
	}
	minted, _, err := signer.Sign(alice())
	if err != nil {
		t.Fatal(err)
	}
	v, err := jwt.NewVerifier(cfg, keys, clock)
	if err != nil {
		t.Fatal(err)
	}
	return func(_ context.Context, token string) (identity.Identity, error) { return v.Verify(token) }, minted
}

func TestWithRealTokens(t *testing.T) {
	t.Parallel()

	v, minted := verifier(t)
	a := newAuthorizer(t, v, authorizer.Config{})
	want := identity.Annotation{Outcome: identity.OK, Identity: alice()}
	got := authorize(t, a, request("Bearer "+minted))
	want.Identity.Scopes, want.Identity.AMR = []string{}, []string{}
	// The signer sets these claims itself.
	want.Identity.TokenID, want.Identity.IssuedAt, want.Identity.KeyID = got.Identity.TokenID, got.Identity.IssuedAt, "a"
	if got.Identity.TokenID == "" || got.Identity.IssuedAt.IsZero() {
		t.Error("token id or time of issue is missing")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := authorize(t, a, request("Bearer "+minted+"x")); got.Outcome != identity.InvalidToken {
		t.Errorf("an altered token is %s", got.Outcome)
	}
}

// sam local sends header names in title case.
func TestTitleCaseEvent(t *testing.T) {
	t.Parallel()

	data, err := os.ReadFile(filepath.Join("testdata", "working_title_case.json"))
	if err != nil {
		t.Fatal(err)
	}
	var req events.APIGatewayV2CustomAuthorizerV2Request
	if err := json.Unmarshal(data, &req); err != nil {
		t.Fatal(err)
	}
	got := authorize(t, newAuthorizer(t, onlyToken, authorizer.Config{}), req)
	if got.Outcome != identity.OK {
		t.Errorf("outcome %s", got.Outcome)
	}
}

func FuzzAuthorize(f *testing.F) {
	v, _ := verifier(f)
	a := newAuthorizer(f, v, authorizer.Config{})
	f.Add("authorization", "Bearer x.y.z", "")
	f.Add("Authorization", "", "Bearer a")
	f.Add("AUTHORIZATION", "bearer =", "GET /")
	f.Fuzz(func(t *testing.T, name, value, source string) {
		resp, err := a.Authorize(t.Context(), events.APIGatewayV2CustomAuthorizerV2Request{
			Headers: map[string]string{name: value}, IdentitySource: []string{source},
		})
		if err != nil || !resp.IsAuthorized {
			t.Fatalf("%+v, %v", resp, err)
		}
		if resp.Context["auth"] == string(identity.OK) || len(resp.Context) != 1 {
			t.Errorf("accepted: %v", resp.Context)
		}
	})
}

func BenchmarkAuthorize(b *testing.B) {
	v, minted := verifier(b)
	a := newAuthorizer(b, v, authorizer.Config{})
	for name, req := range map[string]events.APIGatewayV2CustomAuthorizerV2Request{
		"Good":      request("Bearer " + minted),
		"Garbage":   request("Bearer " + strings.Repeat("garbage", 80)),
		"Anonymous": {},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Authorize(b.Context(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

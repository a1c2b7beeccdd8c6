package jwt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tienda-dev/tienda/shared/identity"
)

// These tests are in the package because they forge tokens with our key. Each input is one that golang-jwt
// accepts with its defaults and that Verify must refuse.

const (
	forgeKey    = "first-key-first-key-first-key-01"
	forgeHeader = `{"alg":"HS256","kid":"a","typ":"at+jwt"}`
	// forgeClaims is a good claim set at forgeNow; %s takes more members.
	forgeClaims = `{"iss":"iss","sub":"alice","aud":["api"],"iat":1795521600,"nbf":1795521600,"exp":1795522500,"jti":"j"%s}`
)

func forgeNow() time.Time { return time.Unix(1795521600, 0) }

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func forgeSigned(signed, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func forge(header, payload string) string {
	return forgeSigned(encode(header)+"."+encode(payload), forgeKey)
}

func with(members string) string { return fmt.Sprintf(forgeClaims, members) }

// replaced returns the good claims with one member in another form.
func replaced(member, by string) string { return strings.Replace(with(""), member, by, 1) }

// naiveClaims are the claims of a program that follows the library's example.
type naiveClaims struct {
	jwt.RegisteredClaims
	Roles []string `json:"roles"`
}

// naive verifies as the library's documentation does.
func naive(token, key string, claims jwt.Claims, options ...jwt.ParserOption) error {
	options = append(options, jwt.WithTimeFunc(forgeNow))
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return []byte(key), nil }, options...)
	return err
}

func forgeVerifier(t *testing.T) *Verifier {
	t.Helper()
	keys, err := ParseKeys([]byte(`{"kid":"a","alg":"HS256","status":"active","key":"` + forgeKey + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(Config{Issuer: "iss", Audience: "api"}, keys, forgeNow)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// flipLast changes the bits of the last character that no byte of the signature uses.
func flipLast(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last^1])
}

func TestVerifyRefusesWhatTheLibraryAccepts(t *testing.T) {
	t.Parallel()

	verifier := forgeVerifier(t)
	good := forge(forgeHeader, with(""))
	if _, err := verifier.Verify(good); err != nil {
		t.Fatalf("the good token is refused: %v", err)
	}
	lastDot := strings.LastIndexByte(good, '.')
	const exp = `"exp":1795522500`

	for name, tt := range map[string]struct {
		token   string
		mapped  bool // the library accepts it into MapClaims, not into a struct
		options []jwt.ParserOption
		want    identity.Outcome
	}{
		"UnknownCrit":       {token: forge(`{"alg":"HS256","kid":"a","typ":"at+jwt","crit":["x"],"x":1}`, with("")), want: identity.InvalidToken},
		"EmptyCrit":         {token: forge(`{"alg":"HS256","kid":"a","typ":"at+jwt","crit":[]}`, with("")), want: identity.InvalidToken},
		"UnencodedPayload":  {token: forge(`{"alg":"HS256","b64":false,"kid":"a","typ":"at+jwt"}`, with("")), want: identity.InvalidToken},
		"NoType":            {token: forge(`{"alg":"HS256","kid":"a"}`, with("")), want: identity.InvalidToken},
		"RefreshType":       {token: forge(`{"alg":"HS256","kid":"a","typ":"rt+jwt"}`, with("")), want: identity.InvalidToken},
		"PlainType":         {token: forge(`{"alg":"HS256","kid":"a","typ":"JWT"}`, with("")), want: identity.InvalidToken},
		"HeaderMemberTwice": {token: forge(`{"alg":"none","alg":"HS256","kid":"a","typ":"at+jwt"}`, with("")), want: identity.InvalidToken},
		"HeaderWithSpace":   {token: forge(`{"alg":"HS256", "kid":"a","typ":"at+jwt"}`, with("")), want: identity.InvalidToken},
		"HeaderReordered":   {token: forge(`{"typ":"at+jwt","kid":"a","alg":"HS256"}`, with("")), want: identity.InvalidToken},
		"EmbeddedKey":       {token: forge(`{"alg":"HS256","jwk":{"kty":"oct","k":"AA"},"kid":"a","typ":"at+jwt"}`, with("")), want: identity.InvalidToken},
		"KeyURL":            {token: forge(`{"alg":"HS256","jku":"https://evil.example","kid":"a","typ":"at+jwt"}`, with("")), want: identity.InvalidToken},
		"KidIsAnObject":     {token: forge(`{"alg":"HS256","kid":{},"typ":"at+jwt"}`, with("")), want: identity.InvalidToken},
		"KidIsAPath":        {token: forge(`{"alg":"HS256","kid":"../../dev/null","typ":"at+jwt"}`, with("")), want: identity.InvalidToken},

		"LastBitsFlipped":    {token: flipLast(good), want: identity.InvalidToken},
		"NewlineInSignature": {token: good[:lastDot+20] + "\r\n" + good[lastDot+20:], options: []jwt.ParserOption{jwt.WithStrictDecoding()}, want: identity.InvalidToken},
		"NewlineAtTheEnd":    {token: good + "\n", options: []jwt.ParserOption{jwt.WithStrictDecoding()}, want: identity.InvalidToken},
		"NewlineInPayload": {token: func() string {
			p := encode(with(""))
			return forgeSigned(encode(forgeHeader)+"."+p[:10]+"\n"+p[10:], forgeKey)
		}(), want: identity.InvalidToken},
		"CarriageReturnInPayload": {token: func() string {
			p := encode(with(""))
			return forgeSigned(encode(forgeHeader)+"."+p[:10]+"\r"+p[10:], forgeKey)
		}(), want: identity.InvalidToken},
		"PayloadWithLooseBits": {token: func() string {
			p := encode(with(` `)) // ends with bits that no byte uses
			return forgeSigned(encode(forgeHeader)+"."+flipLast(p), forgeKey)
		}(), want: identity.InvalidClaims},
		"Long": {token: forge(forgeHeader, with(`,"x":"`+strings.Repeat("a", 4000)+`"`)), want: identity.InvalidToken},

		"NoExp":                   {token: forge(forgeHeader, replaced(exp+",", "")), want: identity.InvalidClaims},
		"NullPayload":             {token: forge(forgeHeader, `null`), want: identity.InvalidClaims},
		"EmptyPayload":            {token: forge(forgeHeader, `{}`), want: identity.InvalidClaims},
		"ExpZero":                 {token: forge(forgeHeader, replaced(exp, `"exp":0`)), mapped: true, want: identity.InvalidClaims},
		"ExpNull":                 {token: forge(forgeHeader, replaced(exp, `"exp":null`)), want: identity.InvalidClaims},
		"ExpIsAString":            {token: forge(forgeHeader, replaced(exp, `"exp":"1795522500"`)), want: identity.InvalidClaims},
		"ExpIsAFraction":          {token: forge(forgeHeader, replaced(exp, `"exp":1795522500.5`)), want: identity.InvalidClaims},
		"ExpHasAnExponent":        {token: forge(forgeHeader, replaced(exp, `"exp":1.7955225e9`)), want: identity.InvalidClaims},
		"ExpInAThousandYears":     {token: forge(forgeHeader, replaced(exp, `"exp":33352000000`)), want: identity.InvalidClaims},
		"NbfOverflows":            {token: forge(forgeHeader, replaced(`"nbf":1795521600`, `"nbf":1e19`)), want: identity.InvalidClaims},
		"NoNbf":                   {token: forge(forgeHeader, replaced(`"nbf":1795521600,`, ``)), want: identity.InvalidClaims},
		"IatInTheFuture":          {token: forge(forgeHeader, replaced(`"iat":1795521600`, `"iat":1795521700`)), want: identity.InvalidClaims},
		"NoIat":                   {token: forge(forgeHeader, replaced(`"iat":1795521600,`, ``)), want: identity.InvalidClaims},
		"ExpInCapitals":           {token: forge(forgeHeader, `{"iss":"iss","sub":"alice","aud":["api"],"iat":1795521600,"nbf":1795521600,"exp":1,"EXP":1795522500,"jti":"j"}`), want: identity.InvalidClaims},
		"RolesInCapitals":         {token: forge(forgeHeader, with(`,"ROLES":["admin"]`)), want: identity.InvalidClaims},
		"RolesWithLongS":          {token: forge(forgeHeader, with(`,"roleſ":["admin"]`)), want: identity.InvalidClaims},
		"EscapedName":             {token: forge(forgeHeader, with(`,"\u0072oles":["admin"]`)), want: identity.InvalidClaims},
		"ClaimTwice":              {token: forge(forgeHeader, with(`,"sub":"admin"`)), want: identity.InvalidClaims},
		"RolesTwice":              {token: forge(forgeHeader, with(`,"roles":["a"],"roles":["admin"]`)), want: identity.InvalidClaims},
		"UnknownClaimTwice":       {token: forge(forgeHeader, with(`,"x":1,"x":2`)), want: identity.InvalidClaims},
		"TrailingValue":           {token: forge(forgeHeader, with("")+`{"sub":"admin"}`), options: []jwt.ParserOption{jwt.WithJSONNumber()}, want: identity.InvalidClaims},
		"EmptyIssuerOption":       {token: forge(forgeHeader, replaced(`"iss":"iss"`, `"iss":"x"`)), options: []jwt.ParserOption{jwt.WithIssuer("")}, want: identity.InvalidClaims},
		"NoAudienceOption":        {token: forge(forgeHeader, replaced(`["api"]`, `["other"]`)), options: []jwt.ParserOption{jwt.WithAudience()}, want: identity.InvalidClaims},
		"SecondAudience":          {token: forge(forgeHeader, replaced(`["api"]`, `["api","other"]`)), options: []jwt.ParserOption{jwt.WithAudience("api")}, want: identity.InvalidClaims},
		"NoSubject":               {token: forge(forgeHeader, replaced(`"sub":"alice",`, ``)), want: identity.InvalidClaims},
		"EmptySubject":            {token: forge(forgeHeader, replaced(`"alice"`, `""`)), want: identity.InvalidClaims},
		"SubjectWithNewline":      {token: forge(forgeHeader, replaced(`"alice"`, `"alice\nadmin"`)), want: identity.InvalidClaims},
		"SubjectIsNotUTF8":        {token: forge(forgeHeader, replaced(`"alice"`, "\"al\xffice\"")), want: identity.InvalidClaims},
		"RoleThatWouldSplit":      {token: forge(forgeHeader, with(`,"roles":["reader admin"]`)), want: identity.InvalidClaims},
		"RolesWithANull":          {token: forge(forgeHeader, with(`,"roles":[null]`)), want: identity.InvalidClaims},
		"RolesNull":               {token: forge(forgeHeader, with(`,"roles":null`)), want: identity.InvalidClaims},
		"AuthTimeOverflows":       {token: forge(forgeHeader, with(`,"auth_time":18446744073709551617`)), want: identity.InvalidClaims},
		"SubjectWithNUL":          {token: forge(forgeHeader, replaced(`"alice"`, `"alice\u0000admin"`)), want: identity.InvalidClaims},
		"AMRThatWouldSplit":       {token: forge(forgeHeader, with(`,"amr":["pwd otp"]`)), want: identity.InvalidClaims},
		"AMRIsAString":            {token: forge(forgeHeader, with(`,"amr":"otp"`)), want: identity.InvalidClaims},
		"AuthzVersionIsNegative":  {token: forge(forgeHeader, with(`,"authz_ver":-1`)), want: identity.InvalidClaims},
		"AuthzVersionIsTooLarge":  {token: forge(forgeHeader, with(`,"authz_ver":9007199254740992`)), want: identity.InvalidClaims},
		"AuthzVersionInCapitals":  {token: forge(forgeHeader, with(`,"AUTHZ_VER":9`)), want: identity.InvalidClaims},
		"MillisecondsOfAnother":   {token: forge(forgeHeader, with(`,"iat_ms":1795521601000`)), want: identity.InvalidClaims},
		"TokenIDWithSpace":        {token: forge(forgeHeader, replaced(`"j"`, `"j k"`)), want: identity.InvalidClaims},
		"LivesTooLong":            {token: forge(forgeHeader, replaced(exp, `"exp":1795525201`)), want: identity.InvalidClaims},
		"NoTokenID":               {token: forge(forgeHeader, replaced(`,"jti":"j"`, ``)), want: identity.InvalidClaims},
		"NeverAliveAndNotExpired": {token: forge(forgeHeader, replaced(`"iat":1795521600`, `"iat":1795521605`)), want: identity.OK}, // the leeway works
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var claims jwt.Claims = &naiveClaims{}
			if tt.mapped {
				claims = jwt.MapClaims{}
			}
			if err := naive(tt.token, forgeKey, claims, tt.options...); err != nil && tt.want != identity.OK {
				t.Errorf("the library refuses it too, so the case proves nothing: %v", err)
			}

			id, err := verifier.Verify(tt.token)
			if tt.want == identity.OK {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			var refused *Error
			if !errors.As(err, &refused) || refused.Outcome() != tt.want {
				t.Fatalf("accepted as %q, or refused otherwise: %v; want %s", id.Subject, err, tt.want)
			}
			for _, private := range []string{"alice", "admin", "evil", forgeKey, tt.token} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("the error contains %q: %v", private, err)
				}
			}
		})
	}
}

// The library verifies with an empty key; ParseKeys refuses one.
func TestEmptyKey(t *testing.T) {
	t.Parallel()

	token := forgeSigned(encode(forgeHeader)+"."+encode(with("")), "")
	if err := naive(token, "", &naiveClaims{}); err != nil {
		t.Errorf("the library refuses it too: %v", err)
	}
	var none []byte
	_, err := jwt.ParseWithClaims(token, &naiveClaims{}, func(*jwt.Token) (any, error) { return none, nil }, jwt.WithTimeFunc(forgeNow))
	if err != nil {
		t.Errorf("the library refuses a nil key: %v", err)
	}
	for _, secret := range []string{`""`, `null`} {
		if _, err := ParseKeys([]byte(`{"kid":"a","alg":"HS256","status":"active","key":` + secret + `}`)); !errors.Is(err, ErrKeys) {
			t.Errorf("error = %v, want ErrKeys", err)
		}
	}
}

func TestVerifyRefusesWhatTheLibraryRefuses(t *testing.T) {
	t.Parallel()

	verifier := forgeVerifier(t)
	good := forge(forgeHeader, with(""))
	header, payload := encode(forgeHeader), encode(with(""))
	for name, tt := range map[string]struct {
		token string
		want  identity.Outcome
	}{
		"AlgNone":           {encode(`{"alg":"none","kid":"a","typ":"at+jwt"}`) + "." + payload + ".", identity.InvalidToken},
		"AlgNoneSigned":     {forge(`{"alg":"nOnE","kid":"a","typ":"at+jwt"}`, with("")), identity.InvalidToken},
		"AlgInOtherCase":    {forge(`{"alg":"hs256","kid":"a","typ":"at+jwt"}`, with("")), identity.InvalidToken},
		"AlgHS512":          {forge(`{"alg":"HS512","kid":"a","typ":"at+jwt"}`, with("")), identity.InvalidToken},
		"AlgIsAList":        {forge(`{"alg":["HS256"],"kid":"a","typ":"at+jwt"}`, with("")), identity.InvalidToken},
		"AlgIsNull":         {forge(`{"alg":null,"kid":"a","typ":"at+jwt"}`, with("")), identity.InvalidToken},
		"FourSegments":      {good + ".x", identity.InvalidToken},
		"TwoSegments":       {header + "." + payload, identity.InvalidToken},
		"EmptySignature":    {header + "." + payload + ".", identity.InvalidToken},
		"EmptyPayload":      {forgeSigned(header+".", forgeKey), identity.InvalidToken},
		"Padded":            {good + "=", identity.InvalidToken},
		"JSONSerialization": {`{"protected":"` + header + `","payload":"` + payload + `"}`, identity.InvalidToken},
		"OnlyDots":          {strings.Repeat(".", 4000), identity.InvalidToken},
		"AMebibyteOfDots":   {strings.Repeat(".", 1<<20), identity.InvalidToken},
		"NoJSON":            {forge(forgeHeader, "x"), identity.InvalidClaims},
		"AList":             {forge(forgeHeader, "[]"), identity.InvalidClaims},
		"Deep":              {forge(forgeHeader, strings.Repeat("[", 2900)), identity.InvalidClaims},
		"DeepMember":        {forge(forgeHeader, with(`,"x":`+strings.Repeat("[", 1300))), identity.InvalidClaims},
		"TrailingValue":     {forge(forgeHeader, with("")+"{}"), identity.InvalidClaims},
		"Empty":             {"", identity.InvalidToken},
		// The example of RFC 7515 appendix A.1.
		"OfTheStandard": {"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt" +
			"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", identity.InvalidToken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verifier.Verify(tt.token)
			var refused *Error
			if !errors.As(err, &refused) || refused.Outcome() != tt.want {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

// A newer signer may add claims, which an older verifier must ignore.
func TestUnknownClaimsAreSkipped(t *testing.T) {
	t.Parallel()

	token := forge(forgeHeader, with(` , "act" : [ "x" , {"a":"]}\""} ] ,"acr":3, "cnf":{"jkt":"x"},"roles":[ "catalog" , "b" ]`))
	id, err := forgeVerifier(t).Verify(token)
	if err != nil || len(id.Roles) != 2 || id.Roles[0] != "catalog" {
		t.Errorf("got %+v, %v", id, err)
	}
}

// Expired is returned only when the token is otherwise valid: a client then asks for a new one, which would
// not help against another fault.
func TestExpiredOnlyWhenOtherwiseValid(t *testing.T) {
	t.Parallel()

	const expired = `{"iss":"iss","sub":"alice","aud":["api"],"iat":1795520000,"nbf":1795520000,"exp":1795520900,"jti":"j"}`
	for name, tt := range map[string]struct {
		old, new string
		want     identity.Outcome
	}{
		"Expired":           {"", "", identity.TokenExpired},
		"AndOfAnother":      {`"iss":"iss"`, `"iss":"x"`, identity.InvalidClaims},
		"AndNotForUs":       {`"api"`, `"other"`, identity.InvalidClaims},
		"AndNotYetValid":    {`"nbf":1795520000`, `"nbf":1795521700`, identity.InvalidClaims},
		"AndWithoutNbf":     {`"nbf":1795520000,`, ``, identity.InvalidClaims},
		"AndIssuedTomorrow": {`"iat":1795520000`, `"iat":1795521700`, identity.InvalidClaims},
		"AndLivedTooLong":   {`"iat":1795520000`, `"iat":1795510000`, identity.InvalidClaims},
		"AndOfNobody":       {`"sub":"alice",`, ``, identity.InvalidClaims},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := forgeVerifier(t).Verify(forge(forgeHeader, strings.Replace(expired, tt.old, tt.new, 1)))
			var refused *Error
			if !errors.As(err, &refused) || refused.Outcome() != tt.want {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

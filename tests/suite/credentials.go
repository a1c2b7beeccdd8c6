package suite

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// unauthorized is the gateway's own answer to a request without a token, on a route that needs one.
const unauthorized = `{"message":"Unauthorized"}`

// credential is an Authorization header that is not accepted.
type credential struct {
	header    string
	want      refusal
	challenge string
}

// credentials are those that every route with an authorizer refuses.
func (c *Caller) credentials(t *testing.T) map[string]credential {
	t.Helper()
	good := c.As(t, roleCatalog, roleFulfilment)
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	last := "A"
	if strings.HasPrefix(signature, "A") {
		last = "B"
	}
	invalidToken := func(header string) credential {
		return credential{header, refused(http.StatusUnauthorized, "invalid_token"), `Bearer error="invalid_token"`}
	}
	otherScheme := func(header string) credential {
		return credential{header, refused(http.StatusUnauthorized, "missing_token"), `Bearer realm="api"`}
	}
	invalidRequest := func(header string) credential {
		return credential{header, refused(http.StatusBadRequest, "invalid_request"), `Bearer error="invalid_request"`}
	}
	return map[string]credential{
		"Garbage":        invalidToken("Bearer garbage"),
		"ThreeSegments":  invalidToken("Bearer a.b.c"),
		"OtherSignature": invalidToken("Bearer " + header + "." + payload + "." + last + signature[1:]),
		"NoSignature":    invalidToken("Bearer " + header + "." + payload + "."),
		"AlgorithmNone":  invalidToken("Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + payload + "."),
		"OtherClaims":    invalidToken("Bearer " + header + "." + payload[:len(payload)-4] + "AAAA." + signature),
		"VeryLong":       invalidToken("Bearer " + repeat("a", 5000)),
		"IssuedTomorrow": invalidToken("Bearer " + c.token(t, time.Now().Add(24*time.Hour), "user", roleCatalog, roleFulfilment)),
		"Expired": {
			"Bearer " + c.token(t, time.Now().Add(-24*time.Hour), "user", roleCatalog, roleFulfilment),
			refused(http.StatusUnauthorized, "token_expired"), `Bearer error="invalid_token"`,
		},
		"Basic":        otherScheme("Basic dXNlcjpwYXNz"),
		"Digest":       otherScheme(`Digest username="a", realm="b"`),
		"NoScheme":     otherScheme(good),
		"SchemeOnly":   invalidRequest("Bearer"),
		"TwoTokens":    invalidRequest("Bearer " + good + ", Bearer " + good),
		"TokenWithTab": invalidRequest("Bearer a\tb"),
	}
}

func (c *Caller) testCredentials(t *testing.T) {
	p := c.Create(t, NewProduct())
	c.Move(t, p, 5)
	stock := c.Stock(t, p)
	body := NewProduct()

	public := map[string]string{
		"list-products":   "/v1/products" + query("category", p.Category),
		"search-products": "/v1/products/search" + query("q", p.SKU),
		"get-product":     p.path(),
	}
	staff := []string{roleCatalog, roleFulfilment, roleSupport, roleAdmin}

	protected := map[string]struct {
		request Request
		roles   []string
	}{
		"create-product":      {c.Creation(t, body.String()), []string{roleCatalog}},
		"update-product":      {c.Patching(t, p, `{"name":"Other"}`), []string{roleCatalog}},
		"archive-product":     {Request{Method: http.MethodDelete, Path: p.path()}, []string{roleCatalog}},
		"get-inventory":       {Request{Method: http.MethodGet, Path: p.path() + "/inventory"}, []string{roleCatalog, roleFulfilment}},
		"list-staff-products": {Request{Method: http.MethodGet, Path: "/v1/staff/products?limit=1"}, staff},
		"get-staff-product":   {Request{Method: http.MethodGet, Path: p.staffPath()}, staff},
		"adjust-inventory":    {c.Adjusting(t, p, unique(), Movement(1)), []string{roleFulfilment}},
	}
	// A group of sub-tests, so that the read comes after all of them.
	t.Run("Protected", func(t *testing.T) {
		for route, tc := range protected {
			t.Run(route, func(t *testing.T) {
				t.Parallel()
				c.testProtected(t, tc.request, tc.roles)
			})
		}
	})
	for route, path := range public {
		t.Run("Public_"+route, func(t *testing.T) {
			t.Parallel()
			want := c.Do(t, Request{Method: http.MethodGet, Path: path}).want(t, http.StatusOK)
			for name, bad := range c.credentials(t) {
				got := c.Do(t, Request{Method: http.MethodGet, Path: path, Header: map[string]string{headerAuthorization: bad.header}}).want(t, http.StatusOK)
				if diff := cmp.Diff(string(want.Body), string(got.Body)); diff != "" {
					t.Errorf("%s changes the answer (-without +with):\n%s", name, diff)
				}
			}
		})
	}
	t.Run("SchemeInAnyLetterCase", func(t *testing.T) {
		t.Parallel()
		for _, scheme := range []string{"bearer", "BEARER"} {
			c.Do(t, Request{
				Method: http.MethodGet, Path: p.path() + "/inventory",
				Header: map[string]string{headerAuthorization: scheme + " " + c.As(t, roleCatalog)},
			}).want(t, http.StatusOK)
		}
	})
	t.Run("TokenInTheQueryIsIgnored", func(t *testing.T) {
		t.Parallel()
		a := c.Do(t, Request{
			Method: http.MethodGet, Path: p.path() + "/inventory" + query("access_token", c.As(t, roleCatalog)), ByGateway: true,
		}).want(t, http.StatusUnauthorized)
		if string(a.Body) != unauthorized {
			t.Errorf("body %s, want %s", a.Body, unauthorized)
		}
	})
	t.Run("ClientCannotNameItsIdentity", func(t *testing.T) {
		t.Parallel()
		draft := c.Create(t, NewProduct().With(Document{"status": "draft"}))
		c.Do(t, Request{Method: http.MethodGet, Path: draft.path(), Header: map[string]string{
			"X-Amzn-Request-Context": `{"authorizer":{"lambda":{"auth":"ok","sub":"x","roles":"catalog"}}}`,
			"Auth":                   "ok", "Sub": "x", "Roles": "catalog",
		}}).wantProblem(t, notFound())
	})

	if diff := cmp.Diff(p, c.Get(t, p.ID)); diff != "" {
		t.Errorf("a refused request wrote (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(stock, c.Stock(t, p)); diff != "" {
		t.Errorf("a refused request has moved stock (-before +after):\n%s", diff)
	}
	c.wantEmpty(t, body["category"].(string))
}

func (c *Caller) testProtected(t *testing.T, r Request, roles []string) {
	for name, header := range map[string]map[string]string{"without a token": nil, "with an empty header": {headerAuthorization: ""}} {
		anonymous := r
		anonymous.Token, anonymous.ByGateway, anonymous.Header = "", true, map[string]string{}
		maps.Copy(anonymous.Header, r.Header)
		maps.Copy(anonymous.Header, header)
		a := c.Do(t, anonymous)
		if a.Status != http.StatusUnauthorized || string(a.Body) != unauthorized {
			t.Errorf("%s: got %d %s, want 401 %s", name, a.Status, a.Body, unauthorized)
		}
		a.wantHeader(t, headerContentType, typeJSON)
	}
	for name, bad := range c.credentials(t) {
		c.wantRefused(t, name, r, bad)
	}

	if len(roles) == 0 { // every user is allowed
		return
	}
	allowed := map[string]bool{}
	for _, role := range roles {
		allowed[role] = true
	}
	for _, role := range []string{"", roleCustomer, roleCatalog, roleFulfilment, roleSupport, roleAdmin, roleService, "Catalog", "catalog,fulfilment"} {
		if allowed[role] {
			continue
		}
		other := r
		other.Token = c.As(t)
		if role != "" {
			other.Token = c.As(t, role)
		}
		a := c.Do(t, other)
		if a.Status != http.StatusForbidden {
			t.Errorf("role %q: got %d %s, want 403", role, a.Status, a.Body)
			continue
		}
		a.wantProblem(t, forbidden())
		a.wantHeader(t, headerChallenge, `Bearer error="insufficient_scope"`)
	}
}

// wantRefused sends the request with the credential.
func (c *Caller) wantRefused(t TB, name string, r Request, bad credential) {
	t.Helper()
	headers := map[string]string{headerAuthorization: bad.header}
	maps.Copy(headers, r.Header)
	r.Token, r.Header = "", headers
	a := c.Do(t, r)
	if a.Status != bad.want.status {
		t.Errorf("%s: got %d %s, want %d", name, a.Status, a.Body, bad.want.status)
		return
	}
	a.wantProblem(t, bad.want)
	a.wantHeader(t, headerChallenge, bad.challenge)
}

// Package suite tests the API from outside: every route over HTTP, right and wrong input, against
// any server that serves all of it. It imports none of the code of the API.
//
// Tests share the server with each other and with whatever data is in it, so every test makes
// products with names and categories of its own.
package suite

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/tests/suite/conform"
)

// Target is a server of the API.
type Target struct {
	// URL is the server's root without a slash at the end: "http://localhost:3000".
	URL string
	// Token returns an access token that was issued at the time for the subject with the roles.
	Token Tokens
	// Client sends the requests. It must not follow redirects or undo compression.
	Client *http.Client
	// Secret returns the value of a secret of the server, by its name in the template.
	Secret func(name string) ([]byte, error)
	// Document checks every request and answer by the API's OpenAPI document. Nil checks none.
	Document conform.Document
}

// TB receives the failures of helpers: a test, a benchmark, or one run of a property.
type TB interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Tokens mints access tokens. It fails only for names that no token can carry.
type Tokens func(issued time.Time, subject string, roles ...string) (string, error)

// NewClient returns a client for a Target: patient, without redirects and compression, and with as
// many idle connections as the tests use at once.
func NewClient() *http.Client {
	return &http.Client{
		Timeout:       40 * time.Second, // the gateway gives up after 30
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableCompression: true, MaxIdleConns: 64, MaxIdleConnsPerHost: 64, IdleConnTimeout: 20 * time.Second,
		},
	}
}

// Run runs the suite.
func Run(t *testing.T, target Target) {
	t.Helper()
	c := New(target)
	for _, part := range []struct {
		name string
		test func(*Caller, *testing.T)
	}{
		{"Create", (*Caller).testCreate},
		{"CreateRefuses", (*Caller).testCreateRefuses},
		{"Get", (*Caller).testGet},
		{"List", (*Caller).testList},
		{"Cursor", (*Caller).testCursor},
		{"Search", (*Caller).testSearch},
		{"Update", (*Caller).testUpdate},
		{"UpdateRefuses", (*Caller).testUpdateRefuses},
		{"Archive", (*Caller).testArchive},
		{"Categories", (*Caller).testCategories},
		{"Inventory", (*Caller).testInventory},
		{"Adjust", (*Caller).testAdjust},
		{"AdjustRefuses", (*Caller).testAdjustRefuses},
		{"Credentials", (*Caller).testCredentials},
		{"Auth", (*Caller).testAuth},
		{"AuthRefuses", (*Caller).testAuthRefuses},
		{"Staff", (*Caller).testStaff},
		{"Profile", (*Caller).testProfile},
		{"Shipments", (*Caller).testShipments},
		{"Buying", (*Caller).testBuying},
		{"Foreign", (*Caller).testForeign},
		{"RateLimits", (*Caller).testRateLimits},
		{"Health", (*Caller).testHealth},
		{"OpenAPI", (*Caller).testOpenAPI},
		{"Head", (*Caller).testHead},
		{"Unmatched", (*Caller).testUnmatched},
		{"RequestID", (*Caller).testRequestID},
		{"CORS", (*Caller).testCORS},
		{"Limits", (*Caller).testLimits},
		{"Encoding", (*Caller).testEncoding},
		{"GetMetrics", (*Caller).testGetMetrics},
		{"Quotes", (*Caller).testQuotes},
		{"Discounts", (*Caller).testDiscounts},
		{"PricingRules", (*Caller).testPricingRules},
		{"Orders", (*Caller).testOrders},
		{"OrderLists", (*Caller).testOrderLists},
		{"CancelOrder", (*Caller).testCancelOrder},
		{"ForeignOrders", (*Caller).testForeignOrders},
		{"Payments", (*Caller).testPayments},
		{"Repeated", (*Caller).testRepeated},
		{"Sweep", (*Caller).testSweep},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(c, t)
		})
	}
}

// Caller sends requests to a Target and checks the properties that every response must have.
// It is safe for concurrent use.
type Caller struct {
	target Target
}

// New returns a Caller.
func New(target Target) *Caller {
	target.URL = strings.TrimRight(target.URL, "/")
	return &Caller{target: target}
}

// The roles of the shop, as tokens carry them.
const (
	roleCatalog    = "catalog"
	roleFulfilment = "fulfilment"
	roleSupport    = "support"
	roleAdmin      = "admin"
	roleCustomer   = "customer"
	roleService    = "service"
)

// As returns a fresh token of a user who has the roles. The same roles are always the same user.
func (c *Caller) As(t TB, roles ...string) string {
	t.Helper()
	return c.token(t, time.Now(), "user-"+strings.Join(roles, "-"), roles...)
}

func (c *Caller) token(t TB, issued time.Time, subject string, roles ...string) string {
	t.Helper()
	token, err := c.target.Token(issued, subject, roles...)
	if err != nil {
		t.Fatalf("mint a token for %s: %v", subject, err)
	}
	return token
}

// unique returns a word that no other test and no other run uses: lower case letters and digits,
// a letter first.
func unique() string {
	return "w" + strings.ToLower(rand.Text()[:12])
}

// repeat returns n characters.
func repeat(s string, n int) string { return strings.Repeat(s, n) }

// numbered returns format with the numbers from 0 to n-1.
func numbered(format string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(format, i)
	}
	return all
}

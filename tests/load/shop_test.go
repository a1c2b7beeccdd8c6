//go:build load

package load_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/local/token"
	"github.com/tienda-dev/tienda/tests/load"
)

const (
	// workers is how many requests are in flight at most: with six functions in the profile, fewer processes than the
	// runtime keeps at one time, so that none is ended while others are busy.
	workers = 7
	// members have registered, and buyers are users of whom only their tokens are known: more of them than the limit of
	// their writes needs at the highest rate.
	members, buyers = 4, 64
)

// shop is the API as its clients see it. It counts every answer.
type shop struct {
	url     string
	gateway int // its process
	client  *http.Client
	counts  load.Counts

	template *template.Template
	products []string // ids
	members  []string // tokens
	buyers   []string // tokens
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4 * workers}}}
	s.url, s.gateway = startGateway(t)
	t.Cleanup(s.client.CloseIdleConnections) // before the gateway ends
	var err error
	if s.template, err = stack.ReadTemplate(stack.Options{Root: root}); err != nil {
		t.Fatal(err)
	}
	s.setPrices(t)
	var listed struct{ Data []struct{ ID string } }
	s.do(t, s.request(http.MethodGet, "/v1/products?limit=20", "", nil), http.StatusOK, &listed)
	for _, p := range listed.Data {
		s.products = append(s.products, p.ID)
	}
	if len(s.products) == 0 {
		t.Fatal("the shop has no products")
	}
	for range members {
		s.members = append(s.members, s.register(t))
	}
	for i := range buyers {
		s.buyers = append(s.buyers, s.token(t, fmt.Sprintf("buyer-%d", i), policy.RoleCustomer))
	}
	return s
}

func (s *shop) token(t *testing.T, subject string, roles ...string) string {
	t.Helper()
	minted, err := token.Mint(s.template, filepath.Join(root, ".cache"), subject, roles, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return minted
}

type document map[string]any

// request returns a request; an empty token and a nil body are left out.
func (s *shop) request(method, path, bearer string, body document) vegeta.Target {
	r := vegeta.Target{Method: method, URL: s.url + path, Header: http.Header{}}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	if body != nil {
		r.Body, _ = json.Marshal(body) // strings, numbers and lists of them
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// send sends a request and reads the answer.
func (s *shop) send(t *testing.T, r *http.Request) (status int, body []byte) {
	t.Helper()
	res, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body
}

// do sends a request and decodes the answer into dst, unless it is nil. Another status ends the test.
func (s *shop) do(t *testing.T, target vegeta.Target, status int, dst any) {
	t.Helper()
	r, err := target.Request()
	if err != nil {
		t.Fatal(err)
	}
	got, body := s.send(t, r)
	s.counts.Add(r.Method, r.URL.Path, got)
	if got != status {
		t.Fatalf("%s %s: got %d %s, want %d", r.Method, r.URL.Path, got, body, status)
	}
	if dst != nil {
		if err := json.Unmarshal(body, dst); err != nil {
			t.Fatal(err)
		}
	}
}

// setPrices gives the shop the rules of tax and shipping without which nothing has a price.
func (s *shop) setPrices(t *testing.T) {
	t.Helper()
	put := s.request(http.MethodPut, "/v1/pricing/rules", s.token(t, "admin", policy.RoleAdmin), document{
		"tax": []document{{"country": "ES", "class": "standard", "percent": "21"}},
		"shipping": []document{{"countries": []string{}, "bands": []document{
			{"from": document{"amount_minor": 0, "currency": "EUR"}, "price": document{"amount_minor": 490, "currency": "EUR"}},
		}}},
	})
	put.Header.Set("If-Match", `"0"`)
	s.do(t, put, http.StatusOK, nil)
}

// register registers a customer and returns the token of a login.
func (s *shop) register(t *testing.T) string {
	t.Helper()
	name := rand.Text()
	body := document{"email": name + "@shop.example", "password": "battery staple " + name, "name": "María"}
	s.do(t, s.request(http.MethodPost, "/v1/auth/register", "", body), http.StatusCreated, nil)
	delete(body, "name")
	var pair struct {
		Access string `json:"access_token"`
	}
	s.do(t, s.request(http.MethodPost, "/v1/auth/login", "", body), http.StatusOK, &pair)
	return pair.Access
}

// lines returns what a quote or an order is about: one piece.
func lines(sku string) document {
	return document{
		"lines": []document{{"sku": sku, "quantity": 1}},
		"ship_to": document{
			"name": "María López", "line1": "Calle Mayor 7", "city": "Madrid", "postal_code": "28013", "country": "ES",
		},
	}
}

// quote asks what a product costs.
func (s *shop) quote(bearer string) vegeta.Target {
	return s.request(http.MethodPost, "/v1/quotes", bearer, lines("COF-ETH-250"))
}

// visit returns the n-th request of the profile. Of 20 requests 4 list products, 8 read one, one of which is not found, 3
// search, 3 read the customer's own profile and 2 ask for a quote.
func (s *shop) visit(n int) vegeta.Target {
	round := n / 20
	switch n % 20 {
	case 0, 5, 10, 15:
		return s.request(http.MethodGet, "/v1/products?limit=20", "", nil)
	case 1, 7, 13:
		return s.request(http.MethodGet, "/v1/products/search?q=coffee", "", nil)
	case 3, 9, 17:
		return s.request(http.MethodGet, "/v1/customers/me", s.members[n%len(s.members)], nil)
	case 4, 14:
		return s.quote(s.buyers[n/10%len(s.buyers)])
	case 19:
		return s.request(http.MethodGet, fmt.Sprintf("/v1/products/missing-%d", round), "", nil)
	default:
		return s.request(http.MethodGet, "/v1/products/"+s.products[n%len(s.products)], "", nil)
	}
}

// each returns a targeter of numbered requests.
func each(request func(n int) vegeta.Target) vegeta.Targeter {
	var next atomic.Int64
	return func(t *vegeta.Target) error {
		*t = request(int(next.Add(1) - 1))
		return nil
	}
}

// volley is a number of requests at a rate. It is a vegeta.Pacer.
type volley struct{ perSecond, requests int }

// Pace implements vegeta.Pacer.
func (v volley) Pace(elapsed time.Duration, sent uint64) (time.Duration, bool) {
	if sent >= uint64(v.requests) {
		return 0, true
	}
	return perSecond(v.perSecond).Pace(elapsed, sent)
}

// Rate implements vegeta.Pacer.
func (v volley) Rate(time.Duration) float64 { return float64(v.perSecond) }

func perSecond(n int) vegeta.Rate { return vegeta.Rate{Freq: n, Per: time.Second} }

// attack sends requests and counts the answers. A d of 0 leaves the end to the pacer.
func (s *shop) attack(t *testing.T, of vegeta.Targeter, pacer vegeta.Pacer, d time.Duration) []vegeta.Result {
	t.Helper()
	attacker := vegeta.NewAttacker(vegeta.Client(s.client), vegeta.Workers(workers), vegeta.MaxWorkers(workers))
	var results []vegeta.Result
	for r := range attacker.Attack(of, pacer, d, "") {
		results = append(results, *r)
		to, err := url.Parse(r.URL)
		if err != nil || r.Code == 0 {
			t.Errorf("%s %s: no answer: %s", r.Method, r.URL, r.Error)
			continue
		}
		s.counts.Add(r.Method, to.Path, int(r.Code))
	}
	return results
}

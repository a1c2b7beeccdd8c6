//go:build integration

package catalogddb_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/page"
)

// collider lets transactions collide as they may on AWS. DynamoDB cancels a transaction that names an item of another one in
// progress; DynamoDB Local works on one after the other, so that nothing collides. The collider keeps transactions in
// progress until a number of them has arrived, and cancels those that name an item of one that waits.
type collider struct {
	mu sync.Mutex
	// missing is how many transactions have not arrived; arrived is closed when all have.
	missing int
	arrived chan struct{}
	// sent counts the transactions, repeated ones too, and cancelled those that DynamoDB or the collider refused.
	sent, cancelled int
	// named is how many different transactions name an item, and held has the items of those in progress.
	named map[string]int
	held  map[string]bool
	// tokens are the transactions that have been sent; a repeated one has the same.
	tokens map[string]bool
}

func (c *collider) option(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: c} }

// expect forgets everything and waits for n transactions.
func (c *collider) expect(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.missing, c.arrived = n, make(chan struct{})
	c.sent, c.cancelled = 0, 0
	c.named, c.held, c.tokens = map[string]int{}, map[string]bool{}, map[string]bool{}
}

// RoundTrip implements http.RoundTripper.
func (c *collider) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".TransactWriteItems") {
		return http.DefaultTransport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	token, items, err := itemsOf(body)
	if err != nil {
		return nil, err
	}
	if !c.begin(token, items) {
		return ddbtest.Conflict(nil, r)
	}
	<-c.arrived
	response, err := http.DefaultTransport.RoundTrip(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, item := range items {
		delete(c.held, item)
	}
	if err == nil && response.StatusCode != http.StatusOK {
		c.cancelled++
	}
	return response, err
}

// begin reports whether no transaction in progress names one of the items.
func (c *collider) begin(token string, items []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent++
	if c.missing--; c.missing == 0 {
		close(c.arrived)
	}
	if !c.tokens[token] {
		c.tokens[token] = true
		for _, item := range items {
			c.named[item]++
		}
	}
	if slices.ContainsFunc(items, func(item string) bool { return c.held[item] }) {
		c.cancelled++
		return false
	}
	for _, item := range items {
		c.held[item] = true
	}
	return true
}

// itemsOf returns a transaction's token, and the keys of the items that it writes or checks.
func itemsOf(body []byte) (token string, items []string, err error) {
	type key struct{ PK, SK struct{ S string } }
	var in struct {
		ClientRequestToken string
		TransactItems      []map[string]struct{ Key, Item key }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return "", nil, fmt.Errorf("read the transaction: %w", err)
	}
	for _, actions := range in.TransactItems {
		for kind, action := range actions {
			k := action.Key
			if kind == "Put" {
				k = action.Item
			}
			items = append(items, k.PK.S+" "+k.SK.S)
		}
	}
	return in.ClientRequestToken, items, nil
}

// shared returns the items that several transactions name.
func (c *collider) shared() []string {
	var items []string
	for item, n := range c.named {
		if n > 1 {
			items = append(items, item)
		}
	}
	slices.Sort(items)
	return items
}

// An import creates products of one category with the same words in parallel. Every change is one transaction that is
// sent once, and no two of them name the same item: they cannot collide, however they overlap.
func TestProductsOfOneCategoryDoNotCollide(t *testing.T) {
	t.Parallel()
	const n = 16
	c := &collider{}
	store := catalogddb.New(ddbtest.Table(t, c.option))
	products := make([]catalog.Product, n)
	for i := range products {
		products[i] = catalogtest.NewProduct()
	}
	all := func(change string, f func(i int) error, want ...catalog.Category) {
		c.expect(n)
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				if err := f(i); err != nil {
					t.Errorf("%s: %v", change, err)
				}
			})
		}
		group.Wait()
		if shared := c.shared(); c.sent != n || c.cancelled != 0 || len(shared) != 0 {
			t.Errorf("%s %d products: %d transactions, %d cancelled; items in several: %q", change, n, c.sent, c.cancelled, shared)
		}
		got, _, err := store.Categories(t.Context(), page.MaxLimit, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: categories (-want +got):\n%s", change, diff)
		}
	}
	update := func(change func(*catalog.Product)) func(i int) error {
		return func(i int) error {
			before := products[i]
			products[i] = newVersion(before, change)
			return store.Update(t.Context(), before, products[i])
		}
	}
	all("create", func(i int) error { return store.Create(t.Context(), products[i]) },
		catalog.Category{Name: "coffee-beans", ActiveProducts: n})
	all("move and rename", update(func(p *catalog.Product) { p.Category, p.Name = "coffee", "Other Blend" }),
		catalog.Category{Name: "coffee", ActiveProducts: n})
	all("archive", update(func(p *catalog.Product) { p.Status = catalog.Archived }))
}

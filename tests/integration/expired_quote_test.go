//go:build integration

package integration_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/tests/suite"
)

// An expired quote is not ordered, although it is still stored.
func TestExpiredQuoteIsRefused(t *testing.T) {
	t.Parallel()
	c := suite.New(target(t, shared))
	table := shopOf(t, shared).table
	p, buyer := c.Create(t, suite.NewProduct()), c.Buyer(t)
	c.Move(t, p, 3)
	q := c.Quote(t, buyer, suite.Wanting(2, p))
	past := expression.Set(expression.Name("expires_at"), expression.Value(time.Now().Add(-time.Second).UnixMilli()))
	if err := ddb.Commit(t.Context(), table.Client(), table.Update(ddb.Key{PK: "Q#" + q.ID, SK: "META"}, past).If(ddb.Present(), ddb.ErrUnavailable)); err != nil {
		t.Fatal(err)
	}
	a := c.Do(t, suite.Ordering(buyer, suite.Document{"quote_id": q.ID}))
	if a.Status != http.StatusGone || a.Code() != "quote_expired" {
		t.Errorf("got %d %s, want 410 quote_expired", a.Status, a.Body)
	}
	if stock := c.Stock(t, p); stock.Available != 3 || stock.Reserved != 0 {
		t.Errorf("stock %+v, want 3 available", stock)
	}
	c.Order(t, buyer, suite.Document{"quote_id": c.Quote(t, buyer, suite.Wanting(2, p)).ID}) // or the test above proves nothing
}

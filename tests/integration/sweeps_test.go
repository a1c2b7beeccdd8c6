//go:build integration

package integration_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/simulator"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/tests/suite"
)

// sweeps lets the scheduled workers do what a test cannot wait for: it moves the expiry of an order into the past.
func sweeps(t *testing.T) {
	c := suite.New(target(t, shared))
	table := shopOf(t, shared).table

	p, token := c.Create(t, suite.NewProduct()), c.Buyer(t)
	c.Move(t, p, 3)
	code := "SWEEP" + strings.ToUpper(p.ID[18:])
	a := c.Do(t, suite.Request{
		Method: http.MethodPost, Path: "/v1/discounts", Token: c.As(t, policy.RoleCatalog),
		Header: map[string]string{"Idempotency-Key": code}, Body: fmt.Sprintf(`{"code":%q,"percent":"10","max_uses_per_customer":1}`, code),
	})
	if a.Status != http.StatusCreated {
		t.Fatalf("a discount: got %d %s", a.Status, a.Body)
	}
	wanted := suite.Wanting(2, p).With(suite.Document{"discount_codes": []string{code}})
	o := c.Order(t, token, wanted)
	expire(t, table, o.ID)

	unknown, buyer := unknownPayment(t, c, table)

	for _, worker := range []string{"expire-orders", "reconcile-payments", "sum-categories", "sum-categories"} {
		if err := shared.Pump().Fire(t.Context(), worker); err != nil {
			t.Errorf("%s: %v", worker, err)
		}
	}
	if got := c.ActiveProducts(t, p.Category); got != 1 {
		t.Errorf("%s has %d active products after a sweep, want 1", p.Category, got)
	}
	if got := c.ReadPayment(t, buyer, unknown); got.Status != "captured" {
		t.Errorf("the payment is %s after a sweep, want captured", got.Status)
	}
	// Other tests change stock meanwhile, and some break what it checks: TestEventsReachTheirWorkers has its verdict.
	if err := shared.Pump().Fire(t.Context(), "check-invariants"); err != nil {
		t.Logf("check-invariants: %v", err)
	}
	if got := c.ReadOrder(t, token, o.ID); got.Status != "expired" {
		t.Errorf("the order is %s, want expired", got.Status)
	}
	if stock := c.Stock(t, p); stock.Available != 3 || stock.Reserved != 0 {
		t.Errorf("stock %+v, want 3 and 0", stock)
	}
	c.Order(t, token, wanted) // the use of the code came back
}

// unknownPayment pays for an order with a method whose first attempt has no outcome, and lets the time of the next one
// come. It returns the payment's id and the buyer's token.
func unknownPayment(t *testing.T, c *suite.Caller, table *ddb.Table) (id, buyer string) {
	t.Helper()
	p, buyer := c.Create(t, suite.NewProduct()), c.Buyer(t)
	c.Move(t, p, 1)
	a := c.Do(t, suite.Paying(buyer, c.Order(t, buyer, suite.Wanting(1, p)).ID, simulator.MethodFailureThenSuccess, "automatic"))
	if a.Status != http.StatusAccepted {
		t.Fatalf("a payment without an outcome: got %d %s, want 202", a.Status, a.Body)
	}
	id = member(t, a, "id")
	due(t, table, id)
	return id, buyer
}

// expire moves the expiry of an order into the past, so far that a payment without an outcome does not hold its stock.
func expire(t *testing.T, table *ddb.Table, id string) {
	t.Helper()
	past := time.Now().Add(-orders.PaymentGrace - time.Minute).UnixMilli()
	overdue := expression.Set(expression.Name("expires_at"), expression.Value(past))
	err := ddb.Commit(
		t.Context(), table.Client(),
		table.Update(ddb.Key{PK: "O#" + id, SK: "META"}, overdue).If(ddb.Present(), ddb.ErrUnavailable),
		table.Update(ddb.Key{PK: "O#" + id, SK: "RES"}, overdue.Set(expression.Name("GSI1SK"), expression.Value(fmt.Sprintf("%015d#%s", past, id)))).
			If(ddb.Present(), ddb.ErrUnavailable),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// due lets the time of a payment's next attempt come.
func due(t *testing.T, table *ddb.Table, id string) {
	t.Helper()
	past := time.Now().Add(-time.Minute).UnixMilli()
	change := expression.Set(expression.Name("next_at"), expression.Value(past)).
		Set(expression.Name("GSI1SK"), expression.Value(fmt.Sprintf("%015d#%s", past, id)))
	if err := ddb.Commit(t.Context(), table.Client(), table.Update(ddb.Key{PK: "PAY#" + id, SK: "META"}, change).If(ddb.Present(), ddb.ErrUnavailable)); err != nil {
		t.Fatal(err)
	}
}

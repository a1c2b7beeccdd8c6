//go:build integration

package integration_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/tests/suite"
)

// A sale: more buyers than pieces, all at once.
const (
	pieces = 20
	buyers = 100
)

// together runs f n times in parallel and returns the results.
func together[T any](n int, f func(i int) T) []T {
	results := make([]T, n)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			results[i] = f(i)
		})
	}
	close(start)
	group.Wait()
	return results
}

// outcome is a response as one comparable text: "201", "409 sku_exists", or the error.
func outcome(a suite.Answer, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case a.Code() != "":
		return fmt.Sprintf("%d %s", a.Status, a.Code())
	default:
		return strconv.Itoa(a.Status)
	}
}

// count returns how often each outcome came.
func count(outcomes []string) map[string]int {
	counts := map[string]int{}
	for _, o := range outcomes {
		counts[o]++
	}
	return counts
}

// patiently repeats a request that answers 503 with Retry-After, as a client does: on a busy machine a change may find
// the item in use for too long. A caller who cannot be checked is no reason (TestBurstOfColdStarts).
func patiently(t *testing.T, send func() (suite.Answer, error)) (suite.Answer, error) {
	t.Helper()
	const tries = 10
	for range tries - 1 {
		a, err := send()
		if err != nil || a.Status != http.StatusServiceUnavailable || a.Code() == "auth_unavailable" {
			return a, err
		}
	}
	return send()
}

func TestManyWritersOfOneSKU(t *testing.T) {
	t.Parallel()
	c := suite.New(target(t, shared))
	sku := suite.NewProduct()["sku"]
	bodies := make([]suite.Document, 10)
	for i := range bodies {
		bodies[i] = suite.NewProduct().With(suite.Document{"sku": sku})
	}
	var winner atomic.Int64
	outcomes := together(len(bodies), func(i int) string {
		a, err := c.Send(t, c.Creation(t, bodies[i].String()))
		if a.Status == http.StatusCreated {
			winner.Store(int64(i))
		}
		return outcome(a, err)
	})
	if diff := cmp.Diff(map[string]int{"201": 1, "409 sku_exists": len(bodies) - 1}, count(outcomes)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	for i, body := range bodies {
		want := 0
		if i == int(winner.Load()) {
			want = 1
		}
		if got := c.StaffList(t, "active", "category", body["category"].(string)).Data; len(got) != want {
			t.Errorf("writer %d, the winner is %d: %d products are there", i, winner.Load(), len(got))
		}
	}
}

func TestManyPatchesFromOneVersion(t *testing.T) {
	t.Parallel()
	c := suite.New(target(t, shared))
	p := c.Create(t, suite.NewProduct())
	names := make([]string, 10)
	outcomes := together(len(names), func(i int) string {
		names[i] = fmt.Sprintf("Name %d", i)
		a, err := c.Send(t, c.Patching(t, p, suite.Document{"name": names[i]}.String()))
		if a.Status != http.StatusOK {
			names[i] = ""
		}
		return outcome(a, err)
	})
	if diff := cmp.Diff(map[string]int{"200": 1, "412 precondition_failed": len(names) - 1}, count(outcomes)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if got := c.Get(t, p.ID); got.Version != 2 || !slices.Contains(names, got.Name) {
		t.Errorf("got version %d with the name %q, want version 2 with one of %q", got.Version, got.Name, names)
	}
}

func TestStockIsNeverOversold(t *testing.T) {
	t.Parallel()
	c := suite.New(target(t, shared))
	p := c.Create(t, suite.NewProduct())
	c.Move(t, p, pieces)
	outcomes := together(buyers, func(i int) string {
		return outcome(patiently(t, func() (suite.Answer, error) {
			return c.Send(t, c.Adjusting(t, p, fmt.Sprintf("%s-buyer-%d", p.ID, i), suite.Movement(-1)))
		}))
	})
	if diff := cmp.Diff(map[string]int{"201": pieces, "409 would_go_negative": buyers - pieces}, count(outcomes)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	// The creation, the delivery and one version for each piece sold.
	if got := c.Stock(t, p); got.Available != 0 || got.Version != 2+pieces {
		t.Errorf("%d pieces are left in version %d, want none in version %d", got.Available, got.Version, 2+pieces)
	}
}

func TestManyRetriesOfOneAdjustmentCountOnce(t *testing.T) {
	t.Parallel()
	c := suite.New(target(t, shared))
	p := c.Create(t, suite.NewProduct())
	var bodies sync.Map
	outcomes := together(10, func(int) string {
		a, err := c.Send(t, c.Adjusting(t, p, p.ID, suite.Movement(3)))
		bodies.Store(string(a.Body), true)
		return outcome(a, err) + a.Header.Get("Idempotent-Replayed")
	})
	if diff := cmp.Diff(map[string]int{"201": 1, "201true": 9}, count(outcomes)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	different := 0
	bodies.Range(func(any, any) bool { different++; return true })
	if different != 1 {
		t.Errorf("%d different bodies answer one request", different)
	}
	if got := c.Stock(t, p); got.Available != 3 || got.Version != 2 {
		t.Errorf("%d pieces in version %d, want 3 in version 2", got.Available, got.Version)
	}
}

// TestNaiveStockIsOversold is the control of TestStockIsNeverOversold: as many buyers of as many
// pieces, on the same engine, who read, compare and write. They must oversell, or the other test
// proves nothing.
func TestNaiveStockIsOversold(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	client, err := ddb.Open(ddb.Config{
		Config: awsclient.Config{Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local"}, Endpoint: shared.Endpoint,
	})
	if err != nil {
		t.Fatal(err)
	}
	table := aws.String(shared.Tables["CommerceTable"])
	key := map[string]types.AttributeValue{
		"PK": &types.AttributeValueMemberS{Value: "CONTROL#" + fmt.Sprint(suite.NewProduct()["sku"])},
		"SK": &types.AttributeValueMemberS{Value: "S"},
	}
	write := func(ctx context.Context, n int) error {
		_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: table, Key: key, UpdateExpression: aws.String("SET available = :n"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: strconv.Itoa(n)}},
		})
		return err
	}
	if err := write(ctx, pieces); err != nil {
		t.Fatal(err)
	}
	outcomes := together(buyers, func(int) string {
		item, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: key, ConsistentRead: aws.Bool(true)})
		if err != nil {
			return err.Error()
		}
		available, err := strconv.Atoi(item.Item["available"].(*types.AttributeValueMemberN).Value)
		if err != nil {
			return err.Error()
		}
		if available == 0 {
			return "refused"
		}
		if err := write(ctx, available-1); err != nil {
			return err.Error()
		}
		return "sold"
	})
	counts := count(outcomes)
	if counts["sold"] <= pieces || counts["sold"]+counts["refused"] != buyers {
		t.Errorf("got %v: %d naive buyers of %d pieces must oversell", counts, buyers, pieces)
	}
}

// TestBurstOfColdStarts sends 200 requests, 64 at a time, to an API none of whose processes runs yet: the authorizer
// must find the time to start.
func TestBurstOfColdStarts(t *testing.T) {
	t.Parallel()
	c := suite.New(target(t, start(t)))
	token := c.As(t, "catalog")
	limit := make(chan struct{}, 64)
	outcomes := together(200, func(int) string {
		limit <- struct{}{}
		defer func() { <-limit }()
		return outcome(c.Send(t, suite.Request{Method: http.MethodGet, Path: "/v1/staff/products?limit=1", Token: token}))
	})
	if diff := cmp.Diff(map[string]int{"200": len(outcomes)}, count(outcomes)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

//go:build integration

package ddb_test

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

func TestGet(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	want := note{PK: "N#1", SK: "META", Owner: "a", Text: "hello", Count: 3}
	store(t, table, want)

	if diff := cmp.Diff(want, load(t, table, want.key())); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
	found, err := table.Get(t.Context(), ddb.Key{PK: "N#2", SK: "META"}, &note{}, true)
	if found || err != nil {
		t.Errorf("missing item: found %t, %v", found, err)
	}
	if err := table.Warm(t.Context()); err != nil {
		t.Errorf("Warm: %v", err)
	}
}

func TestQueryPages(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	for i := range 5 {
		item := ddb.Item{
			"PK": &types.AttributeValueMemberS{Value: "N#" + strconv.Itoa(i)}, "SK": &types.AttributeValueMemberS{Value: "META"},
			"GSI1PK": &types.AttributeValueMemberS{Value: "ALL"}, "GSI1SK": &types.AttributeValueMemberS{Value: strconv.Itoa(i)},
		}
		if err := ddb.Commit(t.Context(), table.Client(), table.Put(item)); err != nil {
			t.Fatal(err)
		}
	}
	q := ddb.Query{Index: "GSI1", Where: expression.Key("GSI1PK").Equal(expression.Value("ALL")), Limit: 2, Descending: true}
	var got [][]string
	for {
		items, next, err := table.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var page []string
		for _, item := range items {
			key, _ := ddb.KeyOf(item)
			page = append(page, key.PK)
		}
		got = append(got, page)
		if next == nil {
			break
		}
		q.Start = next
	}
	want := [][]string{{"N#4", "N#3"}, {"N#2", "N#1"}, {"N#0"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	for limit, want := range map[int32]int32{0: 5, 4: 4} {
		n, err := table.Count(t.Context(), ddb.Query{Index: q.Index, Where: q.Where, Limit: limit})
		if err != nil || n != want {
			t.Errorf("Count to %d: %d, %v; want %d", limit, n, err, want)
		}
	}
}

func TestQueryFilter(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store(t, table, note{PK: "N", SK: "1", Count: 1}, note{PK: "N", SK: "2", Count: 2})

	filter := expression.Name("count").GreaterThan(expression.Value(1))
	items, next, err := table.Query(t.Context(), ddb.Query{
		Where: expression.Key("PK").Equal(expression.Value("N")), Filter: &filter, Consistent: true,
	})
	if err != nil || next != nil || len(items) != 1 {
		t.Fatalf("got %d items, next %v, %v", len(items), next, err)
	}
	var got note
	if err := ddb.Decode(items[0], &got); err != nil {
		t.Fatal(err)
	}
	if got.SK != "2" {
		t.Errorf("got item %q, want 2", got.SK)
	}
}

func TestBatchGetBeyondOneBatch(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store(t, table, note{PK: "N#0", SK: "META"}, note{PK: "N#119", SK: "META"})

	var keys []ddb.Key
	for i := range 120 {
		keys = append(keys, ddb.Key{PK: "N#" + strconv.Itoa(i), SK: "META"})
	}
	keys = append(keys[:1:1], keys...) // DynamoDB refuses a key that comes twice
	found, err := table.BatchGet(t.Context(), keys, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 || found[keys[0]] == nil || found[keys[120]] == nil {
		t.Errorf("found %d items", len(found))
	}
}

func TestBatchGetOfChosenAttributes(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	stored := note{PK: "N#1", SK: "META", Owner: "a", Text: "hello", Count: 3}
	store(t, table, stored)

	found, err := table.BatchGet(t.Context(), []ddb.Key{stored.key()}, false, "count", "owner", "missing")
	if err != nil {
		t.Fatal(err)
	}
	var got note
	if err := ddb.Decode(found[stored.key()], &got); err != nil {
		t.Fatal(err)
	}
	stored.Text = ""
	if diff := cmp.Diff(stored, got); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

//go:build integration

package ddb_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

func TestUpdateIf(t *testing.T) {
	t.Parallel()
	faults := &ddbtest.Faults{}
	table := ddbtest.Table(t, faults.Option)
	before := note{PK: "N#1", SK: "META", Owner: "a", Text: "hello", Count: 3}
	change := expression.Set(expression.Name("count"), expression.Value(4)).Set(expression.Name("owner"), expression.Value("b"))
	unchanged := expression.Name("count").Equal(expression.Value(3))
	after := before
	after.Count, after.Owner = 4, "b"

	for name, c := range map[string]struct {
		key    ddb.Key
		fault  ddbtest.Fault
		stored note
		want   note // zero: no item
		done   bool
	}{
		"Holds":         {key: before.key(), stored: before, want: after, done: true},
		"DoesNotHold":   {key: before.key(), stored: note{PK: "N#1", SK: "META", Count: 7}, want: note{PK: "N#1", SK: "META", Count: 7}},
		"NoItem":        {key: ddb.Key{PK: "N#2", SK: "META"}, stored: before},
		"OwnEffect":     {key: before.key(), fault: ddbtest.LoseResponse, stored: before, want: after},
		"OwnEffect500":  {key: before.key(), fault: ddbtest.FailAfterCommit, stored: before, want: after},
		"NeverGotThere": {key: before.key(), fault: ddbtest.Refuse, stored: before, want: after, done: true},
	} {
		t.Run(name, func(t *testing.T) { // one after the other: they share the item and the faults
			store(t, table, c.stored)
			faults.Inject("UpdateItem", c.fault)
			item, done, err := table.UpdateIf(t.Context(), c.key, change, unchanged)
			if err != nil || done != c.done {
				t.Fatalf("done %t, %v; want %t", done, err, c.done)
			}
			var got note
			if err := ddb.Decode(item, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("item (-want +got):\n%s", diff)
			}
		})
	}
}

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConditionsOfAFile(t *testing.T) {
	t.Parallel()
	const source = `package stockddb

func (s *Store) take(n int64) ddb.Write {
	return s.table.Update(key, change).
		If(available.GreaterThanEqual(
			expression.Value(n)), errShort)
}

func (s *Store) give(ctx context.Context) error {
	_, _, err := s.table.UpdateIf(ctx, key, change, ddb.Present())
	return err
}
`
	found, err := conditions("functions/stock/stockddb/stock.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, c := range found {
		texts = append(texts, c.text)
	}
	if diff := cmp.Diff([]string{"available.GreaterThanEqual( expression.Value(n))", "ddb.Present()"}, texts); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	const want = "s.table.UpdateIf(ctx, key, change, (ddb.Present()).Or(ddb.Present(), ddb.Absent()))"
	if got := string(found[1].without([]byte(source))); !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %s in it", got, want)
	}
}

// Each operand of a conjunction is taken out by itself, also one that And adds later. Conditions of queries stay.
func TestOperandsOfConjunctions(t *testing.T) {
	t.Parallel()
	const source = `package stockddb

func (s *Store) replace(c Change) ddb.Write {
	condition := version.Equal(one).
		And(status.Equal(two), third)
	if c.Takes {
		condition = condition.And(left.GreaterThanEqual(c.Amount))
	}
	return s.table.Put(c.After).IfElse(condition, explain)
}

func (s *Store) sell(stored expression.ConditionBuilder) ddb.Write {
	return s.table.Check(key).If(stored.And(unchanged(c)), errChanged)
}

func (s *Store) use(usable expression.ConditionBuilder) ddb.Write {
	return s.table.Update(key, change).If(usable, errUnusable)
}

func owned(free expression.ConditionBuilder) expression.ConditionBuilder {
	return free.Or(expression.And(owner, running))
}

func (s *Store) list(q ddb.Query) expression.KeyConditionBuilder {
	q.Filter = q.Filter.And(visible)
	q.Where = expression.Key("PK").Equal(pk).And(expression.Key("SK").BeginsWith("P"))
	return partition.And(sort)
}

func (t *Table) PutNew() {
	expression.NewBuilder().WithCondition(Absent()).WithCondition(*w.condition)
}
`
	found, err := conditions("shared/ddb/table.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, c := range found {
		texts = append(texts, c.text)
	}
	want := []string{
		"version.Equal(one)", "status.Equal(two)", "third", "left.GreaterThanEqual(c.Amount)",
		"stored", "unchanged(c)", "owner", "running", "Absent()",
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if got := string(found[8].without([]byte(source))); !strings.Contains(got, "WithCondition((Absent()).Or(Present(), Absent()))") {
		t.Errorf("got %s", got)
	}
}

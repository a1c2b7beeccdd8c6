// Package idempotencyddb keeps the records of package idempotency in a DynamoDB table, in the transactions of the effects.
//
//	PK          SK  item
//	ID#<id>     I   the record of a key; its attribute ttl is when the key can be used anew
//
// A function's role needs GetItem and PutItem on the leading keys ID#*, and UpdateItem if it calls Complete.
package idempotencyddb

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

// Store is the idempotency.Store on a table. It is safe for concurrent use.
type Store struct {
	table *ddb.Table
}

var _ idempotency.Store = (*Store)(nil)

// New returns a store on the table. It panics when the table is nil, which no input can cause.
func New(table *ddb.Table) *Store {
	if table == nil {
		panic("idempotencyddb: New needs a table")
	}
	return &Store{table: table}
}

// Find implements idempotency.Store. It reads consistently.
func (s *Store) Find(ctx context.Context, id string) (idempotency.Record, bool, error) {
	var item record
	found, err := s.table.Get(ctx, keyOf(id), &item, true)
	if err != nil || !found {
		return idempotency.Record{}, false, err
	}
	return item.decode(id), true, nil
}

// Write returns the write of a record, and no write for the zero Record. It belongs first into its transaction, so that
// a repeated request gets its first answer even if the effect is no longer possible. If the key is in use, ddb.Commit
// returns *idempotency.UsedError; if the record was stored before, by a call whose answer was lost, it returns nil.
func Write(table *ddb.Table, r idempotency.Record) []ddb.Write {
	if r.IsZero() {
		return nil
	}
	free := ddb.Absent().Or(expression.Name("ttl").LessThanEqual(expression.Value(r.MadeAt.Unix())))
	if r.Previous != "" {
		free = free.Or(expression.And(
			owner(r.Previous), running(true),
			expression.Name("lease_until").LessThanEqual(expression.Value(r.MadeAt.UnixMilli())),
		))
	}
	return []ddb.Write{table.Put(encode(r)).IfElse(free, func(old ddb.Item) error {
		return explain(r, old, func(record) bool { return true })
	})}
}

// Complete returns the write that stores the answer of a record that is running. If another owner has taken the record
// over, ddb.Commit returns *idempotency.UsedError: what the transaction would have stored was done by that owner, or will
// be. begun must not be the zero Record.
func Complete(table *ddb.Table, begun idempotency.Record, answer idempotency.Answer) ddb.Write {
	change := expression.
		Set(expression.Name("running"), expression.Value(false)).
		Set(expression.Name("status"), expression.Value(answer.Status)).
		Set(expression.Name("header"), expression.Value(answer.Header)).
		Set(expression.Name("body"), expression.Value(answer.Body))
	return table.Update(keyOf(begun.Key.ID), change).IfElse(owner(begun.Owner).And(running(true)), func(old ddb.Item) error {
		return explain(begun, old, func(stored record) bool { return !stored.Running })
	})
}

// explain returns the error of a failed condition of a write by the owner of r. done reports whether a stored record of
// the same owner is the result of the write.
func explain(r idempotency.Record, old ddb.Item, done func(record) bool) error {
	if old == nil {
		return errVanished
	}
	var stored record
	if err := ddb.Decode(old, &stored); err != nil {
		return err
	}
	if stored.Owner == r.Owner && done(stored) {
		return ddb.ErrDone
	}
	return &idempotency.UsedError{Stored: stored.decode(r.Key.ID)}
}

// errVanished: a record that is running is not there. Records are removed a day after they were made at the earliest.
var errVanished = errors.New("idempotencyddb: the record does not exist")

func owner(text string) expression.ConditionBuilder {
	return expression.Name("owner").Equal(expression.Value(text))
}

func running(value bool) expression.ConditionBuilder {
	return expression.Name("running").Equal(expression.Value(value))
}

package ddb

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Write is one action of a transaction together with the error that its failed condition means. A
// resource that changes another's data in its own transaction takes such Writes from it and
// commits them with its own. Make one with Table's Put, Update, Delete or Check, give it its
// condition with If or IfElse, and hand it to Commit.
type Write struct {
	table *Table
	kind  kind
	key   Key
	item  Item
	// update and condition are nil where there is none.
	update    *expression.UpdateBuilder
	condition *expression.ConditionBuilder
	failed    error
	explain   func(old Item) error
	// broken is the error in the constructor's arguments. Commit returns it.
	broken error
}

type kind int

const (
	put kind = iota + 1
	update
	remove
	check
)

// Put writes a whole item: a struct with dynamodbav tags, or an Item. Without a condition it
// replaces what is there.
func (t *Table) Put(item any) Write {
	attributes, key, err := encode(item)
	return Write{table: t, kind: put, key: key, item: attributes, broken: err}
}

// Update changes attributes of the item of key. Without a condition it creates an item that is not
// there.
func (t *Table) Update(key Key, change expression.UpdateBuilder) Write {
	return Write{table: t, kind: update, key: key, update: &change}
}

// Delete removes the item of key, if there is one.
func (t *Table) Delete(key Key) Write { return Write{table: t, kind: remove, key: key} }

// Check changes nothing: the transaction happens only when its condition holds for the item of key.
func (t *Table) Check(key Key) Write { return Write{table: t, kind: check, key: key} }

// If returns the write with a condition and the error that Commit returns when it does not hold.
func (w Write) If(condition expression.ConditionBuilder, failed error) Write {
	w.condition, w.failed, w.explain = &condition, failed, nil
	return w
}

// IfElse is If with an error made from the stored item, nil if there is none. So a 409 can name what is left
// without a second read.
func (w Write) IfElse(condition expression.ConditionBuilder, explain func(old Item) error) Write {
	w.condition, w.failed, w.explain = &condition, nil, explain
	return w
}

// conditionError is the error that a failed condition means.
func (w Write) conditionError(old Item) error {
	if w.explain == nil {
		return w.failed
	}
	return w.explain(old)
}

// action builds the transaction's action.
func (w Write) action() (types.TransactWriteItem, error) {
	var none types.TransactWriteItem
	if err := w.validate(); err != nil {
		return none, err
	}
	expr, err := w.expression()
	if err != nil {
		return none, err
	}
	returnOld := types.ReturnValuesOnConditionCheckFailureNone
	if w.explain != nil {
		returnOld = types.ReturnValuesOnConditionCheckFailureAllOld
	}

	switch w.kind {
	case put:
		return types.TransactWriteItem{Put: &types.Put{
			TableName: &w.table.name, Item: w.item, ConditionExpression: expr.Condition(),
			ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
			ReturnValuesOnConditionCheckFailure: returnOld,
		}}, nil
	case update:
		return types.TransactWriteItem{Update: &types.Update{
			TableName: &w.table.name, Key: w.key.Item(), UpdateExpression: expr.Update(), ConditionExpression: expr.Condition(),
			ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
			ReturnValuesOnConditionCheckFailure: returnOld,
		}}, nil
	case remove:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: &w.table.name, Key: w.key.Item(), ConditionExpression: expr.Condition(),
			ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
			ReturnValuesOnConditionCheckFailure: returnOld,
		}}, nil
	default:
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &w.table.name, Key: w.key.Item(), ConditionExpression: expr.Condition(),
			ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
			ReturnValuesOnConditionCheckFailure: returnOld,
		}}, nil
	}
}

func (w Write) validate() error {
	switch {
	case w.broken != nil:
		return w.broken
	case w.table == nil:
		return errors.New("was not made by a Table")
	case w.key.PK == "" || w.key.SK == "":
		return errors.New("has an empty key")
	case w.kind == check && w.condition == nil:
		return errors.New("has no condition to check")
	case w.condition != nil && w.failed == nil && w.explain == nil:
		return errors.New("has a condition and no error for its failure")
	default:
		return nil
	}
}

// expression builds the write's expressions; all empty when it has none.
func (w Write) expression() (expression.Expression, error) {
	builder := expression.NewBuilder()
	if w.update != nil {
		builder = builder.WithUpdate(*w.update)
	}
	if w.condition != nil {
		builder = builder.WithCondition(*w.condition)
	}
	if w.update == nil && w.condition == nil {
		return expression.Expression{}, nil
	}
	expr, err := builder.Build()
	if err != nil {
		return expression.Expression{}, fmt.Errorf("has an expression that cannot be built: %s", expressionText(err))
	}
	return expr, nil
}

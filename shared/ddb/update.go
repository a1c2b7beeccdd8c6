package ddb

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// UpdateIf changes the item of key in one write, when condition holds for it. It returns the item as
// it is then and true. When the condition does not hold it returns the item as it is without the
// change, nil when there is none, and false: the one round trip tells also why.
//
// The response may be lost and the SDK may send the write again, which then meets its own effect:
// false does not say that the change has not happened. Write changes that are the same when they are
// done twice, or let them set an attribute that only this call can have set and look for it in the
// item that comes back.
func (t *Table) UpdateIf(ctx context.Context, key Key, change expression.UpdateBuilder, condition expression.ConditionBuilder) (Item, bool, error) {
	expr, err := expression.NewBuilder().WithUpdate(change).WithCondition(condition).Build()
	if err != nil {
		return nil, false, fmt.Errorf("ddb: UpdateIf: %s", expressionText(err))
	}
	out, err := t.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           &t.name,
		Key:                                 key.Item(),
		UpdateExpression:                    expr.Update(),
		ConditionExpression:                 expr.Condition(),
		ExpressionAttributeNames:            expr.Names(),
		ExpressionAttributeValues:           expr.Values(),
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return failed.Item, false, nil
	}
	if err != nil {
		return nil, false, newFault(ctx, "UpdateItem", err)
	}
	return out.Attributes, true, nil
}

package ddb

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// UpdateIf changes the item of key in one write, when condition holds for it. It returns the
// new item and true. If the condition does not hold, it returns the unchanged item (nil if there is none) and
// false, so that the caller needs no second read to know why.
//
// The response may be lost and the SDK may send the write again, which then fails because of its
// own effect: false does not mean that the change has not happened. Use changes that are the same when done
// twice, or set an attribute that only this call can have set and look for it in the returned item.
func (t *Table) UpdateIf(ctx context.Context, key Key, change expression.UpdateBuilder, condition expression.ConditionBuilder) (Item, bool, error) {
	expr, err := expression.NewBuilder().WithUpdate(change).WithCondition(condition).Build()
	if err != nil {
		return nil, false, fmt.Errorf("ddb: UpdateIf: %s", expressionText(err))
	}
	out, err := repeat(ctx, t.client.UpdateItem, &dynamodb.UpdateItemInput{
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

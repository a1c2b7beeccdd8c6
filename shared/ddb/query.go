package ddb

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Position is a place in a table or an index: the key attributes of the last item that was read,
// all of them strings. It is ready to be sealed into a cursor as JSON. Nil is the beginning, and as
// a result the end.
type Position map[string]string

func (p Position) item() Item {
	if len(p) == 0 {
		return nil
	}
	item := make(Item, len(p))
	for name, value := range p {
		item[name] = &types.AttributeValueMemberS{Value: value}
	}
	return item
}

func positionOf(item Item) (Position, error) {
	if len(item) == 0 {
		return nil, nil
	}
	p := make(Position, len(item))
	for name, value := range item {
		s, ok := value.(*types.AttributeValueMemberS)
		if !ok {
			return nil, fmt.Errorf("ddb: the key attribute %s is not a string", name)
		}
		p[name] = s.Value
	}
	return p, nil
}

// Query reads a part of one partition, in the order of its sort key.
type Query struct {
	// Index is the index to read; empty is the table. Indexes are eventually consistent: nothing
	// that moves money or stock may be decided on one.
	Index string
	// Where is the key condition.
	Where expression.KeyConditionBuilder
	// Filter drops items after they were read, counted and paid for; nil keeps all.
	Filter *expression.ConditionBuilder
	// Limit is the most items to read, before Filter; 0 is as many as fit into 1 MB.
	Limit int32
	// Start is the Position after which to read; nil is the beginning.
	Start Position
	// Descending reads from the end.
	Descending bool
	// Consistent reads what was written before the call; not for an index.
	Consistent bool
}

// Query returns the items and the Position of the last one read, nil when there is nothing behind
// it. A Position that is not nil does not promise that there is more: DynamoDB stops at the limit
// without looking further. Read one more than is wanted to know.
func (t *Table) Query(ctx context.Context, q Query) ([]Item, Position, error) {
	input, err := t.queryInput(q)
	if err != nil {
		return nil, nil, err
	}
	out, err := t.query(ctx, input)
	if err != nil {
		return nil, nil, err
	}
	next, err := positionOf(out.LastEvaluatedKey)
	if err != nil {
		return nil, nil, err
	}
	return out.Items, next, nil
}

// Count returns how many items Query would return. It costs as much, but the items are not sent.
func (t *Table) Count(ctx context.Context, q Query) (int32, error) {
	input, err := t.queryInput(q)
	if err != nil {
		return 0, err
	}
	input.Select = types.SelectCount
	out, err := t.query(ctx, input)
	if err != nil {
		return 0, err
	}
	return out.Count, nil
}

func (t *Table) query(ctx context.Context, input *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	out, err := repeat(ctx, t.client.Query, input)
	if err != nil {
		return nil, newFault(ctx, "Query", err)
	}
	return out, nil
}

func (t *Table) queryInput(q Query) (*dynamodb.QueryInput, error) {
	builder := expression.NewBuilder().WithKeyCondition(q.Where)
	if q.Filter != nil {
		builder = builder.WithFilter(*q.Filter)
	}
	expr, err := builder.Build()
	if err != nil {
		return nil, fmt.Errorf("ddb: Query: %s", expressionText(err))
	}

	input := &dynamodb.QueryInput{
		TableName:                 &t.name,
		KeyConditionExpression:    expr.KeyCondition(),
		FilterExpression:          expr.Filter(),
		ExpressionAttributeNames:  expr.Names(),
		ExpressionAttributeValues: expr.Values(),
		ExclusiveStartKey:         q.Start.item(),
		ScanIndexForward:          aws.Bool(!q.Descending),
		ConsistentRead:            &q.Consistent,
	}
	if q.Index != "" {
		input.IndexName = &q.Index
	}
	if q.Limit > 0 {
		input.Limit = &q.Limit
	}
	return input, nil
}

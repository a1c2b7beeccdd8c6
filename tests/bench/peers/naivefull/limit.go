package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// limit counts requests in fixed windows of a minute.
type limit struct {
	client *dynamodb.Client
	table  string
	// most is how many requests a subject may make in a minute.
	most int
}

// count adds a request and returns how many the subject has made in this minute, by one atomic write.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/example_dynamodb_Scenario_AtomicCounterOperations_section.html
func (l limit) count(ctx context.Context, subject string, now time.Time) (int, error) {
	window := now.Unix() / 60
	out, err := l.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(l.table),
		Key: map[string]types.AttributeValue{
			"PK": &types.AttributeValueMemberS{Value: "RL#" + subject + "#" + strconv.FormatInt(window, 10)},
		},
		UpdateExpression:         aws.String("ADD hits :one SET #ttl = :ttl"),
		ExpressionAttributeNames: map[string]string{"#ttl": "ttl"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":one": &types.AttributeValueMemberN{Value: "1"},
			":ttl": &types.AttributeValueMemberN{Value: strconv.FormatInt((window+2)*60, 10)},
		},
		ReturnValues: types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return 0, fmt.Errorf("count request: %w", err)
	}
	var hits int
	if err := attributevalue.Unmarshal(out.Attributes["hits"], &hits); err != nil {
		return 0, fmt.Errorf("decode count: %w", err)
	}
	return hits, nil
}

// Package revocation looks revoked access tokens up in the auth table.
package revocation

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Store knows the revoked tokens. It is safe for concurrent use.
type Store struct {
	// Client is the process's one client.
	Client *dynamodb.Client
	// Table is the name of the auth table.
	Table string
}

// Revoked reports, by one read, whether the token with the id was revoked.
func (s Store) Revoked(ctx context.Context, id string) (bool, error) {
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/example_dynamodb_GetItem_section.html
	out, err := s.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(s.Table),
		Key: map[string]types.AttributeValue{
			"PK": &types.AttributeValueMemberS{Value: "R#" + id}, "SK": &types.AttributeValueMemberS{Value: "R"},
		},
	})
	if err != nil {
		return false, fmt.Errorf("get revoked token: %w", err)
	}
	return out.Item != nil, nil
}

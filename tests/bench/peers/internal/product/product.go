// Package product reads products from the commerce table and answers with them as Tienda's get-product does.
package product

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ErrNotFound is returned for a product that does not exist or is not for sale.
var ErrNotFound = errors.New("product not found")

// Product is a product's item in the table, and its JSON in answers.
type Product struct {
	ID          string            `dynamodbav:"id"          json:"id"`
	SKU         string            `dynamodbav:"sku"         json:"sku"`
	Name        string            `dynamodbav:"name"        json:"name"`
	Description string            `dynamodbav:"description" json:"description"`
	Category    string            `dynamodbav:"category"    json:"category"`
	Tags        []string          `dynamodbav:"tags"        json:"tags"`
	Attributes  map[string]string `dynamodbav:"attributes"  json:"attributes"`
	Price       Price             `dynamodbav:"price"       json:"price"`
	Status      string            `dynamodbav:"status"      json:"status"`
	Version     int64             `dynamodbav:"version"     json:"version"`
	CreatedAt   Time              `dynamodbav:"created_at"  json:"created_at"`
	UpdatedAt   Time              `dynamodbav:"updated_at"  json:"updated_at"`
}

// Price is an amount in a currency's minor unit.
type Price struct {
	AmountMinor int64  `dynamodbav:"amount_minor" json:"amount_minor"`
	Currency    string `dynamodbav:"currency"     json:"currency"`
}

// Time is milliseconds since 1970 in the table and RFC 3339 in answers.
type Time int64

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	return time.UnixMilli(int64(t)).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z"`), nil
}

// ETag returns the entity tag of the product's version.
func (p Product) ETag() string { return `"` + strconv.FormatInt(p.Version, 10) + `"` }

// Store reads products. It is safe for concurrent use.
type Store struct {
	// Client is the process's one client.
	Client *dynamodb.Client
	// Table is the name of the commerce table.
	Table string
}

// Get returns a product by one consistent read, and ErrNotFound unless it is for sale.
func (s Store) Get(ctx context.Context, id string) (Product, error) {
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/example_dynamodb_GetItem_section.html
	out, err := s.Client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(s.Table), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{
			"PK": &types.AttributeValueMemberS{Value: "P#" + id}, "SK": &types.AttributeValueMemberS{Value: "META"},
		},
	})
	if err != nil {
		return Product{}, fmt.Errorf("get product: %w", err)
	}
	var p Product
	// https://pkg.go.dev/github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue#UnmarshalMap
	if err := attributevalue.UnmarshalMap(out.Item, &p); err != nil {
		return Product{}, fmt.Errorf("decode product: %w", err)
	}
	if p.Status != "active" {
		return Product{}, ErrNotFound
	}
	return p, nil
}

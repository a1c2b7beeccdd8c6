package ddb

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
)

// Client is the SDK's client of DynamoDB, made by Open or NewClient. It sends GetItem, Query, BatchGetItem and UpdateItem,
// which most requests of a function are, with less work than the SDK: of the middlewares that options add, those of the step
// Initialize run, and several calls may run one at the same time. If the options set a tracer, a meter or a log mode, the
// SDK sends all requests.
type Client struct {
	*dynamodb.Client

	lean *lean
}

// NewClient returns a client with the options of the SDK's client c.
func NewClient(c *dynamodb.Client) *Client { return &Client{Client: c, lean: newLean(c)} }

// With returns a client with other options, which shares its connections.
func (c *Client) With(options ...func(*dynamodb.Options)) *Client {
	return NewClient(dynamodb.New(c.Options(), options...))
}

// GetItem sends the request as the SDK's client does.
func (c *Client) GetItem(ctx context.Context, in *dynamodb.GetItemInput, options ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return send(ctx, c.lean, c.lean.getItem, c.Client.GetItem, in, options, func(out *dynamodb.GetItemOutput, m middleware.Metadata) { out.ResultMetadata = m })
}

// Query sends the request as the SDK's client does.
func (c *Client) Query(ctx context.Context, in *dynamodb.QueryInput, options ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return send(ctx, c.lean, c.lean.query, c.Client.Query, in, options, func(out *dynamodb.QueryOutput, m middleware.Metadata) { out.ResultMetadata = m })
}

// BatchGetItem sends the request as the SDK's client does.
func (c *Client) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, options ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return send(ctx, c.lean, c.lean.batchGetItem, c.Client.BatchGetItem, in, options, func(out *dynamodb.BatchGetItemOutput, m middleware.Metadata) { out.ResultMetadata = m })
}

// UpdateItem sends the request as the SDK's client does.
func (c *Client) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, options ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return send(ctx, c.lean, c.lean.updateItem, c.Client.UpdateItem, in, options, func(out *dynamodb.UpdateItemOutput, m middleware.Metadata) { out.ResultMetadata = m })
}

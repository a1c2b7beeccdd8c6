package ddb

import (
	"context"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"github.com/tienda-dev/tienda/shared/awsjson"
)

// Client sends GetItem, Query, BatchGetItem, UpdateItem and DeleteItem, which most requests of a function are, without the
// SDK's client, but with its types, its signer, its retries and its errors. A call takes half the processor time, and a
// function that needs nothing else is 0.7 MB smaller (docs/performance.md). Client.SDK sends everything else. Make one with
// Open.
//
// A call fails for an input with parameters of DynamoDB's old interface, which expressions replace, for one that asks for the
// capacity of indexes or for metrics of item collections, and for one with an attribute that is nil: send these with SDK.
// Requests are signed with this machine's clock, whose skew is not corrected.
type Client struct {
	options  dynamodb.Options
	endpoint *url.URL
	signer   *v4.Signer
	// tokens is the options' Retryer, if it gives tokens to attempts: then a first attempt needs no layer of retries.
	tokens aws.RetryerV2
	// operations are those that it sends, by name.
	operations map[string]*operation
	// err is why options cannot be obeyed: every call returns it.
	err error

	once sync.Once
	// sdk is a *dynamodb.Client. A field of that type would make the linker keep its methods of the names above.
	sdk any
}

// newClient returns a client with final options.
func newClient(o dynamodb.Options) *Client {
	c := &Client{options: o, signer: v4.NewSigner(), operations: map[string]*operation{}}
	c.err = c.open()
	return c
}

func (c *Client) open() error {
	if err := refuse(c.options); err != nil {
		return err
	}
	endpoint := ""
	if c.options.BaseEndpoint != nil {
		endpoint = *c.options.BaseEndpoint
	}
	var err error
	if c.endpoint, err = awsjson.Endpoint("dynamodb", c.options.Region, endpoint); err != nil {
		return err
	}
	if c.options.RetryMaxAttempts != 0 {
		c.options.Retryer = retry.AddWithMaxAttempts(c.options.Retryer, c.options.RetryMaxAttempts)
		c.options.RetryMaxAttempts = 0
	}
	c.tokens, _ = c.options.Retryer.(aws.RetryerV2)
	for _, name := range []string{"GetItem", "Query", "BatchGetItem", "UpdateItem", "DeleteItem"} {
		if c.operations[name], err = newOperation(name, c.options); err != nil {
			return err
		}
	}
	return nil
}

// refuse returns an error that names the options that are set and not obeyed.
func refuse(o dynamodb.Options) error {
	known := []string{
		"APIOptions", "BaseEndpoint", "Credentials", "HTTPClient", "Region", "RetryMaxAttempts", "Retryer",
		// They change nothing of the calls that a Client sends:
		"DefaultsMode", "EndpointDiscovery", "IdempotencyTokenProvider", "Logger", "RetryMode", "RuntimeEnvironment",
	}
	var names []string
	for field, value := range reflect.ValueOf(o).Fields() {
		if field.IsExported() && !value.IsZero() && !slices.Contains(known, field.Name) {
			names = append(names, field.Name)
		}
	}
	if len(names) > 0 {
		return fixed("ddb: a client does not obey the options " + strings.Join(names, ", ") + ": set them for calls of Client.SDK")
	}
	return nil
}

// With returns a client with other options, which shares its connections. Options that it cannot obey are the error of each
// of its calls.
func (c *Client) With(options ...func(*dynamodb.Options)) *Client {
	o := c.options
	o.APIOptions = slices.Clone(o.APIOptions)
	for _, option := range options {
		option(&o)
	}
	return newClient(o)
}

// SDK returns the SDK's client of DynamoDB with the same options, for the operations that Client does not have. A function
// that does not call it does not link it.
func (c *Client) SDK() *dynamodb.Client {
	c.once.Do(func() { c.sdk = dynamodb.New(c.options, refuseEmpty) })
	sdk, _ := c.sdk.(*dynamodb.Client)
	return sdk
}

// GetItem sends the request as the SDK's client does.
func (c *Client) GetItem(ctx context.Context, in *dynamodb.GetItemInput, options ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return send(ctx, c, "GetItem", in, options, func(out *dynamodb.GetItemOutput, m middleware.Metadata) { out.ResultMetadata = m })
}

// Query sends the request as the SDK's client does.
func (c *Client) Query(ctx context.Context, in *dynamodb.QueryInput, options ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return send(ctx, c, "Query", in, options, func(out *dynamodb.QueryOutput, m middleware.Metadata) { out.ResultMetadata = m })
}

// BatchGetItem sends the request as the SDK's client does.
func (c *Client) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, options ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return send(ctx, c, "BatchGetItem", in, options, func(out *dynamodb.BatchGetItemOutput, m middleware.Metadata) { out.ResultMetadata = m })
}

// UpdateItem sends the request as the SDK's client does.
func (c *Client) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, options ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return send(ctx, c, "UpdateItem", in, options, func(out *dynamodb.UpdateItemOutput, m middleware.Metadata) { out.ResultMetadata = m })
}

// DeleteItem sends the request as the SDK's client does.
func (c *Client) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, options ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	return send(ctx, c, "DeleteItem", in, options, func(out *dynamodb.DeleteItemOutput, m middleware.Metadata) { out.ResultMetadata = m })
}

package localddb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tienda-dev/tienda/local/template"
)

// ErrBroken is a fault of DynamoDB itself. An engine that has just started with a data folder cannot
// read it.
var ErrBroken = errors.New("DynamoDB answers")

// CreateTables creates the tables with their indexes, TTL and streams. A table that exists is kept, but
// other keys or indexes than the template's are an error. It leaves no connection open.
func CreateTables(ctx context.Context, endpoint, region string, tables []template.Table) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := dynamodb.New(dynamodb.Options{
		Region:       region,
		BaseEndpoint: aws.String(endpoint),
		HTTPClient:   &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			// DynamoDB Local accepts any letters and digits.
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local", Source: "localddb"}, nil
		}),
	})
	for _, t := range tables {
		err := createTable(ctx, client, t)
		var response *smithyhttp.ResponseError
		if errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError {
			err = fmt.Errorf("%w %d", ErrBroken, response.HTTPStatusCode())
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	return nil
}

func createTable(ctx context.Context, client *dynamodb.Client, t template.Table) error {
	_, err := client.CreateTable(ctx, definition(t))
	var exists *types.ResourceInUseException
	if err != nil && !errors.As(err, &exists) {
		return err
	}
	description, err := active(ctx, client, t.Name)
	if err != nil {
		return err
	}
	if exists != nil {
		if got, want := shape(description), want(t); !slices.Equal(got, want) {
			return fmt.Errorf("it exists with the keys and indexes %s, but the template wants %s: "+
				"delete it, or choose another DATA folder", strings.Join(got, " "), strings.Join(want, " "))
		}
	}
	if t.TTLAttribute == "" {
		return nil
	}

	ttl, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &t.Name})
	if err != nil {
		return err
	}
	if d := ttl.TimeToLiveDescription; d != nil && d.TimeToLiveStatus == types.TimeToLiveStatusEnabled {
		return nil
	}
	_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &t.Name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: &t.TTLAttribute, Enabled: aws.Bool(true),
		},
	})
	return err
}

// active waits until the table can be used.
func active(ctx context.Context, client *dynamodb.Client, name string) (*types.TableDescription, error) {
	for {
		out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return nil, err
		}
		if out.Table.TableStatus == types.TableStatusActive {
			return out.Table, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("it is still %s: %w", out.Table.TableStatus, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// definition is the table as CreateTable takes it.
func definition(t template.Table) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName:   &t.Name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   keys(t.HashKey, t.RangeKey),
	}
	for name, kind := range t.Attributes {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: aws.String(name), AttributeType: types.ScalarAttributeType(kind),
		})
	}
	for _, i := range t.Indexes {
		projection := &types.Projection{ProjectionType: types.ProjectionType(i.Projection), NonKeyAttributes: i.Include}
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(i.Name), KeySchema: keys(i.HashKey, i.RangeKey), Projection: projection,
		})
	}
	if t.StreamView != "" {
		in.StreamSpecification = &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(t.StreamView),
		}
	}
	return in
}

func keys(hash, ranged string) []types.KeySchemaElement {
	k := []types.KeySchemaElement{{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash}}
	if ranged != "" {
		k = append(k, types.KeySchemaElement{AttributeName: aws.String(ranged), KeyType: types.KeyTypeRange})
	}
	return k
}

// want and shape write keys and indexes in one comparable form: "(PK,SK)", "GSI1(GSI1PK,GSI1SK)".
func want(t template.Table) []string {
	list := []string{part("", keys(t.HashKey, t.RangeKey))}
	for _, i := range t.Indexes {
		list = append(list, part(i.Name, keys(i.HashKey, i.RangeKey)))
	}
	slices.Sort(list)
	return list
}

func shape(d *types.TableDescription) []string {
	list := []string{part("", d.KeySchema)}
	for _, i := range d.GlobalSecondaryIndexes {
		list = append(list, part(aws.ToString(i.IndexName), i.KeySchema))
	}
	slices.Sort(list)
	return list
}

func part(name string, schema []types.KeySchemaElement) string {
	var names []string
	for _, k := range schema {
		names = append(names, aws.ToString(k.AttributeName))
	}
	return name + "(" + strings.Join(names, ",") + ")"
}

// Package ddbtest gives tests a real DynamoDB: empty tables, and on request faults in its answers.
package ddbtest

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// EnvEndpoint names the DynamoDB to test against. `make integration` starts one for all packages.
const EnvEndpoint = "DYNAMODB_ENDPOINT"

const setupTimeout = 30 * time.Second

// Endpoint returns the URL of the DynamoDB to test against. It fails the test when there is none: a
// suite that skips it has tested nothing.
func Endpoint(t testing.TB) string {
	t.Helper()
	endpoint := os.Getenv(EnvEndpoint)
	if endpoint == "" {
		t.Fatal(EnvEndpoint + " is not set: run the tests through make integration")
	}
	return endpoint
}

// Client returns a client of the DynamoDB at Endpoint.
func Client(t testing.TB, options ...func(*dynamodb.Options)) *ddb.Client {
	t.Helper()
	client, err := ddb.Open(Config(t), options...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Config returns what ddb.Open needs for the DynamoDB at Endpoint.
func Config(t testing.TB) ddb.Config {
	t.Helper()
	return ddb.Config{
		Config: awsclient.Config{
			Region:          "eu-central-1",
			AccessKeyID:     "local", // letters and digits only: DynamoDB Local refuses others
			SecretAccessKey: "local",
		},
		Endpoint: Endpoint(t),
	}
}

// Table returns an empty table of its own for the test: keys PK and SK, indexes GSI1 (GSI1PK,
// GSI1SK) and GSI2 (GSI2PK, GSI2SK), all of them strings, every attribute projected. It is deleted
// when the test ends. The options are the client's (Faults.Option, for one).
func Table(t testing.TB, options ...func(*dynamodb.Options)) *ddb.Table {
	t.Helper()
	return ddb.NewTable(Client(t, options...), create(t, schema))
}

// HashTable returns the name of an empty table of its own for the test, whose primary key is PK alone. It is deleted when
// the test ends.
func HashTable(t testing.TB) string {
	t.Helper()
	return create(t, func(name string) *dynamodb.CreateTableInput {
		return &dynamodb.CreateTableInput{
			TableName:            &name,
			BillingMode:          types.BillingModePayPerRequest,
			KeySchema:            keys(ddb.AttrPK, "")[:1],
			AttributeDefinitions: []types.AttributeDefinition{definition(ddb.AttrPK)},
		}
	})
}

func create(t testing.TB, schema func(name string) *dynamodb.CreateTableInput) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), setupTimeout)
	defer cancel()

	name := "test-" + strings.ToLower(ulid.Make().String())
	client := Client(t)
	_, err := client.SDK().CreateTable(ctx, schema(name))
	if _, done := errors.AsType[*types.ResourceInUseException](err); err != nil && !done { // by an attempt whose answer came too late
		t.Fatalf("ddbtest: create table: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
		defer cancel()
		if _, err := client.SDK().DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Errorf("ddbtest: delete table: %v", err)
		}
	})
	return name
}

func schema(name string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   keys(ddb.AttrPK, ddb.AttrSK),
	}
	for _, index := range []string{"GSI1", "GSI2"} {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName:  aws.String(index),
			KeySchema:  keys(index+"PK", index+"SK"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		})
	}
	for _, attribute := range []string{ddb.AttrPK, ddb.AttrSK, "GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK"} {
		in.AttributeDefinitions = append(in.AttributeDefinitions, definition(attribute))
	}
	return in
}

func definition(attribute string) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: &attribute, AttributeType: types.ScalarAttributeTypeS}
}

func keys(hash, sortKey string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &hash, KeyType: types.KeyTypeHash},
		{AttributeName: &sortKey, KeyType: types.KeyTypeRange},
	}
}

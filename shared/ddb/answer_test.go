package ddb_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/ddb"
)

// What Open's client returns is what the SDK's own returns, errors too.
func TestAnswersAreTheSDKs(t *testing.T) {
	t.Parallel()
	const full = `{"Item":{"PK":{"S":"a"},"n":{"N":"1.50"},"b":{"B":"AQI="},"t":{"BOOL":true},"z":{"NULL":true},"m":{"M":{"x":{"L":[{"S":"\u00e9\n"},{"M":{}}]}}},` +
		`"ss":{"SS":["a","b"]},"ns":{"NS":["1"]},"e":{"L":[]}},"ConsumedCapacity":{"TableName":"orders","CapacityUnits":0.5}}`
	get := &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: ddb.Key{PK: "a", SK: "b"}.Item()}
	query := &dynamodb.QueryInput{TableName: aws.String("orders"), KeyConditionExpression: aws.String("PK = :a")}
	batch := &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"orders": {Keys: []ddb.Item{{}}}}}
	update := &dynamodb.UpdateItemInput{TableName: aws.String("orders"), Key: ddb.Key{PK: "a", SK: "b"}.Item()}
	remove := &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: ddb.Key{PK: "a", SK: "b"}.Item()}
	for name, tc := range map[string]struct {
		in     any
		status int
		answer string
		header http.Header
	}{
		"Item":                {get, 200, full, nil},
		"NoItem":              {get, 200, `{}`, nil},
		"EmptyItem":           {get, 200, `{"Item":{}}`, nil},
		"NullItem":            {get, 200, `{"Item":null}`, nil},
		"NullAttribute":       {get, 200, `{"Item":{"a":null}}`, nil},
		"NullText":            {get, 200, `{"Item":{"a":{"S":null}}}`, nil},
		"BinarySet":           {get, 200, `{"Item":{"a":{"BS":["AQ=="]}}}`, nil},
		"NewType":             {get, 200, `{"Item":{"a":{"VECTOR":[1,2]}}}`, nil},
		"SameTypeTwice":       {get, 200, `{"Item":{"a":{"S":"x","S":"y"}}}`, nil}, // of two types the SDK takes any
		"NoType":              {get, 200, `{"Item":{"a":{}}}`, nil},
		"BadBinary":           {get, 200, `{"Item":{"a":{"B":"?"}}}`, nil},
		"NewMember":           {get, 200, `{"Item":{"a":{"S":"x"}},"New":{"x":1}}`, nil},
		"Cut":                 {get, 200, full[:60], nil},
		"Empty":               {get, 200, ``, nil},
		"Page":                {get, 200, `<html>`, nil},
		"Null":                {get, 200, `null`, nil},
		"RefusalChecksum":     {update, 400, `{"__type":"x#ConditionalCheckFailedException","Item":{"n":{"N":"9"}}}`, http.Header{"X-Amz-Crc32": {"1"}}},
		"QueryNothingAtAll":   {query, 200, `{}`, nil},
		"OtherChecksum":       {get, 200, full, http.Header{"X-Amz-Crc32": {"1"}}},
		"Capacity":            {get, 200, `{"ConsumedCapacity":{"TableName":null,"CapacityUnits":1,"ReadCapacityUnits":1.5,"WriteCapacityUnits":null}}`, nil},
		"NullCapacity":        {get, 200, `{"ConsumedCapacity":null}`, nil},
		"CapacityIsText":      {get, 200, `{"ConsumedCapacity":{"CapacityUnits":"much"}}`, nil},
		"Throttled":           {get, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}`, nil},
		"NoTable":             {get, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"none"}`, nil},
		"Fault":               {get, 500, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"x"}`, nil},
		"ProxyPage":           {get, 503, `<html>`, nil},
		"Redirect":            {get, 302, ``, nil},
		"Query":               {query, 200, `{"Count":1,"ScannedCount":2,"Items":[{"PK":{"S":"a"}}],"LastEvaluatedKey":{"PK":{"S":"a"}},"ConsumedCapacity":{"CapacityUnits":2}}`, nil},
		"QueryNothing":        {query, 200, `{"Count":0,"Items":[],"ScannedCount":0}`, nil},
		"QueryCount":          {query, 200, `{"Count":7,"ScannedCount":7}`, nil},
		"QueryNull":           {query, 200, `{"Count":0,"Items":null,"ScannedCount":0}`, nil},
		"QueryCountIsText":    {query, 200, `{"Count":"many"}`, nil},
		"Batch":               {batch, 200, `{"Responses":{"orders":[{"PK":{"S":"a"}}]},"UnprocessedKeys":{},"ConsumedCapacity":[{"TableName":"orders","CapacityUnits":1}]}`, nil},
		"BatchUnprocessed":    {batch, 200, `{"Responses":{"orders":[]},"UnprocessedKeys":{"orders":{"Keys":[{"PK":{"S":"a"}}],"ConsistentRead":true}}}`, nil},
		"BatchUnprocessedAll": {batch, 200, `{"Responses":{},"UnprocessedKeys":{"orders":{"Keys":[],"ConsistentRead":null,"ProjectionExpression":"#a","ExpressionAttributeNames":{"#a":"x"},"New":1},"none":null}}`, nil},
		"BatchNull":           {batch, 200, `{"Responses":{"orders":null}}`, nil},
		"Update":              {update, 200, `{"Attributes":{"n":{"N":"2"}},"ConsumedCapacity":{"TableName":"orders","CapacityUnits":1}}`, nil},
		"UpdateNothing":       {update, 200, `{}`, nil},
		"NullInLists":         {get, 200, `{"Item":{"l":{"L":[null,{"S":"x"}]},"s":{"SS":["a",null]},"m":{"M":null},"b":{"BS":["AQ==","Ag=="]}}}`, nil},
		"TwoAnswers":          {get, 200, `{}x`, nil},
		"NotAnObject":         {get, 200, `[]`, nil},
		"ConditionFailed":     {update, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","Message":"failed","Item":{"n":{"N":"9"}}}`, nil},
		"Delete":              {remove, 200, `{"Attributes":{"n":{"N":"2"}},"ConsumedCapacity":{"TableName":"orders","CapacityUnits":1}}`, nil},
		"DeleteFailed":        {remove, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"failed"}`, nil},
		"CollectionTooLarge":  {update, 400, `{"__type":"x#ItemCollectionSizeLimitExceededException","message":"large"}`, nil},
		"ReplicaConflict":     {update, 400, `{"__type":"x#ReplicatedWriteConflictException","message":"busy"}`, nil},
		"RequestLimit":        {get, 400, `{"__type":"x#RequestLimitExceeded","message":"slow","ThrottlingReasons":[{"reason":"r","resource":"arn"},{}]}`, nil},
		"Throttling":          {get, 400, `{"__type":"x#ThrottlingException","message":"slow","throttlingReasons":[{"reason":"r","resource":null}]}`, nil},
		"Validation":          {get, 400, `{"__type":"com.amazon.coral.validate#ValidationException","message":"bad"}`, nil},
		"NoCode":              {get, 403, `{"message":"Forbidden"}`, nil},
		"NoMessage":           {get, 400, `{"__type":"x#ResourceNotFoundException"}`, nil},
		"CodeInHeader":        {get, 400, `{"__type":"x#ThrottlingException","message":"m"}`, http.Header{"X-Amzn-Errortype": {"ResourceNotFoundException:http://x/"}}},
		"CutRefusal":          {get, 400, `{"__type":"x#Condi`, nil},
		"MessageIsNumber":     {update, 400, `{"__type":"x#ConditionalCheckFailedException","Message":1}`, nil},
		"EmptyRefusal":        {get, 400, ``, nil},
		"TransactionConflict": {update, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"busy"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wire := &exchange{status: tc.status, answer: tc.answer, header: tc.header}
			opened, sdk := clients(t, wire)
			want, wantErr := call(t.Context(), sdk, tc.in)
			got, gotErr := call(t.Context(), opened, tc.in)
			switch name {
			case "Empty", "Null", "QueryNothingAtAll", "OtherChecksum", "RefusalChecksum", "TwoAnswers": // the SDK believes them
				if _, ok := errors.AsType[*smithy.DeserializationError](gotErr); !ok || wantErr != nil && name != "RefusalChecksum" {
					t.Errorf("got %v, %v, the SDK's error %v, want an error", got, gotErr, wantErr)
				}
				return
			}
			if diff := cmp.Diff(want, got, whole...); diff != "" {
				t.Errorf("(-SDK +got):\n%s", diff)
			}
			sameError(t, wantErr, gotErr)
		})
	}
}

// whole compares outputs and errors of the SDK's types, without what calls note about themselves.
var whole = cmp.Options{cmpopts.IgnoreTypes(middleware.Metadata{}), cmp.Exporter(func(reflect.Type) bool { return true })}

// sameError fails unless the errors are of the same types and say the same. What is wrong with a text may be said otherwise.
func sameError(t *testing.T, want, got error) {
	t.Helper()
	_, unreadable := errors.AsType[*smithy.DeserializationError](want)
	for {
		if reflect.TypeOf(got) != reflect.TypeOf(want) {
			t.Fatalf("a %T, the SDK's a %T", got, want)
		}
		if _, ok := want.(*smithy.DeserializationError); want == nil || ok { //nolint:errorlint // each link of the chain
			return
		}
		if !unreadable && got.Error() != want.Error() {
			t.Errorf("error %v, the SDK's %v", got, want)
		}
		if api, ok := want.(smithy.APIError); ok { //nolint:errorlint // each link of the chain
			if diff := cmp.Diff(api, got, whole...); diff != "" {
				t.Errorf("(-SDK +got):\n%s", diff)
			}
		}
		want, got = errors.Unwrap(want), errors.Unwrap(got)
	}
}

// An item is read as the SDK reads it.
func TestItemsAreTheSDKs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		wire := &exchange{status: http.StatusOK, answer: "{}"}
		opened, sdk := clients(t, wire)
		sameItem(rt, opened, sdk, wire, attributes(3).Draw(rt, "item"))
	})
}

// Items may be nested 32 levels deep: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
func TestDeepestItemIsRead(t *testing.T) {
	t.Parallel()
	for name, nest := range map[string]func(types.AttributeValue) types.AttributeValue{
		"Map": func(v types.AttributeValue) types.AttributeValue {
			return &types.AttributeValueMemberM{Value: ddb.Item{"a": v}}
		},
		"List": func(v types.AttributeValue) types.AttributeValue {
			return &types.AttributeValueMemberL{Value: []types.AttributeValue{v}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var deep types.AttributeValue = &types.AttributeValueMemberS{Value: "end"}
			for range 32 {
				deep = nest(deep)
			}
			wire := &exchange{status: http.StatusOK, answer: "{}"}
			opened, sdk := clients(t, wire)
			sameItem(t, opened, sdk, wire, ddb.Item{"a": deep})
		})
	}
}

// sameItem fails unless both clients read the item, written by the SDK, as the same.
func sameItem(t interface {
	Context() context.Context
	Fatalf(string, ...any)
}, opened, sdk caller, wire *exchange, item ddb.Item,
) {
	in := &dynamodb.UpdateItemInput{TableName: aws.String("orders"), Key: item}
	if _, err := call(t.Context(), sdk, in); err != nil {
		t.Fatalf("the SDK does not write the item: %v", err)
	}
	var body struct{ Key json.RawMessage }
	if err := json.Unmarshal(wire.body, &body); err != nil {
		t.Fatalf("%v in %s", err, wire.body)
	}
	wire.answer = `{"Count":1,"ScannedCount":1,"Items":[` + string(body.Key) + `]}`
	query := &dynamodb.QueryInput{TableName: aws.String("orders")}
	want, err := call(t.Context(), sdk, query)
	if err != nil {
		t.Fatalf("the SDK does not read the item: %v", err)
	}
	got, err := call(t.Context(), opened, query)
	if err != nil {
		t.Fatalf("%v for %s", err, wire.answer)
	}
	if want, got := want.(*dynamodb.QueryOutput).Items, got.(*dynamodb.QueryOutput).Items; !reflect.DeepEqual(want, got) {
		t.Fatalf("got %#v, the SDK %#v", got, want)
	}
}

// What is sent is signed and goes to the region's endpoint.
func TestRequestIsSigned(t *testing.T) {
	t.Parallel()
	wire := &exchange{status: http.StatusOK, answer: "{}"}
	opened, _ := clients(t, wire)
	if _, err := opened.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: ddb.Key{PK: "a", SK: "b"}.Item()}); err != nil {
		t.Fatal(err)
	}
	if sent := wire.request; sent.Header.Get("Authorization") == "" || sent.URL.String() != "https://dynamodb.eu-central-1.amazonaws.com/" ||
		sent.Header.Get("X-Amz-Target") != "DynamoDB_20120810.DeleteItem" {
		t.Errorf("sent to %s with %v", sent.URL, sent.Header)
	}
}

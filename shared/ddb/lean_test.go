package ddb_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
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

// exchange is the HTTP client of a call: it keeps the request and gives an answer.
type exchange struct {
	request *http.Request
	body    []byte
	status  int
	header  http.Header
	answer  string
}

func (e *exchange) Do(r *http.Request) (*http.Response, error) {
	e.request = r
	var err error
	if e.body, err = io.ReadAll(r.Body); err != nil {
		return nil, err
	}
	header := e.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("X-Amzn-Requestid", "request-1")
	return &http.Response{StatusCode: e.status, Header: header, Body: io.NopCloser(strings.NewReader(e.answer)), ContentLength: int64(len(e.answer))}, nil
}

// clients returns the client of Open and the SDK's own, each with the HTTP client.
func clients(t testing.TB, http dynamodb.HTTPClient) (opened *ddb.Client, sdk *dynamodb.Client) {
	t.Helper()
	once := func(o *dynamodb.Options) { o.HTTPClient, o.Retryer = http, aws.NopRetryer{} }
	opened, err := ddb.Open(working(), once)
	if err != nil {
		t.Fatal(err)
	}
	return opened, dynamodb.New(dynamodb.Options{
		Region: "eu-central-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	}, once)
}

// caller is either client.
type caller interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// call sends an input of one of the operations.
func call(ctx context.Context, c caller, in any) (any, error) {
	switch in := in.(type) {
	case *dynamodb.GetItemInput:
		return result(c.GetItem(ctx, in))
	case *dynamodb.QueryInput:
		return result(c.Query(ctx, in))
	case *dynamodb.BatchGetItemInput:
		return result(c.BatchGetItem(ctx, in))
	case *dynamodb.UpdateItemInput:
		return result(c.UpdateItem(ctx, in))
	default:
		return nil, fmt.Errorf("no call of %T", in)
	}
}

// result makes a nil pointer nil.
func result[T any](out *T, err error) (any, error) {
	if out == nil {
		return nil, err
	}
	return out, err
}

// text draws any text, with characters that JSON escapes.
func text() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", `"`, `\`, "\n\t\x01", "<&>\u2028", "\U0001F600é"}))
}

// attribute draws a value of every type.
func attribute(depth int) *rapid.Generator[types.AttributeValue] {
	return rapid.Custom(func(t *rapid.T) types.AttributeValue {
		kinds := 9
		if depth == 0 {
			kinds = 7
		}
		switch rapid.IntRange(0, kinds).Draw(t, "type") {
		case 0:
			return &types.AttributeValueMemberS{Value: text().Draw(t, "S")}
		case 1:
			return &types.AttributeValueMemberN{Value: strconv.FormatInt(rapid.Int64().Draw(t, "N"), 10)}
		case 2:
			return &types.AttributeValueMemberBOOL{Value: rapid.Bool().Draw(t, "BOOL")}
		case 3:
			return &types.AttributeValueMemberNULL{Value: true}
		case 4:
			return &types.AttributeValueMemberB{Value: rapid.SliceOf(rapid.Byte()).Draw(t, "B")}
		case 5:
			return &types.AttributeValueMemberSS{Value: rapid.SliceOf(text()).Draw(t, "SS")}
		case 6:
			return &types.AttributeValueMemberNS{Value: []string{"1", "2.5"}}
		case 7:
			return &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2, 3}}}
		case 8:
			return &types.AttributeValueMemberM{Value: attributes(depth-1).Draw(t, "M")}
		default:
			return &types.AttributeValueMemberL{Value: rapid.SliceOfN(attribute(depth-1), 0, 3).Draw(t, "L")}
		}
	})
}

func attributes(depth int) *rapid.Generator[ddb.Item] {
	return rapid.MapOfN(text(), attribute(depth), 0, 4)
}

// fill gives every field of a struct a value, now and then.
func fill(t *rapid.T, v reflect.Value) {
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if !f.CanSet() || rapid.IntRange(0, 3).Draw(t, name+" is set") == 0 {
			continue
		}
		switch f.Interface().(type) {
		case *string:
			f.Set(reflect.ValueOf(aws.String(text().Draw(t, name) + "x")))
		case *bool:
			f.Set(reflect.ValueOf(aws.Bool(rapid.Bool().Draw(t, name))))
		case *int32:
			f.Set(reflect.ValueOf(aws.Int32(rapid.Int32Range(1, 1<<30).Draw(t, name))))
		case ddb.Item:
			f.Set(reflect.ValueOf(attributes(2).Draw(t, name)))
		case map[string]string:
			f.Set(reflect.ValueOf(rapid.MapOfN(text(), text(), 0, 3).Draw(t, name)))
		case []string:
			f.Set(reflect.ValueOf(rapid.SliceOfN(text(), 1, 2).Draw(t, name)))
		case []ddb.Item:
			f.Set(reflect.ValueOf(rapid.SliceOfN(attributes(1), 1, 3).Draw(t, name)))
		case map[string]types.KeysAndAttributes:
			var keys types.KeysAndAttributes
			fill(t, reflect.ValueOf(&keys).Elem())
			keys.Keys = rapid.SliceOfN(attributes(1), 1, 3).Draw(t, "Keys")
			f.Set(reflect.ValueOf(map[string]types.KeysAndAttributes{"orders": keys}))
		default:
			if values := f.MethodByName("Values"); values.IsValid() && f.Kind() == reflect.String {
				all := values.Call(nil)[0]
				f.Set(all.Index(rapid.IntRange(0, all.Len()-1).Draw(t, name)))
			} // the rest is of DynamoDB's old interface: TestInputsHaveNoNewFields
		}
	}
}

// What Open's client sends is what the SDK's own sends.
func TestInputsAreTheSDKs(t *testing.T) {
	t.Parallel()
	for _, empty := range []any{&dynamodb.GetItemInput{}, &dynamodb.QueryInput{}, &dynamodb.BatchGetItemInput{}, &dynamodb.UpdateItemInput{}} {
		t.Run(fmt.Sprintf("%T", empty), func(t *testing.T) {
			t.Parallel()
			wire := &exchange{status: http.StatusOK, answer: "{}"}
			opened, sdk := clients(t, wire)
			rapid.Check(t, func(rt *rapid.T) {
				in := reflect.New(reflect.TypeOf(empty).Elem())
				fill(rt, in.Elem())
				wire.body = nil
				_, wantErr := call(t.Context(), sdk, in.Interface())
				want := wire.body
				wire.body = nil
				_, gotErr := call(t.Context(), opened, in.Interface())
				if (wantErr == nil) != (gotErr == nil) {
					rt.Fatalf("got %v, the SDK %v", gotErr, wantErr)
				}
				if diff := cmp.Diff(decoded(rt, want), decoded(rt, wire.body)); diff != "" {
					rt.Fatalf("(-SDK +got):\n%s", diff)
				}
			})
		})
	}
}

func decoded(t *rapid.T, body []byte) any {
	if len(body) == 0 {
		return nil
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

// An upgrade of the SDK that adds a field must not make lean drop it.
func TestInputsHaveNoNewFields(t *testing.T) {
	t.Parallel()
	for typ, want := range map[reflect.Type]string{
		reflect.TypeFor[dynamodb.GetItemInput](): "AttributesToGet ConsistentRead ExpressionAttributeNames Key ProjectionExpression ReturnConsumedCapacity TableName",
		reflect.TypeFor[dynamodb.QueryInput](): "AttributesToGet ConditionalOperator ConsistentRead ExclusiveStartKey ExpressionAttributeNames ExpressionAttributeValues " +
			"FilterExpression IndexName KeyConditionExpression KeyConditions Limit ProjectionExpression QueryFilter ReturnConsumedCapacity ScanIndexForward Select TableName",
		reflect.TypeFor[dynamodb.BatchGetItemInput](): "RequestItems ReturnConsumedCapacity",
		reflect.TypeFor[types.KeysAndAttributes]():    "AttributesToGet ConsistentRead ExpressionAttributeNames Keys ProjectionExpression",
		reflect.TypeFor[dynamodb.UpdateItemInput](): "AttributeUpdates ConditionExpression ConditionalOperator Expected ExpressionAttributeNames ExpressionAttributeValues " +
			"Key ReturnConsumedCapacity ReturnItemCollectionMetrics ReturnValues ReturnValuesOnConditionCheckFailure TableName UpdateExpression",
		reflect.TypeFor[dynamodb.GetItemOutput]():      "ConsumedCapacity Item ResultMetadata",
		reflect.TypeFor[dynamodb.QueryOutput]():        "ConsumedCapacity Count Items LastEvaluatedKey ResultMetadata ScannedCount",
		reflect.TypeFor[dynamodb.BatchGetItemOutput](): "ConsumedCapacity Responses ResultMetadata UnprocessedKeys",
		reflect.TypeFor[dynamodb.UpdateItemOutput]():   "Attributes ConsumedCapacity ItemCollectionMetrics ResultMetadata",
	} {
		var fields []string
		for f := range typ.Fields() {
			if f.IsExported() {
				fields = append(fields, f.Name)
			}
		}
		slices.Sort(fields)
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s has the fields %s: teach lean_input.go or lean_output.go the new ones, or to leave them to the SDK", typ, got)
		}
	}
}

// What Open's client returns is what the SDK's own returns, errors too.
func TestAnswersAreTheSDKs(t *testing.T) {
	t.Parallel()
	const full = `{"Item":{"PK":{"S":"a"},"n":{"N":"1.50"},"b":{"B":"AQI="},"t":{"BOOL":true},"z":{"NULL":true},"m":{"M":{"x":{"L":[{"S":"\u00e9\n"},{"M":{}}]}}},` +
		`"ss":{"SS":["a","b"]},"ns":{"NS":["1"]},"e":{"L":[]}},"ConsumedCapacity":{"TableName":"orders","CapacityUnits":0.5}}`
	get := &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: ddb.Key{PK: "a", SK: "b"}.Item()}
	query := &dynamodb.QueryInput{TableName: aws.String("orders"), KeyConditionExpression: aws.String("PK = :a")}
	batch := &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"orders": {Keys: []ddb.Item{{}}}}}
	update := &dynamodb.UpdateItemInput{TableName: aws.String("orders"), Key: ddb.Key{PK: "a", SK: "b"}.Item()}
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
		"OtherChecksum":       {get, 200, full, http.Header{"X-Amz-Crc32": {"1"}}},
		"IndexCapacity":       {get, 200, `{"ConsumedCapacity":{"TableName":"t","CapacityUnits":1,"Table":{"CapacityUnits":1}}}`, nil},
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
		"BatchNull":           {batch, 200, `{"Responses":{"orders":null}}`, nil},
		"Update":              {update, 200, `{"Attributes":{"n":{"N":"2"}},"ConsumedCapacity":{"TableName":"orders","CapacityUnits":1}}`, nil},
		"UpdateNothing":       {update, 200, `{}`, nil},
		"UpdateMetrics":       {update, 200, `{"ItemCollectionMetrics":{"SizeEstimateRangeGB":[0.5,1]}}`, nil},
		"ConditionFailed":     {update, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","Message":"failed","Item":{"n":{"N":"9"}}}`, nil},
		"TransactionConflict": {update, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"busy"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wire := &exchange{status: tc.status, answer: tc.answer, header: tc.header}
			opened, sdk := clients(t, wire)
			want, wantErr := call(t.Context(), sdk, tc.in)
			got, gotErr := call(t.Context(), opened, tc.in)
			if name == "Empty" { // Open makes it an error, the SDK takes it for no item
				if _, ok := gotErr.(interface{ Unwrap() error }); !ok || got != nil {
					t.Errorf("got %v, %v, want an error", got, gotErr)
				}
				return
			}
			if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
				t.Errorf("error %v, the SDK's %v", gotErr, wantErr)
			}
			metadata := cmpopts.IgnoreTypes(middleware.Metadata{})
			if diff := cmp.Diff(want, got, metadata, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
				t.Errorf("(-SDK +got):\n%s", diff)
			}
			failed, _ := errors.AsType[*smithy.OperationError](gotErr)
			if want, ok := errors.AsType[*smithy.OperationError](wantErr); ok && reflect.TypeOf(failed.Err) != reflect.TypeOf(want.Err) {
				t.Errorf("the error is a %T, the SDK's a %T", failed.Err, want.Err)
			}
		})
	}
}

// Inputs of DynamoDB's old interface are the SDK's to send; all others are sent without its layers.
func TestOldInputsAreLeftToTheSDK(t *testing.T) {
	t.Parallel()
	wire := &exchange{status: http.StatusOK, answer: "{}"}
	opened, _ := clients(t, wire)
	for name, tc := range map[string]struct {
		in  dynamodb.GetItemInput
		sdk bool
	}{
		"Usual": {dynamodb.GetItemInput{TableName: aws.String("orders"), Key: ddb.Key{PK: "a", SK: "b"}.Item()}, false},
		"Old":   {dynamodb.GetItemInput{TableName: aws.String("orders"), Key: ddb.Key{PK: "a", SK: "b"}.Item(), AttributesToGet: []string{"n"}}, true},
	} {
		if _, err := opened.GetItem(t.Context(), &tc.in); err != nil {
			t.Fatal(err)
		}
		if sdk := wire.request.Header.Get("Amz-Sdk-Invocation-Id") != ""; sdk != tc.sdk {
			t.Errorf("%s: sent by the SDK's layers: %t", name, sdk)
		}
		if sent := wire.request; sent.Header.Get("Authorization") == "" || sent.URL.String() != "https://dynamodb.eu-central-1.amazonaws.com/" ||
			sent.Header.Get("X-Amz-Target") != "DynamoDB_20120810.GetItem" {
			t.Errorf("%s: sent to %s with %v", name, sent.URL, sent.Header)
		}
	}
}

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
	"github.com/google/go-cmp/cmp"
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
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
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
	case *dynamodb.DeleteItemInput:
		return result(c.DeleteItem(ctx, in))
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

// refused reports an input that the client refuses.
func refused(v reflect.Value) bool {
	for i := range v.NumField() {
		switch f := v.Field(i); v.Type().Field(i).Name {
		case "AttributesToGet":
			if !f.IsNil() {
				return true
			}
		case "ConditionalOperator":
			if f.String() != "" {
				return true
			}
		case "ReturnConsumedCapacity":
			if f.String() == string(types.ReturnConsumedCapacityIndexes) {
				return true
			}
		case "ReturnItemCollectionMetrics":
			if f.String() == string(types.ReturnItemCollectionMetricsSize) {
				return true
			}
		case "RequestItems":
			for _, table := range f.MapKeys() {
				if refused(f.MapIndex(table)) {
					return true
				}
			}
		}
	}
	return false
}

// What Open's client sends is what the SDK's own sends, if it does not refuse it.
func TestInputsAreTheSDKs(t *testing.T) {
	t.Parallel()
	for _, empty := range []any{&dynamodb.GetItemInput{}, &dynamodb.QueryInput{}, &dynamodb.BatchGetItemInput{}, &dynamodb.UpdateItemInput{}, &dynamodb.DeleteItemInput{}} {
		t.Run(fmt.Sprintf("%T", empty), func(t *testing.T) {
			t.Parallel()
			wire := &exchange{status: http.StatusOK, answer: `{"Count":0}`}
			opened, sdk := clients(t, wire)
			rapid.Check(t, func(rt *rapid.T) {
				in := reflect.New(reflect.TypeOf(empty).Elem())
				fill(rt, in.Elem())
				wire.body = nil
				_, wantErr := call(t.Context(), sdk, in.Interface())
				want := wire.body
				wire.body = nil
				_, gotErr := call(t.Context(), opened, in.Interface())
				if wantErr == nil && refused(in.Elem()) {
					if _, ok := errors.AsType[*smithy.SerializationError](gotErr); !ok || wire.body != nil {
						rt.Fatalf("got %v, want that it is refused before anything is sent", gotErr)
					}
					return
				}
				if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) && in.Elem().FieldByName("RequestItems").Kind() == reflect.Invalid || (wantErr == nil) != (gotErr == nil) {
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

// An upgrade of the SDK that adds a field must not make the client drop it.
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
		reflect.TypeFor[dynamodb.DeleteItemInput](): "ConditionExpression ConditionalOperator Expected ExpressionAttributeNames ExpressionAttributeValues " +
			"Key ReturnConsumedCapacity ReturnItemCollectionMetrics ReturnValues ReturnValuesOnConditionCheckFailure TableName",
		reflect.TypeFor[dynamodb.GetItemOutput]():      "ConsumedCapacity Item ResultMetadata",
		reflect.TypeFor[dynamodb.QueryOutput]():        "ConsumedCapacity Count Items LastEvaluatedKey ResultMetadata ScannedCount",
		reflect.TypeFor[dynamodb.BatchGetItemOutput](): "ConsumedCapacity Responses ResultMetadata UnprocessedKeys",
		reflect.TypeFor[dynamodb.UpdateItemOutput]():   "Attributes ConsumedCapacity ItemCollectionMetrics ResultMetadata",
		reflect.TypeFor[dynamodb.DeleteItemOutput]():   "Attributes ConsumedCapacity ItemCollectionMetrics ResultMetadata",
	} {
		var fields []string
		for f := range typ.Fields() {
			if f.IsExported() {
				fields = append(fields, f.Name)
			}
		}
		slices.Sort(fields)
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s has the fields %s: teach input.go and output.go the new ones", typ, got)
		}
	}
}

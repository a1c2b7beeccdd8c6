package ddb

import (
	"encoding/base64"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/internal/rawjson"
)

// appendInput appends the JSON of an operation's input. It returns false for one with parts that it does not know:
// those of DynamoDB's old interface, and capacities of indexes.
func appendInput(out []byte, parameters any) ([]byte, bool) {
	w := &objectWriter{out: out, known: true}
	switch in := parameters.(type) {
	case *dynamodb.GetItemInput:
		w.getItem(in)
	case *dynamodb.QueryInput:
		w.query(in)
	case *dynamodb.BatchGetItemInput:
		w.batchGetItem(in)
	case *dynamodb.UpdateItemInput:
		w.updateItem(in)
	default:
		w.known = false
	}
	return w.out, w.known
}

// objectWriter appends JSON. known is false once it has met something that it cannot write.
type objectWriter struct {
	out   []byte
	known bool
}

func (w *objectWriter) getItem(in *dynamodb.GetItemInput) {
	w.only(in.AttributesToGet == nil)
	w.open()
	w.text("TableName", in.TableName)
	w.item("Key", in.Key)
	w.bool("ConsistentRead", in.ConsistentRead)
	w.text("ProjectionExpression", in.ProjectionExpression)
	w.names(in.ExpressionAttributeNames)
	w.capacity(in.ReturnConsumedCapacity)
	w.close()
}

func (w *objectWriter) query(in *dynamodb.QueryInput) {
	w.only(in.AttributesToGet == nil && in.ConditionalOperator == "" && in.KeyConditions == nil && in.QueryFilter == nil)
	w.open()
	w.text("TableName", in.TableName)
	w.text("IndexName", in.IndexName)
	w.enum("Select", string(in.Select))
	w.bool("ConsistentRead", in.ConsistentRead)
	w.bool("ScanIndexForward", in.ScanIndexForward)
	if in.Limit != nil {
		w.name("Limit")
		w.out = strconv.AppendInt(w.out, int64(*in.Limit), 10)
	}
	w.text("KeyConditionExpression", in.KeyConditionExpression)
	w.text("FilterExpression", in.FilterExpression)
	w.text("ProjectionExpression", in.ProjectionExpression)
	w.names(in.ExpressionAttributeNames)
	w.item("ExpressionAttributeValues", in.ExpressionAttributeValues)
	w.item("ExclusiveStartKey", in.ExclusiveStartKey)
	w.capacity(in.ReturnConsumedCapacity)
	w.close()
}

func (w *objectWriter) batchGetItem(in *dynamodb.BatchGetItemInput) {
	w.open()
	w.name("RequestItems")
	w.open()
	for table, keys := range in.RequestItems {
		w.only(keys.AttributesToGet == nil)
		w.name(table)
		w.open()
		w.name("Keys")
		w.list(len(keys.Keys), func(i int) { w.attributes(keys.Keys[i]) })
		w.bool("ConsistentRead", keys.ConsistentRead)
		w.text("ProjectionExpression", keys.ProjectionExpression)
		w.names(keys.ExpressionAttributeNames)
		w.close()
	}
	w.close()
	w.capacity(in.ReturnConsumedCapacity)
	w.close()
}

func (w *objectWriter) updateItem(in *dynamodb.UpdateItemInput) {
	w.only(in.AttributeUpdates == nil && in.ConditionalOperator == "" && in.Expected == nil)
	w.open()
	w.text("TableName", in.TableName)
	w.item("Key", in.Key)
	w.text("UpdateExpression", in.UpdateExpression)
	w.text("ConditionExpression", in.ConditionExpression)
	w.names(in.ExpressionAttributeNames)
	w.item("ExpressionAttributeValues", in.ExpressionAttributeValues)
	w.enum("ReturnValues", string(in.ReturnValues))
	w.enum("ReturnValuesOnConditionCheckFailure", string(in.ReturnValuesOnConditionCheckFailure))
	w.enum("ReturnItemCollectionMetrics", string(in.ReturnItemCollectionMetrics))
	w.capacity(in.ReturnConsumedCapacity)
	w.close()
}

func (w *objectWriter) only(known bool) { w.known = w.known && known }

func (w *objectWriter) open() { w.out = append(w.out, '{') }

func (w *objectWriter) close() { w.out = append(w.out, '}') }

// comma separates a value from the one before.
func (w *objectWriter) comma() {
	if last := w.out[len(w.out)-1]; last != '{' && last != '[' {
		w.out = append(w.out, ',')
	}
}

func (w *objectWriter) name(name string) {
	w.comma()
	w.out = append(rawjson.AppendString(w.out, name), ':')
}

func (w *objectWriter) text(name string, value *string) {
	if value != nil {
		w.name(name)
		w.out = rawjson.AppendString(w.out, *value)
	}
}

func (w *objectWriter) enum(name, value string) {
	if value != "" {
		w.text(name, &value)
	}
}

func (w *objectWriter) bool(name string, value *bool) {
	if value != nil {
		w.name(name)
		w.out = strconv.AppendBool(w.out, *value)
	}
}

func (w *objectWriter) names(names map[string]string) {
	if names == nil {
		return
	}
	w.name("ExpressionAttributeNames")
	w.open()
	for placeholder, name := range names {
		w.text(placeholder, &name)
	}
	w.close()
}

// capacity writes what is asked for of the consumed capacity. Answers about indexes are the SDK's.
func (w *objectWriter) capacity(c types.ReturnConsumedCapacity) {
	w.only(c != types.ReturnConsumedCapacityIndexes)
	w.enum("ReturnConsumedCapacity", string(c))
}

func (w *objectWriter) list(n int, element func(i int)) {
	w.out = append(w.out, '[')
	for i := range n {
		w.comma()
		element(i)
	}
	w.out = append(w.out, ']')
}

func (w *objectWriter) item(name string, item Item) {
	if item != nil {
		w.name(name)
		w.attributes(item)
	}
}

func (w *objectWriter) attributes(item Item) {
	w.open()
	for name, value := range item {
		w.name(name)
		w.value(value)
	}
	w.close()
}

// value writes an attribute: an object with its type.
func (w *objectWriter) value(value types.AttributeValue) {
	w.open()
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		w.text("S", &v.Value)
	case *types.AttributeValueMemberN:
		w.text("N", &v.Value)
	case *types.AttributeValueMemberBOOL:
		w.bool("BOOL", &v.Value)
	case *types.AttributeValueMemberNULL:
		w.bool("NULL", &v.Value)
	case *types.AttributeValueMemberB:
		w.binary("B", v.Value)
	case *types.AttributeValueMemberM:
		w.name("M")
		w.attributes(v.Value)
	case *types.AttributeValueMemberL:
		w.name("L")
		w.list(len(v.Value), func(i int) { w.value(v.Value[i]) })
	case *types.AttributeValueMemberSS:
		w.texts("SS", v.Value)
	case *types.AttributeValueMemberNS:
		w.texts("NS", v.Value)
	default: // sets of binaries, and nothing
		w.known = false
	}
	w.close()
}

func (w *objectWriter) binary(name string, value []byte) {
	w.name(name)
	w.out = append(w.out, '"')
	w.out = base64.StdEncoding.AppendEncode(w.out, value)
	w.out = append(w.out, '"')
}

func (w *objectWriter) texts(name string, values []string) {
	w.name(name)
	w.list(len(values), func(i int) { w.out = rawjson.AppendString(w.out, values[i]) })
}

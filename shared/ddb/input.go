package ddb

import (
	"encoding/base64"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/tienda-dev/tienda/shared/internal/rawjson"
)

// appendInput appends the JSON of an operation's input. It returns an error for one with parts that it does not write:
// Client's documentation has them.
func appendInput(out []byte, parameters any) ([]byte, error) {
	w := &objectWriter{out: out}
	switch in := parameters.(type) {
	case *dynamodb.GetItemInput:
		w.getItem(in)
	case *dynamodb.QueryInput:
		w.query(in)
	case *dynamodb.BatchGetItemInput:
		w.batchGetItem(in)
	case *dynamodb.UpdateItemInput:
		w.updateItem(in)
	case *dynamodb.DeleteItemInput:
		w.deleteItem(in)
	}
	if w.unsupported != "" {
		return nil, &smithy.SerializationError{Err: fixed("ddb: a client does not send " + w.unsupported + ": use Client.SDK")}
	}
	return w.out, nil
}

// validate returns the SDK's error for an input that lacks what DynamoDB requires.
func validate(parameters any) error {
	switch in := parameters.(type) {
	case *dynamodb.GetItemInput:
		return required("GetItemInput", in.TableName, in.Key != nil)
	case *dynamodb.QueryInput:
		return required("QueryInput", in.TableName, true)
	case *dynamodb.UpdateItemInput:
		return required("UpdateItemInput", in.TableName, in.Key != nil)
	case *dynamodb.DeleteItemInput:
		return required("DeleteItemInput", in.TableName, in.Key != nil)
	case *dynamodb.BatchGetItemInput:
		missing := smithy.InvalidParamsError{Context: "BatchGetItemInput"}
		if in.RequestItems == nil {
			missing.Add(smithy.NewErrParamRequired("RequestItems"))
		}
		for table, keys := range in.RequestItems {
			if keys.Keys == nil {
				missing.Add(smithy.NewErrParamRequired("RequestItems[" + strconv.Quote(table) + "].Keys"))
			}
		}
		return orNil(missing)
	default:
		return nil
	}
}

// required returns an error if an input has no table or no key.
func required(input string, table *string, key bool) error {
	missing := smithy.InvalidParamsError{Context: input}
	if table == nil {
		missing.Add(smithy.NewErrParamRequired("TableName"))
	}
	if !key {
		missing.Add(smithy.NewErrParamRequired("Key"))
	}
	return orNil(missing)
}

func orNil(missing smithy.InvalidParamsError) error {
	if missing.Len() == 0 {
		return nil
	}
	return missing
}

func (w *objectWriter) getItem(in *dynamodb.GetItemInput) {
	w.refuse("AttributesToGet", in.AttributesToGet != nil)
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
	w.refuse("AttributesToGet", in.AttributesToGet != nil)
	w.refuse("ConditionalOperator", in.ConditionalOperator != "")
	w.refuse("KeyConditions", in.KeyConditions != nil)
	w.refuse("QueryFilter", in.QueryFilter != nil)
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
		w.refuse("AttributesToGet", keys.AttributesToGet != nil)
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
	w.refuse("AttributeUpdates", in.AttributeUpdates != nil)
	w.refuse("ConditionalOperator", in.ConditionalOperator != "")
	w.refuse("Expected", in.Expected != nil)
	w.open()
	w.text("TableName", in.TableName)
	w.item("Key", in.Key)
	w.text("UpdateExpression", in.UpdateExpression)
	w.condition(in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	w.wanted(in.ReturnValues, in.ReturnValuesOnConditionCheckFailure, in.ReturnItemCollectionMetrics, in.ReturnConsumedCapacity)
	w.close()
}

func (w *objectWriter) deleteItem(in *dynamodb.DeleteItemInput) {
	w.refuse("ConditionalOperator", in.ConditionalOperator != "")
	w.refuse("Expected", in.Expected != nil)
	w.open()
	w.text("TableName", in.TableName)
	w.item("Key", in.Key)
	w.condition(in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	w.wanted(in.ReturnValues, in.ReturnValuesOnConditionCheckFailure, in.ReturnItemCollectionMetrics, in.ReturnConsumedCapacity)
	w.close()
}

// objectWriter appends JSON.
type objectWriter struct {
	out []byte
	// unsupported names what it has met and does not write.
	unsupported string
}

// refuse notes a parameter that is set and not written.
func (w *objectWriter) refuse(name string, set bool) {
	if set {
		w.unsupported = name
	}
}

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

// condition writes the condition of a write, and what the names and values of its expressions stand for.
func (w *objectWriter) condition(expression *string, names map[string]string, values Item) {
	w.text("ConditionExpression", expression)
	w.names(names)
	w.item("ExpressionAttributeValues", values)
}

// wanted writes what the answer to a write shall have. Metrics are refused.
func (w *objectWriter) wanted(values types.ReturnValue, refused types.ReturnValuesOnConditionCheckFailure, m types.ReturnItemCollectionMetrics, c types.ReturnConsumedCapacity) {
	w.enum("ReturnValues", string(values))
	w.enum("ReturnValuesOnConditionCheckFailure", string(refused))
	w.refuse("ReturnItemCollectionMetrics SIZE", m == types.ReturnItemCollectionMetricsSize)
	w.enum("ReturnItemCollectionMetrics", string(m))
	w.capacity(c)
}

// capacity writes what is asked for of the consumed capacity, which is not that of indexes.
func (w *objectWriter) capacity(c types.ReturnConsumedCapacity) {
	w.refuse("ReturnConsumedCapacity INDEXES", c == types.ReturnConsumedCapacityIndexes)
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
		w.name("B")
		w.base64(v.Value)
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
	case *types.AttributeValueMemberBS:
		w.name("BS")
		w.list(len(v.Value), func(i int) { w.base64(v.Value[i]) })
	default:
		w.refuse("an attribute that is nil", true)
	}
	w.close()
}

func (w *objectWriter) base64(value []byte) {
	w.out = append(w.out, '"')
	w.out = base64.StdEncoding.AppendEncode(w.out, value)
	w.out = append(w.out, '"')
}

func (w *objectWriter) texts(name string, values []string) {
	w.name(name)
	w.list(len(values), func(i int) { w.out = rawjson.AppendString(w.out, values[i]) })
}

package ddb

import (
	"cmp"
	"encoding/base64"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/tienda-dev/tienda/shared/internal/rawjson"
)

// readOutput reads the answer of an operation. It passes over members that it does not know, as the SDK does. Its error is
// a smithy.DeserializationError, also for null and for an answer to Query without Count, where the SDK returns no items.
func readOutput(operation, text string) (any, error) {
	r := &outputReader{Reader: rawjson.NewReader(text)}
	if r.Null() {
		r.err = errNull
	}
	var out any
	switch operation {
	case "GetItem":
		out = r.getItem()
	case "Query":
		out = r.query()
	case "BatchGetItem":
		out = r.batchGetItem()
	case "UpdateItem":
		o := &dynamodb.UpdateItemOutput{}
		r.written(&o.Attributes, &o.ConsumedCapacity)
		out = o
	case "DeleteItem":
		o := &dynamodb.DeleteItemOutput{}
		r.written(&o.Attributes, &o.ConsumedCapacity)
		out = o
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return out, nil
}

const (
	errNull   fixed = "the answer is null"
	errCount  fixed = "the answer to Query has no Count"
	errNumber fixed = "a capacity is not a number"
	errBinary fixed = "a binary attribute is not base64"
)

// outputReader reads JSON.
type outputReader struct {
	*rawjson.Reader

	// err is a value that is not what its type says.
	err error
}

// end returns the error of a text that is not what was read.
func (r *outputReader) end() error {
	r.End()
	if err := r.Err(); err != nil && r.err == nil {
		r.err = fixed(err.Error())
	}
	if r.err == nil {
		return nil
	}
	return &smithy.DeserializationError{Err: r.err}
}

func (r *outputReader) getItem() *dynamodb.GetItemOutput {
	out := &dynamodb.GetItemOutput{}
	r.Object(func(name string) {
		switch name {
		case "Item":
			out.Item = r.attributes()
		case "ConsumedCapacity":
			out.ConsumedCapacity = r.capacity()
		default:
			r.Skip()
		}
	})
	return out
}

// written reads the answer to a write of one item.
func (r *outputReader) written(attributes *Item, capacity **types.ConsumedCapacity) {
	r.Object(func(name string) {
		switch name {
		case "Attributes":
			*attributes = r.attributes()
		case "ConsumedCapacity":
			*capacity = r.capacity()
		default:
			r.Skip()
		}
	})
}

func (r *outputReader) query() *dynamodb.QueryOutput {
	out, counted := &dynamodb.QueryOutput{}, false
	r.Object(func(name string) {
		switch name {
		case "Items":
			out.Items = r.items()
		case "Count":
			out.Count, counted = int32(r.Integer()), true
		case "ScannedCount":
			out.ScannedCount = int32(r.Integer())
		case "LastEvaluatedKey":
			out.LastEvaluatedKey = r.attributes()
		case "ConsumedCapacity":
			out.ConsumedCapacity = r.capacity()
		default:
			r.Skip()
		}
	})
	if !counted {
		r.err = cmp.Or(r.err, error(errCount))
	}
	return out
}

func (r *outputReader) batchGetItem() *dynamodb.BatchGetItemOutput {
	out := &dynamodb.BatchGetItemOutput{}
	r.Object(func(name string) {
		switch name {
		case "Responses":
			out.Responses = members(r, r.items)
		case "UnprocessedKeys":
			out.UnprocessedKeys = members(r, r.keys)
		case "ConsumedCapacity":
			out.ConsumedCapacity = list(r, func() types.ConsumedCapacity {
				if c := r.capacity(); c != nil {
					return *c
				}
				return types.ConsumedCapacity{}
			})
		default:
			r.Skip()
		}
	})
	return out
}

func (r *outputReader) keys() types.KeysAndAttributes {
	var keys types.KeysAndAttributes
	r.Object(func(name string) {
		switch name {
		case "Keys":
			keys.Keys = r.items()
		case "ConsistentRead":
			if !r.Null() {
				keys.ConsistentRead = aws.Bool(r.Bool())
			}
		case "ProjectionExpression":
			keys.ProjectionExpression = r.optional()
		case "ExpressionAttributeNames":
			keys.ExpressionAttributeNames = members(r, r.Text)
		default:
			r.Skip()
		}
	})
	return keys
}

func (r *outputReader) capacity() *types.ConsumedCapacity {
	if r.Null() {
		return nil
	}
	c := &types.ConsumedCapacity{}
	r.Object(func(name string) {
		switch name {
		case "TableName":
			c.TableName = r.optional()
		case "CapacityUnits":
			c.CapacityUnits = r.float()
		case "ReadCapacityUnits":
			c.ReadCapacityUnits = r.float()
		case "WriteCapacityUnits":
			c.WriteCapacityUnits = r.float()
		default: // of indexes, which no input asks for
			r.Skip()
		}
	})
	return c
}

// optional reads a text or null.
func (r *outputReader) optional() *string {
	if r.Null() {
		return nil
	}
	return aws.String(r.Text())
}

// float reads a number or null.
func (r *outputReader) float() *float64 {
	if r.Null() {
		return nil
	}
	f, err := strconv.ParseFloat(r.Skip(), 64)
	if err != nil {
		r.err = errNumber
	}
	return &f
}

func (r *outputReader) items() []Item { return list(r, r.attributes) }

func (r *outputReader) attributes() Item { return members(r, r.value) }

// members reads an object's values, and nil for null.
func members[T any](r *outputReader, value func() T) map[string]T {
	if r.Null() {
		return nil
	}
	all := map[string]T{}
	r.Object(func(name string) { all[name] = value() })
	return all
}

// list reads an array, and nil for null.
func list[T any](r *outputReader, element func() T) []T {
	if r.Null() {
		return nil
	}
	all := []T{}
	r.Array(func() { all = append(all, element()) })
	return all
}

// value reads an attribute: an object with one member, whose name is the type.
func (r *outputReader) value() types.AttributeValue {
	var value types.AttributeValue
	r.Object(func(name string) {
		if r.Null() {
			return
		}
		switch name {
		case "S":
			value = &types.AttributeValueMemberS{Value: r.Text()}
		case "N":
			value = &types.AttributeValueMemberN{Value: r.Text()}
		case "BOOL":
			value = &types.AttributeValueMemberBOOL{Value: r.Bool()}
		case "NULL":
			value = &types.AttributeValueMemberNULL{Value: r.Bool()}
		case "B":
			value = &types.AttributeValueMemberB{Value: r.binary()}
		case "M":
			value = &types.AttributeValueMemberM{Value: r.attributes()}
		case "L":
			value = &types.AttributeValueMemberL{Value: list(r, r.value)}
		case "SS":
			value = &types.AttributeValueMemberSS{Value: list(r, r.Text)}
		case "NS":
			value = &types.AttributeValueMemberNS{Value: list(r, r.Text)}
		case "BS":
			value = &types.AttributeValueMemberBS{Value: list(r, r.binary)}
		default: // a type that DynamoDB may add
			r.Skip()
			value = &types.UnknownUnionMember{Tag: name}
		}
	})
	return value
}

func (r *outputReader) binary() []byte {
	value, err := base64.StdEncoding.DecodeString(r.Text())
	if err != nil {
		r.err = errBinary
	}
	return value
}

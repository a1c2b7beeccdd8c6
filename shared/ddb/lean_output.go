package ddb

import (
	"encoding/base64"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/internal/rawjson"
)

// readOutput reads the answer of an operation. It returns nil for an answer with parts that it does not know.
func readOutput(operation, text string) any {
	r := &outputReader{Reader: rawjson.NewReader(text), known: true}
	var out any
	switch operation {
	case "GetItem":
		out = r.getItem()
	case "Query":
		out = r.query()
	case "BatchGetItem":
		out = r.batchGetItem()
	case "UpdateItem":
		out = r.updateItem()
	}
	r.End()
	if text == "" || !r.known || r.Err() != nil {
		return nil
	}
	return out
}

// outputReader reads JSON. known is false once it has met something that it does not know.
type outputReader struct {
	*rawjson.Reader

	known bool
}

func (r *outputReader) unknown() {
	r.known = false
	r.Skip()
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
			r.unknown()
		}
	})
	return out
}

func (r *outputReader) updateItem() *dynamodb.UpdateItemOutput {
	out := &dynamodb.UpdateItemOutput{}
	r.Object(func(name string) {
		switch name {
		case "Attributes":
			out.Attributes = r.attributes()
		case "ConsumedCapacity":
			out.ConsumedCapacity = r.capacity()
		default:
			r.unknown()
		}
	})
	return out
}

func (r *outputReader) query() *dynamodb.QueryOutput {
	out := &dynamodb.QueryOutput{}
	r.Object(func(name string) {
		switch name {
		case "Items":
			out.Items = r.items()
		case "Count":
			out.Count = int32(r.Integer())
		case "ScannedCount":
			out.ScannedCount = int32(r.Integer())
		case "LastEvaluatedKey":
			out.LastEvaluatedKey = r.attributes()
		case "ConsumedCapacity":
			out.ConsumedCapacity = r.capacity()
		default:
			r.unknown()
		}
	})
	return out
}

// batchGetItem leaves answers with unprocessed keys to the SDK.
func (r *outputReader) batchGetItem() *dynamodb.BatchGetItemOutput {
	out := &dynamodb.BatchGetItemOutput{}
	r.Object(func(name string) {
		switch name {
		case "Responses":
			out.Responses = map[string][]map[string]types.AttributeValue{}
			r.Object(func(table string) { out.Responses[table] = r.items() })
		case "UnprocessedKeys":
			out.UnprocessedKeys = map[string]types.KeysAndAttributes{}
			r.Object(func(string) { r.unknown() })
		case "ConsumedCapacity":
			out.ConsumedCapacity = []types.ConsumedCapacity{}
			r.Array(func() {
				if c := r.capacity(); c != nil {
					out.ConsumedCapacity = append(out.ConsumedCapacity, *c)
				}
			})
		default:
			r.unknown()
		}
	})
	return out
}

func (r *outputReader) capacity() *types.ConsumedCapacity {
	c := &types.ConsumedCapacity{}
	r.Object(func(name string) {
		switch name {
		case "TableName":
			c.TableName = aws.String(r.Text())
		case "CapacityUnits":
			units, err := strconv.ParseFloat(r.Skip(), 64)
			r.known = r.known && err == nil
			c.CapacityUnits = &units
		default:
			r.unknown()
		}
	})
	return c
}

// absent reports a null in place of a list or an object, which the SDK understands.
func (r *outputReader) absent() bool {
	if r.Null() {
		r.known = false
		return true
	}
	return false
}

func (r *outputReader) items() []Item {
	if r.absent() {
		return nil
	}
	items := []Item{}
	r.Array(func() { items = append(items, r.attributes()) })
	return items
}

func (r *outputReader) attributes() Item {
	if r.absent() {
		return nil
	}
	item := Item{}
	r.Object(func(name string) { item[name] = r.value() })
	return item
}

// value reads an attribute: an object with exactly one member, whose name is the type.
func (r *outputReader) value() types.AttributeValue {
	var value types.AttributeValue
	members := 0
	r.Object(func(name string) {
		members++
		if r.absent() {
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
			text, err := base64.StdEncoding.DecodeString(r.Text())
			r.known = r.known && err == nil
			value = &types.AttributeValueMemberB{Value: text}
		case "M":
			value = &types.AttributeValueMemberM{Value: r.attributes()}
		case "L":
			list := []types.AttributeValue{}
			r.Array(func() { list = append(list, r.value()) })
			value = &types.AttributeValueMemberL{Value: list}
		case "SS":
			value = &types.AttributeValueMemberSS{Value: r.texts()}
		case "NS":
			value = &types.AttributeValueMemberNS{Value: r.texts()}
		default: // sets of binaries, and what DynamoDB may add
			r.unknown()
		}
	})
	r.known = r.known && members == 1
	return value
}

func (r *outputReader) texts() []string {
	texts := []string{}
	r.Array(func() { texts = append(texts, r.Text()) })
	return texts
}

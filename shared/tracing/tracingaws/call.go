package tracingaws

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/metrics"
)

// call is what a request is about.
type call struct{ table, index string }

// describe returns the table of a request, if it has one only, and its index.
func describe(parameters any) call {
	switch in := parameters.(type) {
	case *dynamodb.GetItemInput:
		return call{table: text(in.TableName)}
	case *dynamodb.PutItemInput:
		return call{table: text(in.TableName)}
	case *dynamodb.UpdateItemInput:
		return call{table: text(in.TableName)}
	case *dynamodb.DeleteItemInput:
		return call{table: text(in.TableName)}
	case *dynamodb.QueryInput:
		return call{table: text(in.TableName), index: text(in.IndexName)}
	case *dynamodb.BatchGetItemInput:
		return call{table: only(in.RequestItems)}
	case *dynamodb.BatchWriteItemInput:
		return call{table: only(in.RequestItems)}
	case *dynamodb.TransactWriteItemsInput:
		return call{table: transactTable(in.TransactItems)}
	default:
		return call{}
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func only[T any](tables map[string]T) string {
	if len(tables) == 1 {
		for name := range tables {
			return name
		}
	}
	return ""
}

func transactTable(items []types.TransactWriteItem) string {
	table := ""
	for _, item := range items {
		name := ""
		switch {
		case item.Put != nil:
			name = text(item.Put.TableName)
		case item.Update != nil:
			name = text(item.Update.TableName)
		case item.Delete != nil:
			name = text(item.Delete.TableName)
		case item.ConditionCheck != nil:
			name = text(item.ConditionCheck.TableName)
		}
		if table != "" && name != table {
			return ""
		}
		table = name
	}
	return table
}

// askCapacity asks DynamoDB for the capacity that a request consumes, unless the caller has asked already.
func askCapacity(parameters any) {
	ask := func(c *types.ReturnConsumedCapacity) {
		if *c == "" {
			*c = types.ReturnConsumedCapacityTotal
		}
	}
	switch in := parameters.(type) {
	case *dynamodb.GetItemInput:
		ask(&in.ReturnConsumedCapacity)
	case *dynamodb.PutItemInput:
		ask(&in.ReturnConsumedCapacity)
	case *dynamodb.UpdateItemInput:
		ask(&in.ReturnConsumedCapacity)
	case *dynamodb.DeleteItemInput:
		ask(&in.ReturnConsumedCapacity)
	case *dynamodb.QueryInput:
		ask(&in.ReturnConsumedCapacity)
	case *dynamodb.BatchGetItemInput:
		ask(&in.ReturnConsumedCapacity)
	case *dynamodb.BatchWriteItemInput:
		ask(&in.ReturnConsumedCapacity)
	case *dynamodb.TransactWriteItemsInput:
		ask(&in.ReturnConsumedCapacity)
	}
}

// result adds what an answer says.
func result(o *metrics.Operation, result any) {
	switch out := result.(type) {
	case *dynamodb.GetItemOutput:
		o.Rows = min(1, len(out.Item))
		o.Capacity = capacity(out.ConsumedCapacity)
	case *dynamodb.PutItemOutput:
		o.Capacity = capacity(out.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		o.Capacity = capacity(out.ConsumedCapacity)
	case *dynamodb.DeleteItemOutput:
		o.Capacity = capacity(out.ConsumedCapacity)
	case *dynamodb.QueryOutput:
		o.Rows = len(out.Items)
		o.Capacity = capacity(out.ConsumedCapacity)
	case *dynamodb.BatchGetItemOutput:
		o.Rows = 0
		for _, items := range out.Responses {
			o.Rows += len(items)
		}
		for _, left := range out.UnprocessedKeys {
			o.Unprocessed += len(left.Keys)
		}
		o.Capacity = total(out.ConsumedCapacity)
	case *dynamodb.BatchWriteItemOutput:
		for _, left := range out.UnprocessedItems {
			o.Unprocessed += len(left)
		}
		o.Capacity = total(out.ConsumedCapacity)
	case *dynamodb.TransactWriteItemsOutput:
		o.Capacity = total(out.ConsumedCapacity)
	}
}

func capacity(c *types.ConsumedCapacity) float64 {
	if c == nil || c.CapacityUnits == nil {
		return 0
	}
	return *c.CapacityUnits
}

func total(all []types.ConsumedCapacity) float64 {
	sum := 0.0
	for i := range all {
		sum += capacity(&all[i])
	}
	return sum
}

package ddb

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/awsclient"
)

// maxBatch is the most keys that DynamoDB takes in one BatchGetItem.
const maxBatch = 100

// BatchGet reads the items of keys, 100 to a round trip, and returns those that
// exist. A key that is missing from the result has no item: keys that DynamoDB leaves unprocessed
// are asked for again while the context's time allows, and are ErrUnavailable after that.
//
// With attributes, only those and the key of each item are returned, for items that hold more than
// the caller should see. They cost the same.
func (t *Table) BatchGet(ctx context.Context, keys []Key, consistent bool, attributes ...string) (map[Key]Item, error) {
	ctx, cancel := withBudget(ctx)
	defer cancel()

	found := make(map[Key]Item, len(keys))
	projection, names := project(attributes)
	pending := distinct(keys)
	for retries := 0; len(pending) > 0; {
		n := min(len(pending), maxBatch)
		request := types.KeysAndAttributes{
			ConsistentRead: &consistent, ProjectionExpression: projection, ExpressionAttributeNames: names,
		}
		left, err := t.batchGet(ctx, pending[:n], request, found)
		if err != nil {
			return nil, err
		}
		pending = append(pending[n:], left...)
		if len(left) == 0 {
			continue
		}
		if !awsclient.Pause(ctx, retries) {
			return nil, unprocessed(ctx)
		}
		retries++
	}
	return found, nil
}

// project names the attributes to return, by placeholders because DynamoDB reserves many words; nil
// for all.
func project(attributes []string) (*string, map[string]string) {
	if len(attributes) == 0 {
		return nil, nil
	}
	names := make(map[string]string, len(attributes)+2)
	var b strings.Builder
	for i, attribute := range append([]string{AttrPK, AttrSK}, attributes...) {
		if i > 0 {
			b.WriteByte(',')
		}
		placeholder := "#" + strconv.Itoa(i)
		names[placeholder] = attribute
		b.WriteString(placeholder)
	}
	projection := b.String()
	return &projection, names
}

func (t *Table) batchGet(ctx context.Context, keys []Key, request types.KeysAndAttributes, found map[Key]Item) ([]Key, error) {
	request.Keys = make([]map[string]types.AttributeValue, len(keys))
	for i, key := range keys {
		request.Keys[i] = key.Item()
	}
	out, err := repeat(ctx, t.client.BatchGetItem, &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{t.name: request},
	})
	if err != nil {
		return nil, newFault(ctx, "BatchGetItem", err)
	}
	asked := make(map[Key]bool, len(keys))
	for _, key := range keys {
		asked[key] = true
	}
	// An item that is dropped here would look absent.
	answered := out.Responses[t.name]
	for _, item := range answered {
		key, ok := KeyOf(item)
		if !ok || !asked[key] {
			return nil, &fault{operation: "BatchGetItem", text: "an item is not one that was asked for"}
		}
		found[key] = item
	}
	var left []Key
	for _, item := range out.UnprocessedKeys[t.name].Keys {
		key, ok := KeyOf(item)
		if !ok || !asked[key] {
			return nil, &fault{operation: "BatchGetItem", text: "an unprocessed key is not one that was asked for"}
		}
		left = append(left, key)
	}
	if answered == nil && len(left) < len(keys) { // an empty list is the answer for items that do not exist
		return nil, &fault{operation: "BatchGetItem", text: "the answer does not name the table"}
	}
	return left, nil
}

func unprocessed(ctx context.Context) error {
	f := &fault{operation: "BatchGetItem", text: "keys were left unprocessed"}
	if err := ctx.Err(); err != nil {
		f.err = err
		return f
	}
	return ErrUnavailable.WithCause(f)
}

// distinct returns the keys without repetitions, which DynamoDB refuses, in a new slice.
func distinct(keys []Key) []Key {
	seen := make(map[Key]bool, len(keys))
	once := make([]Key, 0, len(keys))
	for _, key := range keys {
		if !seen[key] {
			seen[key] = true
			once = append(once, key)
		}
	}
	return once
}

package ddb

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxBatch is the most keys that DynamoDB takes in one BatchGetItem.
const maxBatch = 100

// BatchGet reads the items of keys, 100 to a round trip, and returns those that
// exist. A key that is missing from the result has no item: keys that DynamoDB leaves unprocessed
// are asked for again while the context's time allows, and are ErrUnavailable after that.
func (t *Table) BatchGet(ctx context.Context, keys []Key, consistent bool) (map[Key]Item, error) {
	ctx, cancel := withBudget(ctx)
	defer cancel()

	found := make(map[Key]Item, len(keys))
	pending := distinct(keys)
	for retries := 0; len(pending) > 0; {
		n := min(len(pending), maxBatch)
		left, err := t.batchGet(ctx, pending[:n], consistent, found)
		if err != nil {
			return nil, err
		}
		pending = append(pending[n:], left...)
		if len(left) == 0 {
			continue
		}
		if !pause(ctx, retries) {
			return nil, unprocessed(ctx)
		}
		retries++
	}
	return found, nil
}

func (t *Table) batchGet(ctx context.Context, keys []Key, consistent bool, found map[Key]Item) ([]Key, error) {
	request := types.KeysAndAttributes{ConsistentRead: &consistent, Keys: make([]map[string]types.AttributeValue, len(keys))}
	for i, key := range keys {
		request.Keys[i] = key.Item()
	}
	out, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{t.name: request},
	})
	if err != nil {
		return nil, newFault(ctx, "BatchGetItem", err)
	}
	for _, item := range out.Responses[t.name] {
		if key, ok := KeyOf(item); ok {
			found[key] = item
		}
	}
	var left []Key
	for _, item := range out.UnprocessedKeys[t.name].Keys {
		key, ok := KeyOf(item)
		if !ok { // dropping it would make it look absent
			return nil, &fault{operation: "BatchGetItem", text: "an unprocessed key is not one that was asked for"}
		}
		left = append(left, key)
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

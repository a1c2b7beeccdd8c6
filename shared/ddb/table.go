package ddb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Names of the two attributes that are the primary key of every table.
const (
	AttrPK = "PK"
	AttrSK = "SK"
)

// Item is an item as DynamoDB holds it. Decode reads one into a struct.
type Item = map[string]types.AttributeValue

// Key is the primary key of an item. Both parts are strings and neither is empty.
type Key struct {
	PK string `dynamodbav:"PK"`
	SK string `dynamodbav:"SK"`
}

// Item returns the key as attributes.
func (k Key) Item() Item {
	return Item{
		AttrPK: &types.AttributeValueMemberS{Value: k.PK},
		AttrSK: &types.AttributeValueMemberS{Value: k.SK},
	}
}

// FromMillis returns the time of an attribute that holds milliseconds since 1970, in UTC.
func FromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// Decode reads item into dst, a pointer to a struct with dynamodbav tags.
func Decode(item Item, dst any) error {
	if err := attributevalue.UnmarshalMap(item, dst); err != nil {
		return &fault{operation: "item", text: fmt.Sprintf("read into %T: %s", dst, conversionText(err)), err: err}
	}
	return nil
}

// encode makes an item of a struct with dynamodbav tags, or takes an Item as it is, and checks that
// it has a key.
func encode(v any) (Item, Key, error) {
	item, ok := v.(Item)
	if !ok {
		var err error
		if item, err = attributevalue.MarshalMap(v); err != nil {
			return nil, Key{}, &fault{operation: "item", text: fmt.Sprintf("made from %T: %s", v, conversionText(err)), err: err}
		}
	}
	key, ok := KeyOf(item)
	if !ok {
		return nil, Key{}, fmt.Errorf("ddb: %T has no string attributes %s and %s, or empty ones", v, AttrPK, AttrSK)
	}
	return item, key, nil
}

// KeyOf returns the primary key of an item, and false when the item does not have one.
func KeyOf(item Item) (Key, bool) {
	pk, okPK := item[AttrPK].(*types.AttributeValueMemberS)
	sk, okSK := item[AttrSK].(*types.AttributeValueMemberS)
	if !okPK || !okSK || pk.Value == "" || sk.Value == "" {
		return Key{}, false
	}
	return Key{PK: pk.Value, SK: sk.Value}, true
}

// Table is one table whose primary key is PK and SK. It is safe for concurrent use.
type Table struct {
	client *Client
	name   string
}

// NewTable returns the table of that name. It panics on a nil client or an empty name, which no
// input can cause.
func NewTable(client *Client, name string) *Table {
	if client == nil || name == "" {
		panic("ddb: NewTable needs a client and a name")
	}
	return &Table{client: client, name: name}
}

// Client returns the client, for Commit over several tables and for what Table does not offer.
func (t *Table) Client() *Client { return t.client }

// Name returns the table's name.
func (t *Table) Name() string { return t.name }

// Get reads the item of key into dst and reports whether there is one. Without consistent it may
// be some milliseconds old and costs half.
func (t *Table) Get(ctx context.Context, key Key, dst any, consistent bool) (bool, error) {
	out, err := repeat(ctx, t.client.GetItem, &dynamodb.GetItemInput{
		TableName:      &t.name,
		Key:            key.Item(),
		ConsistentRead: &consistent,
	})
	if err != nil {
		return false, newFault(ctx, "GetItem", err)
	}
	if len(out.Item) == 0 {
		return false, nil
	}
	if err := Decode(out.Item, dst); err != nil {
		return false, err
	}
	return true, nil
}

// Warm pays in INIT what the first call costs: the connection, its TLS handshake and the SDK's first
// use. It reads a key that does not exist and changes nothing. It needs dynamodb:GetItem.
func (t *Table) Warm(ctx context.Context) error {
	_, err := t.Get(ctx, Key{PK: "WARM", SK: "WARM"}, &Key{}, false)
	return err
}

// PutNew writes an item whose key is free, once, although its response may be lost and the SDK may
// send it again. When the key is taken it compares the attribute named owner, whose value only this
// one write can have given it (an id that was drawn for it, a request's fingerprint): an equal value
// means that the item is this write's own, and PutNew returns nil. Otherwise it returns taken.
//
// item is a struct with dynamodbav tags or an Item. One write costs half of a transaction with
// one; several belong in Commit.
func (t *Table) PutNew(ctx context.Context, item any, owner string, taken error) error {
	if taken == nil {
		return errors.New("ddb: PutNew needs the error that a taken key means")
	}
	attributes, _, err := encode(item)
	if err != nil {
		return err
	}
	mine, ok := scalar(attributes[owner])
	if !ok {
		return fmt.Errorf("ddb: PutNew: %T has no attribute %q that is a string, number or binary and not empty", item, owner)
	}
	condition, err := expression.NewBuilder().WithCondition(Absent()).Build()
	if err != nil {
		return fmt.Errorf("ddb: PutNew: %s", expressionText(err))
	}

	_, err = repeat(ctx, t.client.SDK().PutItem, &dynamodb.PutItemInput{
		TableName:                           &t.name,
		Item:                                attributes,
		ConditionExpression:                 condition.Condition(),
		ExpressionAttributeNames:            condition.Names(),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		if err != nil {
			return newFault(ctx, "PutItem", err)
		}
		return nil
	}
	if theirs, ok := scalar(failed.Item[owner]); ok && theirs == mine {
		return nil
	}
	return taken
}

// Absent is the condition that no item has the write's key.
func Absent() expression.ConditionBuilder {
	return expression.AttributeNotExists(expression.Name(AttrPK))
}

// Present is the condition that an item has the write's key.
func Present() expression.ConditionBuilder {
	return expression.AttributeExists(expression.Name(AttrPK))
}

// scalar makes attributes comparable: the type's letter and the value.
func scalar(v types.AttributeValue) (string, bool) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return "S" + v.Value, v.Value != ""
	case *types.AttributeValueMemberN:
		return "N" + v.Value, v.Value != ""
	case *types.AttributeValueMemberB:
		return "B" + string(v.Value), len(v.Value) > 0
	default:
		return "", false
	}
}

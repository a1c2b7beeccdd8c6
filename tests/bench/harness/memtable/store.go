// Package memtable is the part of DynamoDB that functions use, in memory: tables without a schema, whose items are found
// by their attributes PK and SK. It is for benchmarks: an answer is a lookup unless the table has changed, and a condition
// decides as DynamoDB's does. It checks neither sizes nor permissions.
package memtable

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Store holds tables by name. It is safe for concurrent use.
type Store struct {
	mu     sync.Mutex
	tables map[string]*table
}

// table has its items by key, and the answers to reads since its last change.
type table struct {
	items   map[string]Item
	answers map[string][]byte
}

// New returns a store without items.
func New() *Store { return &Store{tables: map[string]*table{}} }

// Put stores items, each in the place of one with the same key.
func (s *Store) Put(name string, items ...Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, item := range items {
		s.table(name).put(item)
	}
}

func (s *Store) table(name string) *table {
	t, ok := s.tables[name]
	if !ok {
		t = &table{items: map[string]Item{}, answers: map[string][]byte{}}
		s.tables[name] = t
	}
	return t
}

func (t *table) put(item Item) {
	t.items[keyOf(item)] = item
	clear(t.answers)
}

func (t *table) remove(key Item) {
	delete(t.items, keyOf(key))
	clear(t.answers)
}

// keyOf is the identity of an item: some tables have no sort key.
func keyOf(item Item) string {
	pk, _ := item["PK"].text("S")
	sk, _ := item["SK"].text("S")
	return pk + "\x00" + sk
}

// maxAnswers bounds the answers that a table keeps.
const maxAnswers = 8192

// input has the members of every request that the store reads.
type input struct {
	TableName                 string
	Key, Item                 Item
	IndexName                 string
	KeyConditionExpression    string
	ConditionExpression       string
	UpdateExpression          string
	ProjectionExpression      string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]Value
	ReturnValues              string
	Limit                     int
	ScanIndexForward          *bool
	ExclusiveStartKey         Item

	ReturnValuesOnConditionCheckFailure string

	RequestItems map[string]struct {
		Keys                     []Item
		ProjectionExpression     string
		ExpressionAttributeNames map[string]string
	}
	TransactItems []struct{ Put, Update, Delete, ConditionCheck, Get *input }
}

// Error is a refusal of DynamoDB's.
type Error struct {
	// Type is the name of the exception.
	Type string `json:"__type"`
	// Message says why.
	Message string `json:"message"`
	// Item is the item whose condition failed, if the request asked for it.
	Item Item `json:"Item,omitempty"`
	// CancellationReasons are those of a transaction.
	CancellationReasons []Reason `json:"CancellationReasons,omitempty"`
}

// Reason is why one write cancelled its transaction.
type Reason struct {
	Code string
	Item Item `json:",omitempty"`
}

// Error implements error.
func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Do answers a request: the operation is what comes after the point in X-Amz-Target. An error is an *Error.
func (s *Store) Do(operation string, body []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tables {
		if answer, ok := t.answers[operation+string(body)]; ok {
			return answer, nil
		}
	}
	var in input
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, invalid(err)
	}
	out, read, err := s.do(operation, &in)
	if err != nil {
		if refused, ok := errors.AsType[*Error](err); ok {
			return nil, refused
		}
		return nil, invalid(err)
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return nil, invalid(err)
	}
	if read != nil && len(read.answers) < maxAnswers {
		read.answers[operation+string(body)] = answer
	}
	return answer, nil
}

func invalid(err error) *Error { return &Error{Type: "ValidationException", Message: err.Error()} }

// do returns the answer, and the one table that it was read from.
func (s *Store) do(operation string, in *input) (out any, read *table, err error) {
	switch operation {
	case "GetItem":
		t := s.table(in.TableName)
		item, ok := t.items[keyOf(in.Key)]
		if !ok {
			return struct{}{}, t, nil
		}
		item, err = project(item, in.ProjectionExpression, in.ExpressionAttributeNames)
		return map[string]Item{"Item": item}, t, err
	case "BatchGetItem":
		return s.batchGet(in)
	case "Query":
		return s.query(in)
	case "PutItem", "UpdateItem", "DeleteItem":
		out, err := s.write(operation, in)
		return out, nil, err
	case "TransactWriteItems":
		return struct{}{}, nil, s.transact(in)
	case "TransactGetItems":
		responses := []any{}
		for _, one := range in.TransactItems {
			if one.Get == nil {
				return nil, nil, errors.New("TransactGetItems without Get")
			}
			response := struct {
				Item Item `json:",omitempty"`
			}{s.table(one.Get.TableName).items[keyOf(one.Get.Key)]}
			responses = append(responses, response)
		}
		return map[string]any{"Responses": responses}, nil, nil
	}
	return nil, nil, fmt.Errorf("the operation %q is not known", operation)
}

func (s *Store) batchGet(in *input) (out any, read *table, err error) {
	responses := map[string][]Item{}
	for name, request := range in.RequestItems {
		t := s.table(name)
		if read = t; len(in.RequestItems) > 1 {
			read = nil
		}
		found := []Item{}
		for _, key := range request.Keys {
			item, ok := t.items[keyOf(key)]
			if !ok {
				continue
			}
			if item, err = project(item, request.ProjectionExpression, request.ExpressionAttributeNames); err != nil {
				return nil, nil, err
			}
			found = append(found, item)
		}
		responses[name] = found
	}
	return map[string]any{"Responses": responses, "UnprocessedKeys": struct{}{}}, read, nil
}

// project returns the attributes that an expression names, or all.
func project(item Item, expression string, names map[string]string) (Item, error) {
	if expression == "" {
		return item, nil
	}
	p := parser{names: names}
	some := Item{}
	for token := range strings.SplitSeq(expression, ",") {
		name, err := p.name(strings.TrimSpace(token))
		if err != nil {
			return nil, err
		}
		if value, ok := item[name]; ok {
			some[name] = value
		}
	}
	return some, nil
}

// query reads the items of a partition in the order of the sort key, of the table or of an index.
func (s *Store) query(in *input) (out any, read *table, err error) {
	t := s.table(in.TableName)
	var found []Item
	for _, item := range t.items {
		holds, err := newParser(in.KeyConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, item).condition()
		if err != nil {
			return nil, nil, err
		}
		if holds {
			found = append(found, item)
		}
	}
	sortKey := func(item Item) string {
		text, _ := item[in.IndexName+"SK"].text("S")
		return text + "\x00" + keyOf(item)
	}
	slices.SortFunc(found, func(a, b Item) int { return cmp.Compare(sortKey(a), sortKey(b)) })
	if in.ScanIndexForward != nil && !*in.ScanIndexForward {
		slices.Reverse(found)
	}
	if in.ExclusiveStartKey != nil {
		start := keyOf(in.ExclusiveStartKey)
		at := slices.IndexFunc(found, func(item Item) bool { return keyOf(item) == start })
		found = found[at+1:]
	}
	answer := map[string]any{}
	if in.Limit > 0 && len(found) > in.Limit {
		found = found[:in.Limit]
		last := found[in.Limit-1]
		key := Item{"PK": last["PK"], "SK": last["SK"]}
		if in.IndexName != "" {
			key[in.IndexName+"PK"], key[in.IndexName+"SK"] = last[in.IndexName+"PK"], last[in.IndexName+"SK"]
		}
		answer["LastEvaluatedKey"] = key
	}
	answer["Items"], answer["Count"], answer["ScannedCount"] = notNil(found), len(found), len(found)
	return answer, t, nil
}

func notNil(items []Item) []Item {
	if items == nil {
		return []Item{}
	}
	return items
}

package memtable_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/tests/bench/harness/memtable"
)

const key = `"TableName":"T","Key":{"PK":{"S":"P#1"},"SK":{"S":"META"}}`

// do answers a request, and returns the answer without its spaces, or the type of the error.
func do(t *testing.T, s *memtable.Store, operation, body string) string {
	t.Helper()
	answer, err := s.Do(operation, []byte(body))
	if err != nil {
		refused, ok := errors.AsType[*memtable.Error](err)
		if !ok {
			t.Fatalf("%v is not an *Error", err)
		}
		_, kind, found := strings.Cut(refused.Type, "#")
		if !found {
			return refused.Type
		}
		text, err := json.Marshal(refused.Item)
		if err != nil {
			t.Fatal(err)
		}
		return kind + " " + string(text)
	}
	return string(answer)
}

func TestSteps(t *testing.T) {
	t.Parallel()
	const limited = `{` + key + `,"UpdateExpression":"SET g0 = g0 + :c0, #ttl = :ttl","ConditionExpression":"g0 > :now AND g0 <= :b0",` +
		`"ExpressionAttributeNames":{"#ttl":"ttl"},"ReturnValues":"ALL_OLD","ReturnValuesOnConditionCheckFailure":"ALL_OLD",` +
		`"ExpressionAttributeValues":{":c0":{"N":"5"},":ttl":{"N":"9"},":now":{"N":"1"},":b0":{"N":"12"}}}`
	for name, steps := range map[string][]struct{ operation, body, want string }{
		"GetWhatWasPut": {
			{"GetItem", `{` + key + `}`, `{}`},
			{"PutItem", `{"TableName":"T","Item":{"PK":{"S":"P#1"},"SK":{"S":"META"},"n":{"N":"1"}}}`, `{}`},
			{"GetItem", `{` + key + `}`, `{"Item":{"PK":{"S":"P#1"},"SK":{"S":"META"},"n":{"N":"1"}}}`},
			{"GetItem", `{` + key + `,"ProjectionExpression":"#a,SK","ExpressionAttributeNames":{"#a":"n"}}`, `{"Item":{"SK":{"S":"META"},"n":{"N":"1"}}}`},
			{"DeleteItem", `{` + key + `}`, `{}`},
			{"GetItem", `{` + key + `}`, `{}`},
		},
		"Condition": {
			{"PutItem", `{"TableName":"T","Item":{"PK":{"S":"P#1"},"SK":{"S":"META"}},"ConditionExpression":"attribute_not_exists (#0)","ExpressionAttributeNames":{"#0":"PK"}}`, `{}`},
			{
				"PutItem", `{"TableName":"T","Item":{"PK":{"S":"P#1"},"SK":{"S":"META"}},"ConditionExpression":"attribute_not_exists (#0)","ExpressionAttributeNames":{"#0":"PK"}}`,
				`ConditionalCheckFailedException null`,
			},
		},
		"Counter": {
			{"UpdateItem", `{` + key + `,"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}},"ReturnValues":"UPDATED_NEW"}`, `{"Attributes":{"n":{"N":"1"}}}`},
			{"UpdateItem", `{` + key + `,"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}},"ReturnValues":"UPDATED_NEW"}`, `{"Attributes":{"n":{"N":"2"}}}`},
			{
				"UpdateItem", `{` + key + `,"UpdateExpression":"SET n = if_not_exists(n, :zero) + :one REMOVE x","ExpressionAttributeValues":{":one":{"N":"1"},":zero":{"N":"0"}},"ReturnValues":"UPDATED_NEW"}`,
				`{"Attributes":{"n":{"N":"3"}}}`,
			},
		},
		"RateLimit": {
			{"UpdateItem", limited, `ConditionalCheckFailedException null`},
			{
				"UpdateItem", `{` + key + `,"UpdateExpression":"SET g0 = :c0","ConditionExpression":"(attribute_not_exists(g0) OR g0 <= :now)","ExpressionAttributeValues":{":c0":{"N":"6"},":now":{"N":"1"}},"ReturnValues":"ALL_OLD"}`,
				`{}`,
			},
			{"UpdateItem", limited, `{"Attributes":{"PK":{"S":"P#1"},"SK":{"S":"META"},"g0":{"N":"6"}}}`},
			{"UpdateItem", limited, `{"Attributes":{"PK":{"S":"P#1"},"SK":{"S":"META"},"g0":{"N":"11"},"ttl":{"N":"9"}}}`},
			{"UpdateItem", limited, `ConditionalCheckFailedException {"PK":{"S":"P#1"},"SK":{"S":"META"},"g0":{"N":"16"},"ttl":{"N":"9"}}`},
		},
		"Batch": {
			{"PutItem", `{"TableName":"T","Item":{"PK":{"S":"P#1"},"SK":{"S":"META"}}}`, `{}`},
			{
				"BatchGetItem", `{"RequestItems":{"T":{"Keys":[{"PK":{"S":"P#1"},"SK":{"S":"META"}},{"PK":{"S":"P#2"},"SK":{"S":"META"}}]}}}`,
				`{"Responses":{"T":[{"PK":{"S":"P#1"},"SK":{"S":"META"}}]},"UnprocessedKeys":{}}`,
			},
		},
		"Query": {
			{"PutItem", `{"TableName":"T","Item":{"PK":{"S":"a"},"SK":{"S":"1"},"GSI1PK":{"S":"C"},"GSI1SK":{"S":"2"}}}`, `{}`},
			{"PutItem", `{"TableName":"T","Item":{"PK":{"S":"b"},"SK":{"S":"1"},"GSI1PK":{"S":"C"},"GSI1SK":{"S":"1"}}}`, `{}`},
			{"PutItem", `{"TableName":"T","Item":{"PK":{"S":"c"},"SK":{"S":"1"},"GSI1PK":{"S":"D"},"GSI1SK":{"S":"1"}}}`, `{}`},
			{
				"Query", `{"TableName":"T","IndexName":"GSI1","KeyConditionExpression":"#0 = :0","ExpressionAttributeNames":{"#0":"GSI1PK"},"ExpressionAttributeValues":{":0":{"S":"C"}}}`,
				`{"Count":2,"Items":[{"GSI1PK":{"S":"C"},"GSI1SK":{"S":"1"},"PK":{"S":"b"},"SK":{"S":"1"}},{"GSI1PK":{"S":"C"},"GSI1SK":{"S":"2"},"PK":{"S":"a"},"SK":{"S":"1"}}],"ScannedCount":2}`,
			},
			{
				"Query", `{"TableName":"T","IndexName":"GSI1","KeyConditionExpression":"(GSI1PK = :0) AND (GSI1SK < :1)","ExpressionAttributeValues":{":0":{"S":"C"},":1":{"S":"2"}},"ScanIndexForward":false,"Limit":1}`,
				`{"Count":1,"Items":[{"GSI1PK":{"S":"C"},"GSI1SK":{"S":"1"},"PK":{"S":"b"},"SK":{"S":"1"}}],"ScannedCount":1}`,
			},
			{
				"Query", `{"TableName":"T","KeyConditionExpression":"PK = :0 AND begins_with(SK, :1)","ExpressionAttributeValues":{":0":{"S":"a"},":1":{"S":"2"}}}`,
				`{"Count":0,"Items":[],"ScannedCount":0}`,
			},
		},
		"AllOrNothing": {
			{"PutItem", `{"TableName":"T","Item":{"PK":{"S":"P#1"},"SK":{"S":"META"}}}`, `{}`},
			{
				"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"T","Item":{"PK":{"S":"P#2"},"SK":{"S":"META"}}}},{"ConditionCheck":{` + key + `,"ConditionExpression":"attribute_not_exists(PK)"}}]}`,
				`TransactionCanceledException null`,
			},
			{"GetItem", `{"TableName":"T","Key":{"PK":{"S":"P#2"},"SK":{"S":"META"}}}`, `{}`},
			{"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"T","Item":{"PK":{"S":"P#2"},"SK":{"S":"META"}}}},{"Delete":{` + key + `}}]}`, `{}`},
			{
				"TransactGetItems", `{"TransactItems":[{"Get":{` + key + `}},{"Get":{"TableName":"T","Key":{"PK":{"S":"P#2"},"SK":{"S":"META"}}}}]}`,
				`{"Responses":[{},{"Item":{"PK":{"S":"P#2"},"SK":{"S":"META"}}}]}`,
			},
		},
		"Unknown": {
			{"Scan", `{"TableName":"T"}`, "ValidationException"},
			{"GetItem", `nonsense`, "ValidationException"},
			{"UpdateItem", `{` + key + `,"UpdateExpression":"SET a.b = :1","ExpressionAttributeValues":{":1":{"N":"1"}}}`, "ValidationException"},
			{"UpdateItem", `{` + key + `,"UpdateExpression":"SET a = :1"}`, "ValidationException"},
			{"UpdateItem", `{` + key + `,"UpdateExpression":"SET a = b + :1","ExpressionAttributeValues":{":1":{"N":"1"}}}`, "ValidationException"},
			{"PutItem", `{"TableName":"T","Item":{"PK":{"S":"x"}},"ConditionExpression":"size(PK) > :1","ExpressionAttributeValues":{":1":{"N":"1"}}}`, "ValidationException"},
			{"PutItem", `{"TableName":"T","Item":{"PK":{"S":"x"}},"ConditionExpression":"attribute_exists(PK) PK"}`, "ValidationException"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := memtable.New()
			for i, step := range steps {
				if got := do(t, s, step.operation, step.body); got != step.want {
					t.Errorf("step %d, %s: got  %s\nwant %s", i+1, step.operation, got, step.want)
				}
			}
		})
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	s := memtable.New()
	s.Put("T", memtable.Item{
		"PK": memtable.String("P#1"), "SK": memtable.String("META"), "n": memtable.Value(`{"N":"10"}`), "s": memtable.String("b"),
		"b": memtable.Value(`{"BOOL":true}`),
	})
	values := `"ExpressionAttributeValues":{":9":{"N":"9"},":10":{"N":"10"},":a":{"S":"a"},":b":{"S":"b"},":t":{"BOOL":true}}`
	got, want := map[string]bool{}, map[string]bool{
		"n > :9": true, "n < :9": false, "n >= :10": true, "n <> :10": false, "n = :10": true,
		"s > :a": true, "s = :b": true, "s = :10": false, "b = :t": true, "x = :a": false, "x <> :a": false,
		"n BETWEEN :9 AND :10": true, "s IN (:a, :b)": true, "s IN (:a)": false,
		"NOT (s = :a)": true, "s = :a OR n = :10": true, "s = :a AND n = :10": false, "(s = :a OR s = :b) AND n = :10": true,
		"s = :b OR s = :a AND n = :9": true, "attribute_exists(x)": false, "begins_with(s, :b)": true,
	}
	for condition := range want {
		answer := do(t, s, "UpdateItem", `{`+key+`,"UpdateExpression":"SET u = :9","ConditionExpression":"`+condition+`",`+values+`}`)
		got[condition] = answer == "{}"
		if answer != "{}" && !strings.HasPrefix(answer, "ConditionalCheckFailedException") {
			t.Errorf("%s: %s", condition, answer)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

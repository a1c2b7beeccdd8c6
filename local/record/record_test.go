package record_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/record"
)

func TestActionsMatchIAM(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		operation, body string
		want            []string
	}{
		"Get":      {"GetItem", `{"TableName":"commerce","Key":{"PK":{"S":"P#1"},"SK":{"S":"META"}}}`, []string{"f dynamodb:GetItem commerce P#*"}},
		"FixedKey": {"GetItem", `{"TableName":"commerce","Key":{"PK":{"S":"WARM"}}}`, []string{"f dynamodb:GetItem commerce WARM"}},
		"Put": {
			"PutItem", `{"TableName":"a","Item":{"SK":{"S":"X#1"},"n":{"N":"1"},"m":{"M":{"a":{"L":[]}}},"s":{"SS":["a"]},"PK":{"S":"U#1#2"}}}`,
			[]string{"f dynamodb:PutItem a U#*"},
		},
		"ARN": {"GetItem", `{"TableName":"arn:aws:dynamodb:eu-central-1:1:table/commerce"}`, []string{"f dynamodb:GetItem commerce"}},
		"QueryOfTable": {
			"Query", `{"TableName":"a","KeyConditionExpression":"PK = :p","ExpressionAttributeValues":{":p":{"S":"CATEGORIES"}}}`,
			[]string{"f dynamodb:Query a CATEGORIES"},
		},
		"QueryWithNames": {
			"Query", `{"TableName":"a","KeyConditionExpression":"(begins_with (#1, :1)) AND (#0 = :0)",` +
				`"ExpressionAttributeNames":{"#0":"PK","#1":"SK"},"ExpressionAttributeValues":{":0":{"S":"TOK#te"},":1":{"S":"P#"}}}`,
			[]string{"f dynamodb:Query a TOK#*"},
		},
		"QueryOfIndex": {
			"Query", `{"TableName":"a","IndexName":"GSI1","KeyConditionExpression":"PK = :p","ExpressionAttributeValues":{":p":{"S":"P#1"}}}`,
			[]string{"f dynamodb:Query a/index/GSI1"},
		},
		"Transaction": {
			"TransactWriteItems",
			`{"TransactItems":[{"Put":{"TableName":"a","Item":{"PK":{"S":"P#1"}}}},{"Update":{"TableName":"b","Key":{"PK":{"S":"U#1"}}}},{"Delete":{"TableName":"a"}},{"ConditionCheck":{"TableName":"c"}}]}`,
			[]string{"f dynamodb:PutItem a P#*", "f dynamodb:UpdateItem b U#*", "f dynamodb:DeleteItem a", "f dynamodb:ConditionCheckItem c"},
		},
		"ReadTransaction": {"TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"a"}}]}`, []string{"f dynamodb:GetItem a"}},
		"BatchOfTwoTables": {
			"BatchWriteItem", `{"RequestItems":{"b":[{"PutRequest":{}}],"a":[]}}`,
			[]string{"f dynamodb:BatchWriteItem a", "f dynamodb:BatchWriteItem b"},
		},
		"BatchOfKeys": {
			"BatchGetItem", `{"RequestItems":{"a":{"Keys":[{"PK":{"S":"U#1"}},{"PK":{"S":"S#1"}},{"PK":{"S":"S#2"}}]}}}`,
			[]string{"f dynamodb:BatchGetItem a S#*", "f dynamodb:BatchGetItem a U#*"},
		},
		"BatchOfWrites": {
			"BatchWriteItem", `{"RequestItems":{"a":[{"PutRequest":{"Item":{"PK":{"S":"P#1"}}}},{"DeleteRequest":{"Key":{"PK":{"S":"G"}}}}]}}`,
			[]string{"f dynamodb:BatchWriteItem a G", "f dynamodb:BatchWriteItem a P#*"},
		},
		"NoTable":   {"ListTables", `{}`, []string{"f dynamodb:ListTables "}},
		"NoJSON":    {"PutItem", `{`, []string{"f dynamodb:PutItem "}},
		"Statement": {"ExecuteStatement", `{"Statement":"SELECT * FROM commerce"}`, []string{"f dynamodb:ExecuteStatement "}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, a := range record.Actions("f", "DynamoDB_20120810."+test.operation, []byte(test.body)) {
				got = append(got, a.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProxyPassesRequestsOnUnchanged(t *testing.T) {
	t.Parallel()
	const body = `{"TableName":"commerce"}`
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if string(got) != body || r.URL.Path != "/" || r.Header.Get("Authorization") != "AWS4-HMAC-SHA256 x" || r.Method != http.MethodPost {
			t.Errorf("got %s %s %q %q", r.Method, r.URL.Path, r.Header, got)
		}
		w.Header().Set("X-Amz-Crc32", "1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "answer")
	}))
	t.Cleanup(engine.Close)

	var mu sync.Mutex
	var seen []string
	proxy, err := record.New(engine.URL, func(a record.Action) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, a.String())
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, record.Endpoint(server.URL, "get-product")+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 x")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusBadRequest || string(answer) != "answer" || res.Header.Get("X-Amz-Crc32") != "1" {
		t.Errorf("got %d %q %q", res.StatusCode, res.Header, answer)
	}
	if diff := cmp.Diff([]string{"get-product dynamodb:GetItem commerce"}, seen); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

func TestProxyAnswersWhenTheEngineIsGone(t *testing.T) {
	t.Parallel()
	proxy, err := record.New("http://127.0.0.1:1", func(record.Action) {})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	proxy.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/f/", strings.NewReader("{}")))
	if w.Code != http.StatusBadGateway {
		t.Errorf("got %d, want 502", w.Code)
	}
}

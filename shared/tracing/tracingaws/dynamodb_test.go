package tracingaws_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/tracing/tracingaws"
)

func TestACallIsASpanAndIsMeasured(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Amzn-Requestid", "AWS-REQUEST")
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "PutItem") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"canary"}`))
			return
		}
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}`))
			return
		}
		if !strings.Contains(string(body), `"ReturnConsumedCapacity":"TOTAL"`) {
			t.Errorf("the capacity was not asked for: %s", body)
		}
		_, _ = w.Write([]byte(`{"Count":2,"Items":[{"a":{"S":"1"}},{"a":{"S":"2"}}],"ConsumedCapacity":{"TableName":"shop","CapacityUnits":1.5}}`))
	}))
	defer server.Close()
	client, err := ddb.Open(ddb.Config{
		Config:   awsclient.Config{Region: "eu-central-1", AccessKeyID: "a", SecretAccessKey: "b"},
		Endpoint: server.URL,
	}, tracingaws.DynamoDB())
	if err != nil {
		t.Fatal(err)
	}
	recorder := tracetest.NewSpanRecorder()
	reader := sdkmetric.NewManualReader()
	m, err := metrics.New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, parent := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("t").Start(metrics.With(t.Context(), m), "request")
	if _, err := client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String("shop"), IndexName: aws.String("GSI1"), KeyConditionExpression: aws.String("a = :a")}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.SDK().PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("shop"), Item: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "1"}}}); err == nil {
		t.Error("PutItem succeeded")
	}
	parent.End()

	spans := recorder.Ended()
	if len(spans) != 3 || spans[0].Name() != "DynamoDB.Query" || spans[1].Name() != "DynamoDB.PutItem" || spans[0].Parent().SpanID() != parent.SpanContext().SpanID() {
		t.Fatalf("got %v", spans)
	}
	text := func(s sdktrace.ReadOnlySpan) string {
		var b strings.Builder
		for _, kv := range s.Attributes() {
			b.WriteString(string(kv.Key) + "=" + kv.Value.String() + " ")
		}
		return b.String()
	}
	for _, want := range []string{
		"db.system.name=aws.dynamodb", "db.operation.name=Query", "db.collection.name=shop", "cloud.region=eu-central-1",
		"aws.request_id=AWS-REQUEST", "aws.dynamodb.index_name=GSI1", "aws.dynamodb.attempts=2", "rpc.system.name=aws-api",
	} {
		if !strings.Contains(text(spans[0]), want) {
			t.Errorf("no %s in %s", want, text(spans[0]))
		}
	}
	if failed := text(spans[1]); !strings.Contains(failed, "error.type=ConditionalCheckFailedException") || strings.Contains(failed, "canary") {
		t.Errorf("got %s", failed)
	}

	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	totals := map[string]float64{}
	for _, metric := range got.ScopeMetrics[0].Metrics {
		switch data := metric.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				totals[metric.Name] += float64(p.Value)
			}
		case metricdata.Sum[float64]:
			for _, p := range data.DataPoints {
				totals[metric.Name] += p.Value
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				totals[metric.Name] += float64(p.Count)
			}
		}
	}
	for name, want := range map[string]float64{
		metrics.DBClientOperationDuration: 2, metrics.DBClientReturnedRows: 1, metrics.DynamoDBConsumedCapacity: 1.5,
		metrics.DynamoDBThrottles: 1, metrics.DynamoDBRetries: 1, metrics.DynamoDBConditionalCheckFailure: 1,
	} {
		if totals[name] != want {
			t.Errorf("%s is %v, want %v", name, totals[name], want)
		}
	}
}

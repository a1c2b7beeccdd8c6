package tracingaws_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/tracing/tracingaws"
)

// DynamoDB reports the throttling of a transaction as a reason of its cancellation.
func TestThrottledTransactionCounts(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ThrottlingError", "ProvisionedThroughputExceeded"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[{"Code":"` + code + `"}]}`))
		}))
		client, err := ddb.Open(ddb.Config{
			Config:   awsclient.Config{Region: "eu-central-1", AccessKeyID: "a", SecretAccessKey: "b"},
			Endpoint: server.URL,
		}, tracingaws.DynamoDB())
		if err != nil {
			t.Fatal(err)
		}
		reader := sdkmetric.NewManualReader()
		m, err := metrics.New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.SDK().TransactWriteItems(metrics.With(t.Context(), m), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{
			Put: &types.Put{TableName: aws.String("shop"), Item: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "1"}}},
		}}})
		server.Close()
		if err == nil {
			t.Fatal("the transaction succeeded")
		}
		var got metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		throttles := int64(0)
		for _, metric := range got.ScopeMetrics[0].Metrics {
			if data, ok := metric.Data.(metricdata.Sum[int64]); ok && metric.Name == metrics.DynamoDBThrottles {
				throttles += data.DataPoints[0].Value
			}
		}
		if throttles == 0 {
			t.Errorf("%s is not counted as a throttle", code)
		}
	}
}

package awsjson_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/awsjson"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// TestRequestsAreMeasured has each attempt of a call in the metrics, unless an observer measures the calls.
func TestRequestsAreMeasured(t *testing.T) {
	t.Parallel()
	const series = metrics.HTTPClientRequestDuration + " POST "
	throttled := answer(400, `{"__type":"com.amazonaws#ThrottlingException"}`)
	broken := func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset by peer") }
	late := func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded }
	good := answer(200, "{}")
	for name, tt := range map[string]struct {
		answers []doer
		change  func(*awsjson.Config)
		want    map[string]float64
	}{
		"OK": {[]doer{good}, func(*awsjson.Config) {}, map[string]float64{series + "dynamodb.eu-central-1.amazonaws.com 200": 1}},
		"Endpoint": {[]doer{good}, func(c *awsjson.Config) { c.Endpoint = "http://kms.internal:8080/path" }, map[string]float64{
			series + "kms.internal 200": 1,
		}},
		"Failures": {[]doer{throttled, broken, answer(503, ""), late}, func(c *awsjson.Config) { c.Service = "ssm" }, map[string]float64{
			series + "ssm.eu-central-1.amazonaws.com 400 ThrottlingException": 1,
			series + "ssm.eu-central-1.amazonaws.com _OTHER":                  1,
			series + "ssm.eu-central-1.amazonaws.com 503 503":                 1,
			series + "ssm.eu-central-1.amazonaws.com timeout":                 1,
		}},
		"Observed": {[]doer{good}, func(c *awsjson.Config) {
			c.Observe = func(ctx context.Context, _ string) (context.Context, func(int, int, error)) {
				return ctx, func(int, int, error) {}
			}
		}, map[string]float64{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, recorded := metricstest.New(t)
				sent := 0
				client := newClient(t, config(tt.change), func(r *http.Request) (*http.Response, error) {
					sent++
					return tt.answers[sent-1](r)
				})
				if _, err := client.Call(ctx, target, nil); (err != nil) != (len(tt.answers) == 4) {
					t.Errorf("after %d attempts: %v", sent, err)
				}
				if diff := cmp.Diff(tt.want, recorded.Series(t, metrics.HTTPClientRequestDuration)); diff != "" {
					t.Errorf("series (-want +got):\n%s", diff)
				}
			})
		})
	}
}

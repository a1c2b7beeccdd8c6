package sam

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/pump"
	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/template"
)

func TestInvokeByStartLambda(t *testing.T) {
	t.Parallel()
	answers := map[string]struct {
		status int
		header string
		body   string
		failed bool
		err    string
	}{
		"Good":     {status: 200, body: `{"batchItemFailures":[]}`},
		"NoAnswer": {status: 200, body: `null`},
		"ByHeader": {status: 200, header: "Unhandled", body: `{}`, failed: true},
		"ByBody":   {status: 200, body: `{"errorType":"errorString","errorMessage":"no"}`, failed: true},
		"Platform": {status: 404, body: `no such function`, err: "answers 404: no such function"},
	}
	for name, tt := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/2015-03-31/functions/WorkFunction/invocations" || r.Method != http.MethodPost {
					t.Errorf("got %s %s", r.Method, r.URL.Path)
				}
				if tt.header != "" {
					w.Header().Set("X-Amz-Function-Error", tt.header)
				}
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body)) // the client has gone
			}))
			t.Cleanup(server.Close)
			e := &Events{server: &Server{URL: server.URL}, client: server.Client()}
			got, err := e.invoke(t.Context(), pump.Call{Function: template.Function{LogicalID: "WorkFunction"}, Payload: []byte(`{}`)})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || string(got.Payload) != tt.body || got.Failed != tt.failed {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestQueuesOfContainers(t *testing.T) {
	t.Parallel()
	c := &CLI{template: &template.Template{Queues: []template.Queue{{LogicalID: "Orders", Name: "Orders.fifo", FIFO: true}}}}
	d := &Data{Endpoint: "http://127.0.0.1:8123", cli: c}
	if err := d.serveQueues(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.stopQueues)
	c.template.Functions = []template.Function{{LogicalID: "WorkFunction", Environment: map[string]string{
		"AWS_ENDPOINT_URL_SQS": "", "ORDERS_URL": template.QueueURL("Orders.fifo"), "OTHER": "http://example",
	}}}
	got, err := d.Environment("-mine")
	if err != nil {
		t.Fatal(err)
	}
	inside := strings.Replace(d.SQS, "127.0.0.1", "host.docker.internal", 1)
	if len(got) != 1 || got["AWS_ENDPOINT_URL_SQS"] != inside {
		t.Errorf("got %v, want the endpoint %s", got, inside)
	}
	file := filepath.Join(t.TempDir(), "env.json")
	if err := c.writeEnvironment(file, got, map[string]map[string]string{"WorkFunction": {"A_TABLE": "its own"}}); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(written), `"WorkFunction": {
    "A_TABLE": "its own",
    "ORDERS_URL": "http://sqs.localhost/123456789012/Orders.fifo"
  }`) {
		t.Errorf("got %s, %v", written, err)
	}
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, d.SQS, strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "AmazonSQS.ListQueues")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("got %d, %v", response.StatusCode, err)
	}
	if _, _, err := d.Queues.Send("Orders.fifo", queues.Message{Body: "x", Group: "g", Deduplication: "1"}); err != nil {
		t.Error(err)
	}
}

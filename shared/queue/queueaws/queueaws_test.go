package queueaws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queueaws"
)

var _ queue.Sender = (*queueaws.Queue)(nil)

const queueURL = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders.fifo"

func config(endpoint string) queueaws.Config {
	return queueaws.Config{
		Config:   awsclient.Config{Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "key", SessionToken: "session"},
		Endpoint: endpoint,
	}
}

func newQueue(t *testing.T, handler http.HandlerFunc) *queueaws.Queue {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := queueaws.New(config(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	q, err := client.Queue(queueURL)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestSendSpeaksSQS(t *testing.T) {
	t.Parallel()
	var got map[string]any
	q := newQueue(t, func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		if target := r.Header.Get("X-Amz-Target"); target != "AmazonSQS.SendMessageBatch" {
			t.Errorf("target %q", target)
		}
		if ct := r.Header.Get("Content-Type"); ct != "application/x-amz-json-1.0" {
			t.Errorf("content type %q", ct)
		}
		if auth := r.Header.Get("Authorization"); !strings.Contains(auth, "/eu-west-1/sqs/") {
			t.Errorf("signed with %q", auth)
		}
		_, _ = io.WriteString(w, `{"Successful":[{"Id":"0","MessageId":"m0"},{"Id":"1","MessageId":"m1"}]}`)
	})
	err := q.Send(t.Context(), []queue.Message{
		{Body: `{"a":1}`, Group: "order", Dedup: "event"},
		{Body: "plain", Attributes: map[string]string{"record_id": "7"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"QueueUrl": queueURL, "Entries": []any{
		map[string]any{"Id": "0", "MessageBody": `{"a":1}`, "MessageGroupId": "order", "MessageDeduplicationId": "event"},
		map[string]any{"Id": "1", "MessageBody": "plain", "MessageAttributes": map[string]any{
			"record_id": map[string]any{"DataType": "String", "StringValue": "7"},
		}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

// Each message counts as sent only when the answer names it as successful.
func TestEveryEntryIsChecked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status int
		answer string
		want   map[int]string // causes by message
	}{
		"AllSuccessful": {200, `{"Successful":[{"Id":"0"},{"Id":"1"},{"Id":"2"}]}`, nil},
		"OneFailed": {
			200, `{"Successful":[{"Id":"0"},{"Id":"2"}],"Failed":[{"Id":"1","Code":"InternalError","SenderFault":false}]}`,
			map[int]string{1: "InternalError"},
		},
		"OneIsMissing":    {200, `{"Successful":[{"Id":"0"},{"Id":"2"}]}`, map[int]string{1: "does not name"}},
		"NoneIsNamed":     {200, `{}`, map[int]string{0: "does not name", 1: "does not name", 2: "does not name"}},
		"NamedAsBoth":     {200, `{"Successful":[{"Id":"0"},{"Id":"1"},{"Id":"2"}],"Failed":[{"Id":"2","Code":"X"}]}`, map[int]string{2: "X"}},
		"UnknownIDs":      {200, `{"Successful":[{"Id":"0"},{"Id":"1"},{"Id":"2"},{"Id":"x"}],"Failed":[{"Id":"9"},{"Id":"-1"},{"Id":"y"}]}`, nil},
		"NoSuchQueue":     {400, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"canary"}`, map[int]string{0: "QueueDoesNotExist", 1: "QueueDoesNotExist", 2: "QueueDoesNotExist"}},
		"AnswerUnlikeSQS": {200, `[]`, map[int]string{0: "read answer", 1: "read answer", 2: "read answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.answer)
			})
			err := q.Send(t.Context(), []queue.Message{{Body: "a"}, {Body: "b"}, {Body: "c"}})
			var partial *queue.PartialError
			if errors.As(err, &partial) != (tt.want != nil) {
				t.Fatalf("error = %v, want failures %v", err, tt.want)
			}
			if partial == nil {
				return
			}
			if len(partial.Failed) != len(tt.want) {
				t.Errorf("failed = %v, want %v", partial.Failed, tt.want)
			}
			for i, cause := range tt.want {
				if got := fmt.Sprint(partial.Failed[i]); !strings.Contains(got, cause) || strings.Contains(got, "canary") {
					t.Errorf("message %d: %v, want %q", i, got, cause)
				}
			}
		})
	}
}

func TestOnlyASendersFaultIsPermanent(t *testing.T) {
	t.Parallel()
	for _, fault := range []bool{true, false} {
		if got := (&queueaws.EntryError{SenderFault: fault}).Permanent(); got != fault {
			t.Errorf("Permanent() = %v, want %v", got, fault)
		}
	}
}

func TestABusyQueueIsAskedAgain(t *testing.T) {
	t.Parallel()
	calls := 0
	q := newQueue(t, func(w http.ResponseWriter, _ *http.Request) {
		calls++
		if calls == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, `{"Successful":[{"Id":"0"}]}`)
	})
	if err := q.Send(t.Context(), []queue.Message{{Body: "a"}}); err != nil || calls != 2 {
		t.Errorf("error = %v after %d calls, want nil after 2", err, calls)
	}
}

func TestNewAndQueueRefuse(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*queueaws.Config){
		"NoRegion":      func(c *queueaws.Config) { c.Region = "" },
		"NoCredentials": func(c *queueaws.Config) { c.AccessKeyID = "" },
		"BadEndpoint":   func(c *queueaws.Config) { c.Endpoint = "localhost" },
	} {
		cfg := config("")
		change(&cfg)
		if _, err := queueaws.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	client, err := queueaws.New(config(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"", "orders.fifo", "arn:aws:sqs:eu-west-1:123456789012:orders.fifo"} {
		if _, err := client.Queue(url); err == nil {
			t.Errorf("queue %q: accepted", url)
		}
	}
}

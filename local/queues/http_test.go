package queues_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/awsjson"
)

// client calls the queues as the functions do.
func client(t *testing.T, s http.Handler) func(operation, in string) (map[string]any, error) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, err := awsjson.New(awsjson.Config{
		Config:  awsclient.Config{Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", HTTP: server.Client()},
		Service: "sqs", Version: "1.0", Endpoint: server.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(operation, in string) (map[string]any, error) {
		in = strings.ReplaceAll(in, "URL", template.QueueURL("orders.fifo"))
		text, err := c.Call(t.Context(), "AmazonSQS."+operation, []byte(in))
		if err != nil {
			return nil, err
		}
		var out map[string]any
		return out, json.Unmarshal(text, &out)
	}
}

func TestTheJSONProtocol(t *testing.T) {
	t.Parallel()
	s, c := start(t)
	call := client(t, s)
	must := func(operation, in string) map[string]any {
		t.Helper()
		out, err := call(operation, in)
		if err != nil {
			t.Fatalf("%s: %v", operation, err)
		}
		return out
	}

	out := must("SendMessage", `{"QueueUrl":"URL","MessageBody":"one","MessageGroupId":"a","MessageDeduplicationId":"1",
		"MessageAttributes":{"kind":{"DataType":"String","StringValue":"x"}},
		"MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1"}}}`)
	if out["MD5OfMessageBody"] != "f97c5d29941bfb1b2fdab0874906ab82" || out["SequenceNumber"] == "" {
		t.Errorf("got %v", out)
	}
	out = must("SendMessageBatch", `{"QueueUrl":"URL","Entries":[
		{"Id":"x","MessageBody":"two","MessageGroupId":"a","MessageDeduplicationId":"2"},
		{"Id":"y","MessageBody":"three","MessageDeduplicationId":"3"}]}`)
	failed := out["Failed"].([]any)[0].(map[string]any)
	if len(out["Successful"].([]any)) != 1 || failed["Id"] != "y" || failed["Code"] != "MissingParameter" || failed["SenderFault"] != true {
		t.Errorf("got %v", out)
	}

	out = must("ReceiveMessage", `{"QueueUrl":"URL","MaxNumberOfMessages":10,"VisibilityTimeout":10}`)
	messages := out["Messages"].([]any)
	first := messages[0].(map[string]any)
	attributes := first["Attributes"].(map[string]any)
	if len(messages) != 2 || first["Body"] != "one" || attributes["MessageGroupId"] != "a" || attributes["AWSTraceHeader"] != "Root=1" ||
		attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("got %v", out)
	}
	if diff := cmp.Diff(map[string]any{"kind": map[string]any{"DataType": "String", "StringValue": "x"}}, first["MessageAttributes"]); diff != "" {
		t.Error(diff)
	}
	receipt := func(i int) string { return messages[i].(map[string]any)["ReceiptHandle"].(string) }
	must("ChangeMessageVisibility", `{"QueueUrl":"URL","VisibilityTimeout":0,"ReceiptHandle":"`+receipt(1)+`"}`)
	must("DeleteMessageBatch", `{"QueueUrl":"URL","Entries":[{"Id":"x","ReceiptHandle":"`+receipt(0)+`"}]}`)
	counts := must("GetQueueAttributes", `{"QueueUrl":"URL","AttributeNames":["All"]}`)["Attributes"].(map[string]any)
	if counts["ApproximateNumberOfMessages"] != "1" || counts["ApproximateNumberOfMessagesNotVisible"] != "0" {
		t.Errorf("got %v", counts)
	}

	must("ReceiveMessage", `{"QueueUrl":"URL"}`)
	c.move(time.Minute)
	must("ReceiveMessage", `{"QueueUrl":"URL"}`) // the third time: it is a dead letter
	must("StartMessageMoveTask", `{"SourceArn":"`+template.QueueARN("dead.fifo")+`"}`)
	if d, _ := s.Depth("orders.fifo"); d.Visible != 1 {
		t.Errorf("got %+v after the redrive", d)
	}
	if got := must("GetQueueUrl", `{"QueueName":"plain"}`)["QueueUrl"]; got != template.QueueURL("plain") {
		t.Errorf("got %v", got)
	}
	if got := must("ListQueues", `{"QueueNamePrefix":"dead"}`)["QueueUrls"].([]any); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if got := must("ReceiveMessage", `{"QueueUrl":"http://sqs.localhost/1/plain","WaitTimeSeconds":1}`)["Messages"].([]any); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	call := client(t, s)
	for name, tt := range map[string]struct{ operation, in, want string }{
		"UnknownOperation":  {"TagQueue", `{}`, "UnsupportedOperation"},
		"NoQueue":           {"SendMessage", `{"QueueUrl":"http://x/1/none","MessageBody":"x"}`, "QueueDoesNotExist"},
		"NoQueueInABatch":   {"SendMessageBatch", `{"QueueUrl":"http://x/1/none","Entries":[{"Id":"a","MessageBody":"x"}]}`, "QueueDoesNotExist"},
		"NotJSON":           {"SendMessage", `x`, "SerializationException"},
		"EmptyBatch":        {"SendMessageBatch", `{"QueueUrl":"URL"}`, "EmptyBatchRequest"},
		"SameID":            {"SendMessageBatch", `{"QueueUrl":"URL","Entries":[{"Id":"a"},{"Id":"a"}]}`, "BatchEntryIdsNotDistinct"},
		"BadID":             {"SendMessageBatch", `{"QueueUrl":"URL","Entries":[{"Id":"a b"}]}`, "InvalidBatchEntryId"},
		"Eleven":            {"SendMessageBatch", `{"QueueUrl":"URL","Entries":[` + strings.TrimSuffix(eleven(), ",") + `]}`, "TooManyEntriesInBatchRequest"},
		"BadReceipt":        {"ChangeMessageVisibility", `{"QueueUrl":"URL","ReceiptHandle":"x","VisibilityTimeout":1}`, "ReceiptHandleIsInvalid"},
		"VisibilityTooLong": {"ChangeMessageVisibility", `{"QueueUrl":"URL","ReceiptHandle":"x","VisibilityTimeout":43201}`, "InvalidParameterValue"},
		"ReceiveEleven":     {"ReceiveMessage", `{"QueueUrl":"URL","MaxNumberOfMessages":11}`, "InvalidParameterValue"},
		"DelayTooLong":      {"SendMessage", `{"QueueUrl":"http://x/1/plain","MessageBody":"x","DelaySeconds":901}`, "InvalidParameterValue"},
		"NotDeadLetters":    {"StartMessageMoveTask", `{"SourceArn":"arn:aws:sqs:us-east-1:1:plain"}`, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := call(tt.operation, tt.in); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
}

func eleven() string {
	var b strings.Builder
	for _, id := range "abcdefghijk" {
		b.WriteString(`{"Id":"` + string(id) + `","MessageBody":"x"},`)
	}
	return b.String()
}

func TestOtherProtocolsAreRefused(t *testing.T) {
	t.Parallel()
	s, err := queues.New(queues.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/?Action=SendMessage", http.NoBody))
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "JSON protocol") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

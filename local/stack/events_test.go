package stack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/stack"
)

const eventsTemplate = `Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Environment:
      Variables: {AWS_ENDPOINT_URL_SQS: '', STACK_TEST_MODE: work, NEXT: !Ref Results}
Resources:
  Api: {Type: AWS::Serverless::HttpApi}
  Orders:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}}
  Dead: {Type: AWS::SQS::Queue}
  Results: {Type: AWS::SQS::Queue}
  CheckFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: dist/check
      Events:
        Day: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
        Open: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /open}}
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: dist/echo
      Events:
        Orders: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, FunctionResponseTypes: [ReportBatchItemFailures]}}
`

// serveWork is a function that sends the bodies of its messages to the queue of NEXT. It reports "poison" as
// failed. Of a schedule's event it sends the source.
func serveWork() {
	type record struct{ MessageID, Body string }
	lambda.Start(func(ctx context.Context, event struct {
		Records []record
		Source  string
	},
	) (any, error) {
		if event.Source != "" {
			event.Records = []record{{Body: event.Source}}
		}
		failures := []map[string]string{}
		for _, r := range event.Records {
			if r.Body == "poison" {
				failures = append(failures, map[string]string{"itemIdentifier": r.MessageID})
				continue
			}
			body, err := json.Marshal(map[string]string{"QueueUrl": os.Getenv("NEXT"), "MessageBody": r.Body})
			if err != nil {
				return nil, err
			}
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv(stack.EnvQueues), bytes.NewReader(body))
			if err != nil {
				return nil, err
			}
			request.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return nil, err
			}
			if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
				return nil, fmt.Errorf("send: %d, %w", response.StatusCode, err)
			}
		}
		return map[string]any{"batchItemFailures": failures}, nil
	})
}

func TestQueuesAndSchedulesInvokeFunctions(t *testing.T) {
	t.Parallel()
	opts := options(t, eventsTemplate)
	opts.RetryDelay = 10 * time.Millisecond
	s, err := stack.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, body := range []string{"one", "poison"} {
		if _, _, err := s.Queues.Send("Orders", queues.Message{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Idle(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Pump().Fire(ctx, "check"); err != nil {
		t.Fatal(err)
	}
	for queue, want := range map[string]int{"Orders": 0, "Dead": 1, "Results": 2} {
		if got, err := s.Depth(queue); got.All() != want || err != nil {
			t.Errorf("%s has %+v, %v; want %d messages", queue, got, err, want)
		}
	}
	results, err := s.Queues.Receive("Results", 10, 0)
	if err != nil || len(results) != 2 || results[0].Body != "one" || results[1].Body != "aws.events" {
		t.Errorf("got %+v, %v", results, err)
	}

	s.Pump().Pause()
	if n, err := s.Redrive("Dead"); n != 1 || err != nil {
		t.Errorf("redrove %d, %v", n, err)
	}
	if got, _ := s.Depth("Orders"); got.Visible != 1 {
		t.Errorf("got %+v while paused", got)
	}
	s.Pump().Resume()
	if err := s.Idle(ctx); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Depth("Dead"); got.Visible != 1 {
		t.Errorf("got %+v after the redrive failed again", got)
	}
	if _, err := s.Depth("Nowhere"); err == nil || !strings.Contains(err.Error(), "no queue Nowhere") {
		t.Errorf("got %v", err)
	}
}

func TestNoEventsLeavesThemInTheQueues(t *testing.T) {
	t.Parallel()
	opts := options(t, eventsTemplate)
	opts.NoEvents = true
	s, err := stack.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if _, _, err := s.Queues.Send("Orders", queues.Message{Body: "one"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Idle(t.Context()); err != nil || s.Pump() != nil {
		t.Errorf("got %v, %v", err, s.Pump())
	}
	if got, _ := s.Depth("Orders"); got.Visible != 1 {
		t.Errorf("got %+v", got)
	}
}

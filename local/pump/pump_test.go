package pump_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/pump"
	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/template"
)

const head = `Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: provided.al2023, Handler: bootstrap, Timeout: 5}}
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}}
  Dead: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Plain: {Type: AWS::SQS::Queue}
  Failed: {Type: AWS::SQS::Queue}
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
      KeySchema: [{AttributeName: PK, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
  WorkFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: dist/work
`

// world is a pump with a function that tests write.
type world struct {
	*pump.Pump
	queues *queues.Server

	mu     sync.Mutex
	events []string // the bodies, sequence numbers or sources of each invocation
	notes  []string
}

// handler is the function: it gets the ids and the contents of the records.
type handler func(ids, contents []string, payload []byte) (pump.Answer, error)

func begin(t *testing.T, events string, streams pump.StreamCaller, handle handler) *world {
	t.Helper()
	tmpl, err := template.Read("template.yaml", []byte(head+events), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{}
	if w.queues, err = queues.New(queues.Config{Queues: stack.QueuesOf(tmpl)}); err != nil {
		t.Fatal(err)
	}
	w.Pump, err = pump.Start(t.Context(), pump.Config{
		Template: tmpl, Queues: w.queues, Streams: streams, RetryDelay: 20 * time.Millisecond,
		Invoke: func(_ context.Context, c pump.Call) (pump.Answer, error) {
			if c.Function.Name != "work" || c.Scheduled != (c.Event == "Rule" || c.Event == "Night") {
				t.Errorf("got the call %+v", c)
			}
			ids, contents := recordsOf(t, c.Payload)
			w.mu.Lock()
			w.events = append(w.events, strings.Join(contents, " "))
			w.mu.Unlock()
			return handle(ids, contents, c.Payload)
		},
		Note: func(sentence string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.notes = append(w.notes, sentence)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return w
}

func recordsOf(t *testing.T, payload []byte) (ids, contents []string) {
	t.Helper()
	var in struct {
		Records []struct {
			MessageID string `json:"messageId"`
			Body      string `json:"body"`
			DynamoDB  struct {
				SequenceNumber string
				Keys           map[string]map[string]string
			} `json:"dynamodb"`
		}
	}
	if err := json.Unmarshal(payload, &in); err != nil {
		t.Error(err)
	}
	for _, r := range in.Records {
		ids = append(ids, r.MessageID+r.DynamoDB.SequenceNumber)
		contents = append(contents, r.Body+r.DynamoDB.Keys["PK"]["S"])
	}
	return ids, contents
}

func (w *world) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

func (w *world) idle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := w.Idle(ctx); err != nil {
		t.Fatal(err)
	}
}

func (w *world) send(t *testing.T, queue, group string, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		m := queues.Message{Body: body, Group: group}
		if group != "" {
			m.Deduplication = body
		}
		if _, _, err := w.queues.Send(queue, m); err != nil {
			t.Fatal(err)
		}
	}
}

func report(ids ...string) pump.Answer {
	failures := []map[string]string{}
	for _, id := range ids {
		failures = append(failures, map[string]string{"itemIdentifier": id})
	}
	text, _ := json.Marshal(map[string]any{"batchItemFailures": failures})
	return pump.Answer{Payload: text}
}

const fromOrders = `      Events:
        Orders: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, FunctionResponseTypes: [ReportBatchItemFailures]}}
`

func TestQueueOfAPoisonMessage(t *testing.T) {
	t.Parallel()
	w := begin(t, fromOrders, nil, func(ids, contents []string, _ []byte) (pump.Answer, error) {
		var failed []string
		for i, c := range contents {
			if c == "poison" {
				failed = append(failed, ids[i])
			}
		}
		return report(failed...), nil
	})
	w.send(t, "Orders.fifo", "a", "poison")
	w.send(t, "Orders.fifo", "b", "good")
	w.idle(t)
	if d, _ := w.queues.Depth("Dead.fifo"); d.All() != 1 {
		t.Errorf("got %+v in the dead-letter queue", d)
	}
	all := strings.Join(w.seen(), " ")
	if strings.Count(all, "poison") != 2 || strings.Count(all, "good") != 1 {
		t.Errorf("got %q, want the poison message twice", all)
	}
}

func TestQueueFailsWhole(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]func() (pump.Answer, error){
		"Error":         func() (pump.Answer, error) { return pump.Answer{Failed: true, Payload: []byte(`{}`)}, nil },
		"Platform":      func() (pump.Answer, error) { return pump.Answer{}, errors.New("timeout") },
		"UnknownID":     func() (pump.Answer, error) { return report("nobody"), nil },
		"NotTheFormat":  func() (pump.Answer, error) { return pump.Answer{Payload: []byte(`"text"`)}, nil },
		"EmptyID":       func() (pump.Answer, error) { return report(""), nil },
		"FailuresOfOne": func() (pump.Answer, error) { return pump.Answer{Payload: []byte(`{"batchItemFailures":1}`)}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var once sync.Once
			w := begin(t, fromOrders, nil, func(_, _ []string, _ []byte) (answer pump.Answer, err error) {
				answer = report()
				once.Do(func() { answer, err = bad() })
				return answer, err
			})
			w.send(t, "Orders.fifo", "a", "one")
			w.idle(t)
			if diff := cmp.Diff([]string{"one", "one"}, w.seen()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestQueueFiltersByTheBody(t *testing.T) {
	t.Parallel()
	w := begin(t, `      Events:
        Plain:
          Type: SQS
          Properties:
            Queue: !GetAtt Plain.Arn
            FilterCriteria: {Filters: [{Pattern: '{"body":{"kind":["a"]}}'}]}
`, nil, func(_, _ []string, _ []byte) (pump.Answer, error) { return pump.Answer{}, nil })
	w.send(t, "Plain", "", `{"kind":"a"}`, `{"kind":"b"}`, `text`)
	w.idle(t)
	if diff := cmp.Diff([]string{`{"kind":"a"}`}, w.seen()); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsAndPause(t *testing.T) {
	t.Parallel()
	w := begin(t, fromOrders, nil, func(_, _ []string, _ []byte) (pump.Answer, error) { return report(), nil })
	w.Pause()
	w.send(t, "Orders.fifo", "a", "one")
	time.Sleep(50 * time.Millisecond)
	if got := w.seen(); len(got) != 0 {
		t.Errorf("got %q while paused", got)
	}
	var mu sync.Mutex
	faults := []pump.Fault{pump.Lost}
	w.SetFault(func(d pump.Delivery) pump.Fault {
		mu.Lock()
		defer mu.Unlock()
		if d.Function != "work" || d.Event != "Orders" || !strings.Contains(string(d.Payload), "Records") {
			t.Errorf("got the delivery %+v", d)
		}
		if len(faults) == 0 {
			return pump.NoFault
		}
		next := faults[0]
		faults = faults[1:]
		return next
	})
	w.Resume()
	w.idle(t)
	if diff := cmp.Diff([]string{"one"}, w.seen()); diff != "" {
		t.Errorf("after a lost delivery: %s", diff)
	}
	faults = []pump.Fault{pump.Unanswered}
	w.send(t, "Orders.fifo", "a", "two")
	w.idle(t)
	faults = []pump.Fault{pump.Twice}
	w.send(t, "Orders.fifo", "a", "three")
	w.idle(t)
	if diff := cmp.Diff([]string{"one", "two", "two", "three", "three"}, w.seen()); diff != "" {
		t.Error(diff)
	}
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	calls := 0
	w := begin(t, `      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}}
      Events:
        Rule: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
        Night: {Type: ScheduleV2, Properties: {ScheduleExpression: cron(0 3 * * ? *), Input: '{"at":"<aws.scheduler.scheduled-time>"}'}}
`, nil, func(_, _ []string, payload []byte) (pump.Answer, error) {
		calls++
		var event struct{ Source, At, Time string }
		if err := json.Unmarshal(payload, &event); err != nil {
			return pump.Answer{}, err
		}
		if event.Source == "aws.events" {
			_, err := time.Parse(time.RFC3339, event.Time)
			return pump.Answer{}, err
		}
		_, err := time.Parse(time.RFC3339, event.At)
		return pump.Answer{Failed: err == nil, Payload: []byte(`{"errorMessage":"no"}`)}, nil
	})
	if err := w.Fire(t.Context(), "work"); err == nil || !strings.Contains(err.Error(), "Night of WorkFunction was given up after 2 attempts") {
		t.Errorf("got %v", err)
	}
	if calls != 3 {
		t.Errorf("got %d invocations, want 1 and 2", calls)
	}
	got, err := w.queues.Receive("Failed", 1, time.Minute)
	if err != nil || len(got) != 1 || !strings.Contains(got[0].Body, `"condition":"RetriesExhausted","approximateInvokeCount":2`) ||
		!strings.Contains(got[0].Body, `"responsePayload":{"errorMessage":"no"}`) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := w.Fire(t.Context(), "other"); err == nil {
		t.Error("a function without a schedule was fired")
	}
}

func TestStopWaitsForWhatIsInFlight(t *testing.T) {
	t.Parallel()
	begun, done := make(chan struct{}), make(chan struct{})
	w := begin(t, fromOrders, nil, func(_, _ []string, _ []byte) (pump.Answer, error) {
		close(begun)
		time.Sleep(100 * time.Millisecond)
		close(done)
		return report(), nil
	})
	w.send(t, "Orders.fifo", "a", "one")
	<-begun
	w.Stop()
	select {
	case <-done:
	default:
		t.Error("Stop returned before the invocation")
	}
	if d, _ := w.queues.Depth("Orders.fifo"); d.All() != 0 {
		t.Errorf("got %+v", d)
	}
}

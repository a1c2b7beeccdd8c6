package pump

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/template"
)

// scheduled invokes a function at the times of a schedule.
type scheduled struct {
	p        *Pump
	function template.Function
	schedule template.Schedule
}

func (s *scheduled) run(ctx context.Context) {
	for last := time.Now(); ; {
		due := s.schedule.When.Next(last)
		if due.IsZero() || !sleep(ctx, time.Until(due)) {
			return
		}
		if _, err := s.p.running(ctx); err != nil {
			return
		}
		last = due
		if time.Since(due) > time.Minute { // the machine slept, or the pump was paused
			last = time.Now()
		}
		s.p.flight.Go(func() { _ = s.invoke(ctx, due) }) // it has noted its error
	}
}

// Fire invokes the function with the name by each of its schedules, now, and waits for the answers.
func (p *Pump) Fire(ctx context.Context, function string) error {
	for _, f := range p.cfg.Template.Functions {
		if f.Name != function || len(f.Schedules) == 0 {
			continue
		}
		var errs []error
		for _, s := range f.Schedules {
			errs = append(errs, (&scheduled{p: p, function: f, schedule: s}).invoke(ctx, time.Now()))
		}
		return errors.Join(errs...)
	}
	return fmt.Errorf("the function %s has no schedule", function)
}

// invoke invokes the function asynchronously: an error is tried again, and then sent to the on-failure queue.
func (s *scheduled) invoke(ctx context.Context, due time.Time) error {
	async := s.function.Async
	payload := s.event(due)
	condition := "RetriesExhausted"
	var answer Answer
	var err error
	attempts := 0
	for began := time.Now(); attempts <= async.MaxRetries; {
		if time.Since(began) > async.MaxAge {
			condition = "EventAgeExceeded"
			break
		}
		attempts++
		answer, err = s.p.deliver(Call{Function: s.function, Event: s.schedule.Name, Scheduled: true, Payload: payload})
		if err == nil && !answer.Failed {
			return nil
		}
		if attempts <= async.MaxRetries && !sleep(ctx, s.p.retryDelay(attempts)) {
			return ctx.Err()
		}
	}
	if err == nil {
		err = errors.New(string(answer.Payload))
	}
	err = fmt.Errorf("%s of %s was given up after %d attempts: %w", s.schedule.Name, s.function.LogicalID, attempts, err)
	s.p.cfg.Note(err.Error())
	s.p.sendFailure(async.OnFailure, failure{
		RequestContext: requestContext{
			RequestID: newID(), FunctionARN: template.FunctionARN(s.function.LogicalID), Condition: condition, Invokes: attempts,
		},
		RequestPayload:  payload,
		ResponseContext: &responseContext{200, "$LATEST", "Unhandled"},
		ResponsePayload: json.RawMessage(answer.Payload),
	})
	return err
}

// event is the schedule's input, or what EventBridge sends without one.
func (s *scheduled) event(due time.Time) []byte {
	name := s.function.LogicalID + s.schedule.Name
	arn := "arn:aws:events:" + region + ":" + accountID + ":rule/" + name
	if s.schedule.Scheduler {
		arn = "arn:aws:scheduler:" + region + ":" + accountID + ":schedule/default/" + name
	}
	if s.schedule.Input != "" {
		if !s.schedule.Scheduler {
			return []byte(s.schedule.Input)
		}
		return []byte(strings.NewReplacer(
			"<aws.scheduler.schedule-arn>", arn, "<aws.scheduler.scheduled-time>", due.UTC().Format(time.RFC3339),
			"<aws.scheduler.execution-id>", newID(), "<aws.scheduler.attempt-number>", strconv.Itoa(1),
		).Replace(s.schedule.Input))
	}
	event := map[string]any{
		"version": "0", "id": newID(), "detail-type": "Scheduled Event", "source": "aws.events", "account": accountID,
		"time": due.UTC().Format(time.RFC3339), "region": region, "resources": []string{arn}, "detail": map[string]any{},
	}
	if s.schedule.Scheduler { // its detail is a text
		event["source"], event["detail"] = "aws.scheduler", "{}"
	}
	text, _ := json.Marshal(event) // texts only
	return text
}

// failure is what Lambda sends to an on-failure destination.
type failure struct {
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	RequestContext  requestContext   `json:"requestContext"`
	RequestPayload  json.RawMessage  `json:"requestPayload,omitempty"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
	Batch           *batchInfo       `json:"DDBStreamBatchInfo,omitempty"`
}

type requestContext struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"`
	Condition   string `json:"condition"`
	Invokes     int    `json:"approximateInvokeCount"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError"`
}

// sendFailure sends to the queue with the logical id; empty is none.
func (p *Pump) sendFailure(logicalID string, f failure) {
	if logicalID == "" {
		return
	}
	f.Version, f.Timestamp = "1.0", stamp(time.Now())
	if !json.Valid(f.ResponsePayload) {
		f.ResponsePayload = nil
	}
	q, _ := p.cfg.Template.Queue(logicalID)
	body, err := json.Marshal(f)
	if err == nil {
		_, _, err = p.cfg.Queues.Send(q.Name, queues.Message{Body: string(body)})
	}
	if err != nil {
		p.cfg.Note(fmt.Sprintf("send to the on-failure queue %s: %v", logicalID, err))
	}
}

// newID returns a random (version 4) UUID.
func newID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Package queueaws sends messages to Amazon SQS with the service's JSON protocol
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html).
package queueaws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/awsjson"
	"github.com/tienda-dev/tienda/shared/queue"
)

// EnvEndpoint is the variable that names another SQS; empty is AWS.
const EnvEndpoint = "AWS_ENDPOINT_URL_SQS"

// attemptTimeout bounds one attempt. SQS stores a batch within some milliseconds.
const attemptTimeout = 3 * time.Second

// Config is the endpoint of SQS and the caller. Lambda sets all of it except Endpoint.
type Config struct {
	awsclient.Config
	// Endpoint is an absolute http or https URL of another SQS. Empty is the AWS endpoint of Region.
	Endpoint string `env:"AWS_ENDPOINT_URL_SQS"`
}

// Client calls SQS. It is safe for concurrent use.
type Client struct{ calls *awsjson.Client }

// New returns a client. It sends nothing. It fails when region or credentials are missing, and for an endpoint
// that is not a URL.
func New(cfg Config) (*Client, error) {
	var err error
	if cfg.Config, err = cfg.WithHTTP(); err != nil {
		return nil, fmt.Errorf("queueaws: %w", err)
	}
	calls, err := awsjson.New(awsjson.Config{
		Config: cfg.Config, Service: "sqs", Version: "1.0", Endpoint: cfg.Endpoint, Timeout: attemptTimeout,
	})
	if err != nil {
		return nil, fmt.Errorf("queueaws: %w", err)
	}
	return &Client{calls: calls}, nil
}

// Queue is one queue of SQS. It implements queue.Sender and is safe for concurrent use.
type Queue struct {
	calls *awsjson.Client
	url   string
}

// Queue returns the queue of that URL. It fails for a text that is not an http or https URL.
func (c *Client) Queue(url string) (*Queue, error) {
	if url == "" {
		return nil, errors.New("queueaws: the queue's URL is empty")
	}
	if err := awsclient.CheckEndpoint(url); err != nil {
		return nil, fmt.Errorf("queueaws: the queue's URL %w", err)
	}
	return &Queue{calls: c.calls, url: url}, nil
}

// EntryError is a message that SQS did not accept, though it answered the request.
type EntryError struct {
	// Code is SQS's code, empty when the answer did not name the message.
	Code string
	// SenderFault means that the same message would fail again.
	SenderFault bool
}

// Error returns the code.
func (e *EntryError) Error() string {
	if e.Code == "" {
		return "SendMessageBatch: the answer does not name the message"
	}
	return "SendMessageBatch: " + e.Code
}

// Permanent reports whether the same message would fail again (batch.IsPermanent).
func (e *EntryError) Permanent() bool { return e.SenderFault }

// Send implements queue.Sender. A request whose answer was lost is sent again: a FIFO queue drops the
// repetition, another queue may have the messages twice.
func (q *Queue) Send(ctx context.Context, messages []queue.Message) error {
	return queue.SendBatches(ctx, messages, q.batch)
}

func (q *Queue) batch(ctx context.Context, messages []queue.Message) map[int]error {
	out, err := q.call(ctx, newRequest(q.url, messages))
	failed := make(map[int]error, len(messages))
	for i := range messages {
		failed[i] = &EntryError{}
		if err != nil {
			failed[i] = err
		}
	}
	if err != nil {
		return failed
	}
	for _, e := range out.Successful {
		if i, err := strconv.Atoi(e.ID); err == nil {
			delete(failed, i)
		}
	}
	for _, e := range out.Failed {
		if i, err := strconv.Atoi(e.ID); err == nil && i >= 0 && i < len(messages) {
			failed[i] = &EntryError{Code: e.Code, SenderFault: e.SenderFault}
		}
	}
	return failed
}

func (q *Queue) call(ctx context.Context, in request) (answer, error) {
	var out answer
	body, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("encode SendMessageBatch: %w", err)
	}
	text, err := q.calls.Call(ctx, "AmazonSQS.SendMessageBatch", body)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return out, fmt.Errorf("read answer of SendMessageBatch: %w", err)
	}
	return out, nil
}

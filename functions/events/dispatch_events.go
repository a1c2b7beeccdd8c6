package events

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/outbox/outboxstream"
	"github.com/tienda-dev/tienda/shared/queue"
)

// Config names the queues by their URLs.
type Config struct {
	// OrderEvents is the FIFO queue OrderEvents.
	OrderEvents string `env:"ORDER_EVENTS_QUEUE_URL,required,notEmpty"`
	// PaymentEvents is the FIFO queue PaymentEvents.
	PaymentEvents string `env:"PAYMENT_EVENTS_QUEUE_URL,required,notEmpty"`
	// Failures is the standard queue that gets the records that can never be sent.
	Failures string `env:"FAILURES_QUEUE_URL,required,notEmpty"`
}

// Function is the Lambda function behind a DynamoDB stream.
type Function = func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error)

// DispatchEvents returns the function behind the stream of the commerce table. open returns the queue of a URL.
func DispatchEvents(cfg Config, open func(url string) (queue.Sender, error)) (Function, error) {
	queues := make(map[string]queue.Sender, len(Subscriptions()))
	for name, url := range map[Queue]string{OrderEvents: cfg.OrderEvents, PaymentEvents: cfg.PaymentEvents} {
		q, err := open(url)
		if err != nil {
			return nil, err
		}
		queues[string(name)] = q
	}
	failures, err := open(cfg.Failures)
	if err != nil {
		return nil, err
	}
	return outboxstream.Dispatch(outboxstream.Config{Subscribers: subscribers, Queues: queues, DeadLetters: failures}), nil
}

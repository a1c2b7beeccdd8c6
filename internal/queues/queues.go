// Package queues opens the SQS queues of a function. Only mains import it.
package queues

import (
	"context"

	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queueaws"
)

type clientKey struct{}

// Opener returns what opens the queue of a URL, on the process's one client of SQS. Opening sends nothing.
func Opener(ctx context.Context, s *app.Setup) (func(url string) (queue.Sender, error), error) {
	client, err := process.Once(ctx, clientKey{}, func() (*queueaws.Client, error) {
		var cfg queueaws.Config
		if err := s.Env(&cfg); err != nil {
			return nil, err
		}
		var err error
		if cfg.HTTP, err = process.HTTP(ctx); err != nil {
			return nil, err
		}
		return queueaws.New(cfg)
	})
	if err != nil {
		return nil, err
	}
	return func(url string) (queue.Sender, error) { return client.Queue(url) }, nil
}

type deadLetters struct {
	URL string `env:"DEAD_LETTERS_QUEUE_URL,required,notEmpty"`
}

// DeadLetters opens the dead-letter queue of the function's own queue, which DEAD_LETTERS_QUEUE_URL names.
func DeadLetters(ctx context.Context, s *app.Setup) (queue.Sender, error) {
	var cfg deadLetters
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	open, err := Opener(ctx, s)
	if err != nil {
		return nil, err
	}
	return open(cfg.URL)
}

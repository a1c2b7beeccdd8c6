package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/tienda-dev/tienda/local/admin"
	"github.com/tienda-dev/tienda/local/redrive"
)

// moveBack moves the messages of a dead-letter queue back: of the API that runs on this machine on the port, or on
// AWS if QUEUE is an ARN.
func moveBack(ctx context.Context, root string, getenv func(string) string, port, queue string, out io.Writer) error {
	var cfg redrive.Config
	onAWS := strings.HasPrefix(queue, "arn:")
	if onAWS {
		cfg.Config = admin.AWS(getenv).Config
	} else {
		serving, err := served(root, port)
		if err != nil {
			return err
		}
		if serving.queues == "" {
			return fmt.Errorf("the API on port %s has no queues", port)
		}
		cfg.Config, cfg.Endpoint = localCredentials(), serving.queues
	}
	moved, err := redrive.Redrive(ctx, cfg, queue)
	if err != nil {
		return err
	}
	for _, kept := range moved.Kept {
		if _, err := fmt.Fprintln(out, kept); err != nil {
			return err
		}
	}
	if moved.Background {
		_, err = fmt.Fprintf(out, "SQS moves the %d messages of %s back in the background\n", moved.Messages, moved.Queue)
		return err
	}
	_, err = fmt.Fprintf(out, "%d messages of %s moved back\n", moved.Messages-moved.Left, moved.Queue)
	return err
}

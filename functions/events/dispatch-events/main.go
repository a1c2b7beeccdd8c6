// Command dispatch-events sends the events that the commerce table's stream carries to the workers' queues.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/events"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/queues"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { process.Func(build) }

func build(ctx context.Context, s *app.Setup) (events.Function, error) {
	var cfg events.Config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	open, err := queues.Opener(ctx, s)
	if err != nil {
		return nil, err
	}
	return events.DispatchEvents(cfg, open)
}

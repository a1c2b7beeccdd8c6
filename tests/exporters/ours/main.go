// Command ours is the function with shared/telemetry.
package main

import (
	"context"

	"example.com/exporters/route"

	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/telemetry"
)

func main() {
	route.Main(func(ctx context.Context, s *app.Setup) error {
		_, err := telemetry.Start(ctx, s)
		return err
	})
}

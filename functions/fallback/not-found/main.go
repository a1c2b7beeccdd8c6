// Command not-found serves $default: whatever no other route matches.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/fallback"
	"github.com/tienda-dev/tienda/internal/meta"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { meta.Main(fallback.NotFoundRoute, build) }

func build(context.Context, *app.Setup) (api.Handler, error) { return fallback.NotFound(), nil }

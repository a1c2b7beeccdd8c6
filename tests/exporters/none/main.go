// Command none is the function without telemetry.
package main

import (
	"context"
	"net/http"

	"example.com/exporters/route"

	"github.com/tienda-dev/tienda/shared/app"
)

// The exporters of the other programs need an HTTP client, as nearly every function does for its stores.
func main() {
	route.Main(func(context.Context, *app.Setup) error { http.DefaultClient.CloseIdleConnections(); return nil })
}

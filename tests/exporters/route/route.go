// Package route is the same small function for every program of this module. The programs differ in who exports:
// nobody, shared/telemetry with its own encoder, or OpenTelemetry's exporters.
package route

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

// Main serves the function after start. It does not return.
func Main(start func(context.Context, *app.Setup) error) {
	route := api.Route{Name: "do", Method: http.MethodGet, Path: "/do", Auth: api.Public, Rate: api.Unlimited}
	app.Main(route, func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		return func(w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(http.StatusNoContent); return nil }, start(ctx, s)
	})
}

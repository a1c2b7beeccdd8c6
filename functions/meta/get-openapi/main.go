// Command get-openapi serves GET /openapi.json.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/meta"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(meta.GetOpenapiRoute, build) }

func build(_ context.Context, s *app.Setup) (api.Handler, error) {
	var cfg meta.Config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	return meta.GetOpenapi(cfg)
}

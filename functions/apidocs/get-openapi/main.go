// Command get-openapi serves GET /openapi.json.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/apidocs"
	"github.com/tienda-dev/tienda/internal/meta"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { meta.Main(apidocs.GetOpenapiRoute, build) }

func build(_ context.Context, s *app.Setup) (api.Handler, error) {
	var cfg apidocs.Config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	return apidocs.GetOpenapi(cfg)
}

// Command get-jwks serves GET /.well-known/jwks.json.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/internal/meta"
	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { meta.Main(auth.GetJwksRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	keys, err := tokenkeys.Public(ctx, s)
	if err != nil {
		return nil, err
	}
	return auth.GetJwks(keys), nil
}

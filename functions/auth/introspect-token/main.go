// Command introspect-token serves POST /v1/auth/introspect.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/sessions"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(auth.IntrospectTokenRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Auth)
	if err != nil {
		return nil, err
	}
	verify, err := tokenkeys.Verify(ctx, s)
	if err != nil {
		return nil, err
	}
	return auth.IntrospectToken(verify, sessions.Revoker(db.Auth)), nil
}

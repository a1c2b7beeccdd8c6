package backend

import (
	"context"

	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// AuthConfig is the environment of a function that knows users and sessions.
type AuthConfig struct {
	// Table is the name of the auth table.
	Table string `env:"AUTH_TABLE,required,notEmpty"`

	DynamoDB ddb.Config
}

// OpenAuth returns the auth table, warmed up in INIT. It returns an error that names every variable
// that is missing or malformed.
func OpenAuth(_ context.Context, s *app.Setup) (*ddb.Table, error) {
	var cfg AuthConfig
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	client, err := ddb.Open(cfg.DynamoDB)
	if err != nil {
		return nil, err
	}
	table := ddb.NewTable(client, cfg.Table)
	s.OnInit(table.Warm)
	return table, nil
}

// OpenBoth returns the auth table and the commerce table over one client, and so one connection: for
// functions that write both in one transaction.
func OpenBoth(ctx context.Context, s *app.Setup) (auth, commerce *ddb.Table, err error) {
	var cfg Config
	if err := s.Env(&cfg); err != nil {
		return nil, nil, err
	}
	auth, err = OpenAuth(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	return auth, ddb.NewTable(auth.Client(), cfg.Table), nil
}

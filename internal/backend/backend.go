// Package backend opens what every business function stands on. Only the functions' mains import
// it, so that what a resource needs stays visible in its main.
package backend

import (
	"context"

	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// Config is the environment of a business function.
type Config struct {
	// Table is the name of the commerce table.
	Table string `env:"COMMERCE_TABLE,required,notEmpty"`

	DynamoDB ddb.Config
}

// Open returns the commerce table, warmed up in INIT. It returns an error that names every
// variable that is missing or malformed.
func Open(_ context.Context, s *app.Setup) (*ddb.Table, error) {
	var cfg Config
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

// Package tables opens the DynamoDB tables of a function. Only mains import it, so that a main names every
// table that its function uses.
package tables

import (
	"context"
	"errors"
	"fmt"

	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// Name says which table to open.
type Name int

// The tables.
const (
	// Commerce holds what the shop sells, and to whom.
	Commerce Name = iota + 1
	// Auth holds users, sessions and revoked tokens.
	Auth
)

// Tables holds the tables that were asked for. The others are nil.
type Tables struct {
	Commerce, Auth *ddb.Table
}

type config struct {
	DynamoDB ddb.Config
	// Commerce is the name of the commerce table.
	Commerce string `env:"COMMERCE_TABLE"`
	// Auth is the name of the auth table.
	Auth string `env:"AUTH_TABLE"`
}

// Open returns the tables over one client, whose connection the first of them warms up in INIT: the function's
// role needs GetItem on that one. Its error names every variable that is missing or malformed.
func Open(ctx context.Context, s *app.Setup, names ...Name) (t Tables, err error) {
	var cfg config
	if err := s.Env(&cfg); err != nil {
		return t, err
	}
	if cfg.DynamoDB.Config, err = backend.AWS(ctx, s); err != nil {
		return t, err
	}
	client, err := ddb.Open(cfg.DynamoDB)
	if err != nil {
		return t, err
	}

	var missing []error
	open := func(variable, name string) *ddb.Table {
		if name == "" {
			missing = append(missing, fmt.Errorf("environment: %s is not set", variable))
		}
		return ddb.NewTable(client, name)
	}
	for i, name := range names {
		var opened *ddb.Table
		switch name {
		case Commerce:
			opened = open("COMMERCE_TABLE", cfg.Commerce)
			t.Commerce = opened
		case Auth:
			opened = open("AUTH_TABLE", cfg.Auth)
			t.Auth = opened
		default:
			return t, fmt.Errorf("unknown table %d", name)
		}
		if i == 0 {
			s.OnInit(opened.Warm)
		}
	}
	return t, errors.Join(missing...)
}

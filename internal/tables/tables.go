// Package tables opens the DynamoDB tables of a function. Only mains import it, so that a main names every
// table that its function uses.
package tables

import (
	"context"
	"errors"
	"fmt"

	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/tracing/tracingaws"
)

// Name is a table, by the variable that holds its name.
type Name string

// The tables.
const (
	// Commerce holds products, stock and customers.
	Commerce Name = "COMMERCE_TABLE"
	// Auth holds users, sessions and revoked tokens.
	Auth Name = "AUTH_TABLE"
)

// Tables holds the tables that Open was asked for. The others are nil.
type Tables struct {
	Commerce, Auth *ddb.Table
}

type config struct {
	// Commerce is the name of the commerce table.
	Commerce string `env:"COMMERCE_TABLE"`
	// Auth is the name of the auth table.
	Auth string `env:"AUTH_TABLE"`
}

type clientKey struct{}

// Client returns the process's one client of DynamoDB.
func Client(ctx context.Context, s *app.Setup) (*ddb.Client, error) {
	return process.Once(ctx, clientKey{}, func() (*ddb.Client, error) {
		var cfg ddb.Config
		if err := s.Env(&cfg); err != nil {
			return nil, err
		}
		var err error
		if cfg.HTTP, err = process.HTTP(ctx); err != nil {
			return nil, err
		}
		return ddb.Open(cfg, tracingaws.DynamoDB())
	})
}

// Open returns the named tables on one client. INIT warms up the client's connection by a read from the first
// table, so the function's role needs GetItem on it. The error names every variable that is missing or
// malformed.
func Open(ctx context.Context, s *app.Setup, names ...Name) (Tables, error) {
	t, err := open(ctx, s, names...)
	if err != nil || len(names) == 0 {
		return t, err
	}
	first := t.Commerce
	if names[0] == Auth {
		first = t.Auth
	}
	s.OnInit(first.Warm)
	return t, nil
}

// Shared returns the commerce table for what comes before a route's handler, which warms up the connection of both.
func Shared(ctx context.Context, s *app.Setup) (*ddb.Table, error) {
	t, err := open(ctx, s, Commerce)
	return t.Commerce, err
}

func open(ctx context.Context, s *app.Setup, names ...Name) (t Tables, err error) {
	var cfg config
	wrong := []error{s.Env(&cfg)}
	known := map[Name]struct {
		table **ddb.Table
		name  string
	}{
		Commerce: {&t.Commerce, cfg.Commerce},
		Auth:     {&t.Auth, cfg.Auth},
	}
	for _, variable := range names {
		if known[variable].name == "" {
			wrong = append(wrong, fmt.Errorf("environment: %s is not set", variable))
		}
	}
	client, err := Client(ctx, s)
	if err := errors.Join(append(wrong, err)...); err != nil {
		return Tables{}, err
	}
	for _, variable := range names {
		*known[variable].table = ddb.NewTable(client, known[variable].name)
	}
	return t, nil
}

// Command authorizer is the Lambda authorizer of the HTTP API: it checks the bearer token of a
// request, its session and its user, and tells the function behind the route who is calling.
package main

//go:generate go run ../tools/authroutes

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/authorizer"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionlean"
	"github.com/tienda-dev/tienda/shared/tracing"
)

type config struct {
	Store      sessionlean.Config
	Sessions   session.CheckConfig
	Authorizer authorizer.Config
}

func main() { process.Func(build) }

func build(ctx context.Context, s *app.Setup) (func(context.Context, authorizer.Request) (authorizer.Answer, error), error) {
	var cfg config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	verify, err := tokenkeys.Verify(ctx, s)
	if err != nil {
		return nil, err
	}
	if cfg.Store.HTTP, err = process.HTTP(ctx); err != nil {
		return nil, err
	}
	cfg.Store.Observe = tracing.DynamoDB(cfg.Store.Table, cfg.Store.Region)
	reader, err := sessionlean.New(cfg.Store)
	if err != nil {
		return nil, err
	}
	sessions, err := session.NewChecker(cfg.Sessions, reader, time.Now)
	if err != nil {
		return nil, err
	}
	s.OnInit(sessions.Warm)

	cfg.Authorizer.Sessions, cfg.Authorizer.Classes = sessions, routeClasses()
	a, err := authorizer.New(authorizer.VerifierFunc(verify), cfg.Authorizer)
	if err != nil {
		return nil, err
	}
	return a.Decide, nil
}

// Command full is a function with all that the library offers to one request, as a project that imports it would write
// it: the token, its session, a rate limit, security headers, and traces, metrics and logs that follow the response. GET
// /v1/me does that alone, GET /v1/products/{id} also reads an item. The peer naivefull has the same features.
package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitddb"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
	"github.com/tienda-dev/tienda/shared/telemetry"
	"github.com/tienda-dev/tienda/shared/tracing/tracingaws"
)

// The routes. Both are for callers with an access token.
var (
	getMe      = api.Route{Name: "get-me", Method: http.MethodGet, Path: "/v1/me", Auth: api.Required, Rate: "user"}
	getProduct = api.Route{Name: "get-product", Method: http.MethodGet, Path: "/v1/products/{id}", Auth: api.Required, Rate: "user"}
)

// config is the function's environment.
type config struct {
	DynamoDB ddb.Config
	Tokens   jwt.Config
	// Keys are the keys of access tokens, as jwt.ParseKeys reads them.
	Keys string `env:"TOKEN_KEYS_SECRET,required,notEmpty"`
	// LimiterKey hashes the subjects of the rate limit.
	LimiterKey string `env:"LIMITER_KEY,required,notEmpty"`
	// Products, Sessions and Limits are the tables.
	Products string `env:"COMMERCE_TABLE,required,notEmpty"`
	Sessions string `env:"AUTH_TABLE,required,notEmpty"`
	Limits   string `env:"RATELIMIT_TABLE,required,notEmpty"`
}

func main() { app.MainMux(build) }

func build(ctx context.Context, s *app.Setup) ([]middleware.Endpoint, error) {
	if _, err := telemetry.Start(ctx, s); err != nil {
		return nil, err
	}
	var cfg config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	client, err := ddb.Open(cfg.DynamoDB, tracingaws.DynamoDB())
	if err != nil {
		return nil, err
	}
	authenticate, authErr := authenticator(s, cfg, client)
	limits, limitErr := limiter(s, cfg, client)
	if err := errors.Join(authErr, limitErr); err != nil {
		return nil, err
	}
	s.Chain().Authenticator, s.Chain().RateLimitSubject = authenticate, limits
	products := products{table: ddb.NewTable(client, cfg.Products)}
	s.OnInit(products.table.Warm) // the third connection: a request uses three at the same time
	return []middleware.Endpoint{{Route: getMe, Handler: me}, {Route: getProduct, Handler: products.get}}, nil
}

// authenticator verifies a token, and checks that its session is alive while the request is counted and the product read.
func authenticator(s *app.Setup, cfg config, client *ddb.Client) (middleware.Authenticator, error) {
	keys, err := jwt.ParseKeys([]byte(cfg.Keys))
	if err != nil {
		return nil, err
	}
	verifier, err := jwt.NewVerifier(cfg.Tokens, keys, time.Now)
	if err != nil {
		return nil, err
	}
	sessions, err := session.NewChecker(session.CheckConfig{}, sessionddb.New(ddb.NewTable(client, cfg.Sessions)), time.Now)
	if err != nil {
		return nil, err
	}
	s.OnInit(sessions.Warm)
	verify := func(_ context.Context, token string) (identity.Identity, error) { return verifier.Verify(token) }
	check := func(ctx context.Context, id identity.Identity) error {
		return sessions.Check(ctx, id, identity.Default)
	}
	return middleware.Confirm(jwt.Authenticate(verify), check), nil
}

// limiter limits each user. The limit is so high that a closed loop does not reach it.
func limiter(s *app.Setup, cfg config, client *ddb.Client) (middleware.Middleware, error) {
	policies := []ratelimit.Policy{{Name: "user", Limit: 600_000, Window: time.Minute}}
	key := func(context.Context) ([]byte, error) { return []byte(cfg.LimiterKey), nil }
	store, err := ratelimitddb.New(client, cfg.Limits, key, policies, ratelimitddb.Config{Now: time.Now})
	if err != nil {
		return nil, err
	}
	guard, err := ratelimit.NewGuard(store, ratelimit.GuardConfig{OnError: ratelimit.Open})
	if err != nil {
		return nil, err
	}
	s.OnInit(store.Warm)
	return ratelimithttp.Middleware(ratelimithttp.Config{
		Rules: []ratelimithttp.Rule{{Key: ratelimithttp.UserKey(ratelimithttp.IPKey()), Limiter: guard}},
	})
}

// me answers 200 with the caller's id.
func me(w http.ResponseWriter, r *http.Request) error {
	return api.Write(w, http.StatusOK, map[string]string{"id": identity.MustUserID(r.Context())})
}

// product is a product's item, and its JSON in answers.
type product struct {
	ID          string            `dynamodbav:"id"          json:"id"`
	SKU         string            `dynamodbav:"sku"         json:"sku"`
	Name        string            `dynamodbav:"name"        json:"name"`
	Description string            `dynamodbav:"description" json:"description"`
	Category    string            `dynamodbav:"category"    json:"category"`
	Tags        []string          `dynamodbav:"tags"        json:"tags"`
	Attributes  map[string]string `dynamodbav:"attributes"  json:"attributes"`
	Price       money.Money       `dynamodbav:"price"       json:"price"`
	Status      string            `dynamodbav:"status"      json:"status"`
	Version     int64             `dynamodbav:"version"     json:"version"`
}

// products reads products.
type products struct{ table *ddb.Table }

var errNotFound = problem.New(problem.NotFound, "product_not_found", "The product does not exist.")

// get answers 200 with the product, or 404.
func (p products) get(w http.ResponseWriter, r *http.Request) error {
	var found product
	ok, err := p.table.Get(r.Context(), ddb.Key{PK: "P#" + r.PathValue("id"), SK: "META"}, &found, true)
	if err != nil {
		return err
	}
	if !ok || found.Status != "active" {
		return errNotFound
	}
	w.Header().Set("ETag", api.ETag(found.Version))
	return api.Write(w, http.StatusOK, found)
}

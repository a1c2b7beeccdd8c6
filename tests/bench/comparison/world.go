package comparison

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/orders/ordersddb"
	"github.com/tienda-dev/tienda/functions/orders/orderstest"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
	"github.com/tienda-dev/tienda/tests/bench/harness"
	"github.com/tienda-dev/tienda/tests/bench/harness/memtable"
)

// The tables, and what tokens are made with. The key is not base64url, so that its text means the same bytes to everybody.
const (
	commerceTable = "Commerce"
	authTable     = "Auth"
	limitsTable   = "Limits"
	issuer        = "https://auth.tienda.example"
	audience      = "tienda-api"
	tokenKey      = "a key of the bench. it signs nothing else."
	limiterKey    = "another key of the bench, for subjects"
	cursorKeys    = `{"kid":"bench","alg":"A256GCM","status":"active","key":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}`
)

// addresses is how many client addresses take turns, so that the limit of one is not reached.
const addresses = 512

// size is how much a world has of everything.
type size struct {
	// products are those of the list, routes those of the function mux. sessions are shared out among the users.
	products, users, sessions, routes int
}

// usual is the size of the world that most modes have.
func usual() size { return size{products: 20, users: 1, sessions: 1, routes: 1} }

// world is what the functions find: items in the tables, keys, and a valid token of each session.
type world struct {
	size

	store   *memtable.Store
	product string // the id of one product
	order   string // the id of an order of the first user's
	tokens  []string
	secrets string // a folder
}

// token returns a valid token.
func (w *world) token() string { return w.tokens[0] }

// newWorld fills the tables through the stores of the functions, as the functions do.
func newWorld(ctx context.Context, folder string, now time.Time, of size) (*world, error) {
	w := &world{size: of, store: memtable.New(), secrets: folder}
	b, err := harness.StartBackends(ctx, harness.BackendConfig{Store: w.store})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	client, err := ddb.Open(ddb.Config{
		Config:   awsclient.Config{Region: "eu-central-1", AccessKeyID: "local", SecretAccessKey: "local"},
		Endpoint: b.DynamoDBEndpoint(),
	})
	if err != nil {
		return nil, err
	}
	shop := catalogddb.New(ddb.NewTable(client, commerceTable))
	for i := range w.products {
		p := sample(i, now)
		w.product = p.ID
		if err := shop.Create(ctx, p); err != nil {
			_, why := b.Take()
			return nil, fmt.Errorf("create product: %w", errors.Join(err, why))
		}
	}
	if err := w.buy(ctx, ddb.NewTable(client, commerceTable), shop, now); err != nil {
		_, why := b.Take()
		return nil, fmt.Errorf("create order: %w", errors.Join(err, why))
	}
	if err := w.logIn(ctx, ddb.NewTable(client, authTable), now); err != nil {
		_, why := b.Take()
		return nil, fmt.Errorf("create session: %w", errors.Join(err, why))
	}
	if _, err := b.Take(); err != nil {
		return nil, err
	}
	if err := w.writeSecrets(); err != nil {
		return nil, err
	}
	return w, nil
}

// buy stores an order of one line, by the first user.
func (w *world) buy(ctx context.Context, table *ddb.Table, shop *catalogddb.Store, now time.Time) error {
	p := sample(0, now)
	err := shop.Adjust(ctx, idempotency.Record{}, catalog.Adjustment{
		ID: "01JD7Q9W2V5K8N3M6P4A100000", ProductID: p.ID, SKU: p.SKU, Delta: 100, Reason: "delivery", CreatedAt: p.CreatedAt,
	})
	if err != nil {
		return err
	}
	created := orderstest.Creation(orderstest.NewOrder(p.SKU))
	created.Order.Customer, created.Order.Lines[0].ProductID, created.Versions = userID(0), p.ID, nil
	w.order = created.Order.ID
	return ordersddb.New(table, shop, nil).Create(ctx, created)
}

// userID is the id of the i-th user.
func userID(i int) string { return fmt.Sprintf("01JD7PZC3H8Y5E2A9B6D4%05d", i) }

// logIn begins the sessions, and signs a token of each.
func (w *world) logIn(ctx context.Context, table *ddb.Table, now time.Time) error {
	signer, err := signer()
	if err != nil {
		return err
	}
	sessions, began := sessionddb.New(table), now.Add(-time.Minute)
	for i := range w.sessions {
		user := identity.Identity{
			Subject: userID(i % w.users), SessionID: fmt.Sprintf("01JD7Q9W2V5K8N3M6P4R1%05d", i),
			Roles: []string{"customer"}, ClientID: "web",
		}
		err := sessions.Create(ctx, session.Session{
			ID: user.SessionID, Subject: user.Subject, ClientID: user.ClientID, CreatedAt: began, Generation: 1, RotatedAt: began, RotationID: "bench",
			IdleUntil: now.Add(24 * time.Hour), EndsAt: now.Add(48 * time.Hour), AMR: []string{"pwd"},
		})
		if err != nil {
			return err
		}
		token, _, err := signer.Sign(user)
		if err != nil {
			return err
		}
		w.tokens = append(w.tokens, token)
	}
	return nil
}

// sample is a product as the shop has them.
func sample(i int, now time.Time) catalog.Product {
	at := api.NewTime(now.Add(-time.Duration(i) * time.Hour))
	return catalog.Product{
		ID: fmt.Sprintf("01JD7Q9W2V5K8N3M6P4R1%05d", i), SKU: fmt.Sprintf("MUG-%03d", i), Name: fmt.Sprintf("Stoneware mug %d", i),
		Description: "A stoneware mug with a matt glaze, thrown and fired by hand in small batches. Holds 350 ml and goes into the dishwasher.",
		Category:    "kitchen", Tags: []string{"mug", "stoneware", "handmade"},
		Attributes: map[string]string{"colour": "sand", "volume_ml": "350"}, Price: money.Money{AmountMinor: 1850, Currency: "EUR"},
		Status: catalog.Active, Version: 1, CreatedAt: at, UpdatedAt: at,
	}
}

// signer signs access tokens of HS256 that are valid for an hour.
func signer() (*jwt.Signer, error) {
	keys, err := jwt.ParseKeys([]byte(tokenKeys()))
	if err != nil {
		return nil, err
	}
	return jwt.NewSigner(jwt.Config{Issuer: issuer, Audience: audience, TTL: time.Hour}, keys, time.Now)
}

func tokenKeys() string {
	return `{"kid":"bench","alg":"HS256","status":"active","key":"` + tokenKey + `"}`
}

// writeSecrets writes the secrets that functions read from files.
func (w *world) writeSecrets() error {
	for name, text := range map[string]string{"limiter": `{"key":"` + limiterKey + `"}`, "cursors": cursorKeys} {
		if err := os.WriteFile(filepath.Join(w.secrets, name+".json"), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// env are the variables of every function beside backends. Those that a function does not read do not matter.
func (w *world) env(b *harness.Backends) []string {
	return []string{
		"AWS_ENDPOINT_URL_DYNAMODB=" + b.DynamoDBEndpoint(),
		"COMMERCE_TABLE=" + commerceTable, "AUTH_TABLE=" + authTable, "RATELIMIT_TABLE=" + limitsTable,
		"TOKEN_KEYS_SECRET=" + tokenKeys(), "TOKEN_ISSUER=" + issuer, "TOKEN_AUDIENCE=" + audience, "JWT_SECRET=" + tokenKey,
		"LIMITER_KEY_SECRET=file:" + filepath.Join(w.secrets, "limiter.json"), "LIMITER_KEY=" + limiterKey,
		"CURSOR_KEY_SECRET=file:" + filepath.Join(w.secrets, "cursors.json"), "ROUTES=" + strconv.Itoa(w.routes),
	}
}

// backends starts backends with the world's items.
func (w *world) backends(ctx context.Context, delay time.Duration, authority *harness.Authority) (*harness.Backends, error) {
	return harness.StartBackends(ctx, harness.BackendConfig{
		Store: w.store, Delay: delay, TLS: authority,
		// The peers count requests in a window and refuse those over a limit that a closed loop reaches at once.
		Fixed: []harness.Fixed{{Operation: "UpdateItem", Contains: "ADD hits", Answer: `{"Attributes":{"hits":{"N":"1"}}}`}},
	})
}

// request returns the events of an HTTP API for a GET of a path, one for each client address. With a token they carry it.
func request(route, path, query, token string, id string) ([][]byte, error) {
	return each(addresses, func(i int) ([]byte, error) { return get(i, route, path, query, token, id) })
}

// each makes n events.
func each(n int, event func(i int) ([]byte, error)) ([][]byte, error) {
	events := make([][]byte, n)
	for i := range events {
		var err error
		if events[i], err = event(i); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// get returns the event of a GET from the i-th client address.
func get(i int, route, path, query, token, id string) ([]byte, error) {
	i %= addresses
	address := fmt.Sprintf("198.51.%d.%d", 100+i/256, i%256)
	headers := map[string]string{
		"accept": "application/json", "accept-encoding": "gzip, deflate, br", "content-length": "0",
		"host":       "k7w3n5q2xz.execute-api.eu-central-1.amazonaws.com",
		"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "x-amzn-trace-id": "Root=1-6924c203-5f0e3c1a7d9b2e4486a1c3d5",
		"x-forwarded-for": address, "x-forwarded-port": "443", "x-forwarded-proto": "https",
	}
	if token != "" {
		headers["authorization"] = "Bearer " + token
	}
	event := map[string]any{
		"version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": query, "headers": headers, "isBase64Encoded": false,
		"requestContext": map[string]any{
			"accountId": "123456789012", "apiId": "k7w3n5q2xz", "domainName": headers["host"], "domainPrefix": "k7w3n5q2xz",
			"http": map[string]any{
				"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": address, "userAgent": headers["user-agent"],
			},
			"requestId": "UuV03ghfFiAEJ0w=", "routeKey": route, "stage": "$default", "time": "24/Nov/2026:20:03:30 +0000",
			"timeEpoch": 1795550610217,
		},
	}
	if id != "" {
		event["pathParameters"] = map[string]string{"id": id}
	}
	if key, value, ok := strings.Cut(query, "="); ok {
		event["queryStringParameters"] = map[string]string{key: value}
	}
	return json.Marshal(event)
}

// authorizerRequest returns the event of a Lambda authorizer of an HTTP API.
func authorizerRequest(token string) ([][]byte, error) {
	all, err := request("GET /v1/orders", "/v1/orders", "", token, "")
	if err != nil {
		return nil, err
	}
	return changed(all, func(event map[string]any) {
		event["type"], event["identitySource"] = "REQUEST", []string{"Bearer " + token, "GET /v1/orders"}
		event["routeArn"] = "arn:aws:execute-api:eu-central-1:123456789012:k7w3n5q2xz/$default/GET/v1/orders"
	})
}

// authorized adds to events what the authorizer says of the first user.
func authorized(all [][]byte) ([][]byte, error) {
	return changed(all, func(event map[string]any) {
		event["requestContext"].(map[string]any)["authorizer"] = map[string]any{"lambda": map[string]string{ //nolint:forcetypeassert // get made it
			"auth": "ok", "sub": userID(0), "sid": "01JD7Q0B5J1X8V4T2R9N6M3K7P", "roles": "customer", "auth_time": "1795546800", "amr": "pwd",
			"jti": "5M2XQKJ7T4VYB3ZPNA6WCEHRDU", "kid": "bench", "iat_ms": "1795550400123", "authz_ver": "1", "token_exp": "4102444800",
		}}
	})
}

// changed changes events.
func changed(all [][]byte, change func(map[string]any)) ([][]byte, error) {
	return each(len(all), func(i int) ([]byte, error) {
		var event map[string]any
		if err := json.Unmarshal(all[i], &event); err != nil {
			return nil, err
		}
		change(event)
		return json.Marshal(event)
	})
}

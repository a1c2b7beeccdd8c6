package comparison

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
	"github.com/tienda-dev/tienda/shared/telemetry"
	"github.com/tienda-dev/tienda/tests/bench/harness"
)

// Chain is everything that an event passes in this process, without a backend.
type Chain struct {
	// Handler decodes the event, and makes a span, metrics, a log line and security headers. It verifies a token and
	// counts the request in memory. The route answers with a small body.
	Handler lambda.Handler
	// Typed is aws-lambda-go's typed handler, which decodes the event and encodes an answer, and nothing else.
	Typed lambda.Handler
	// Event is an event that both answer with 200.
	Event []byte

	telemetry *telemetry.Telemetry
}

// NewChain returns the chain as a function has it. root is the repository.
func NewChain(ctx context.Context, root string) (*Chain, error) {
	c := &Chain{Typed: lambda.NewHandler(typed)}
	verifier, err := verifier()
	if err != nil {
		return nil, err
	}
	limits, err := memoryLimits()
	if err != nil {
		return nil, err
	}
	logger, err := logging.New(logging.Config{}, io.Discard)
	if err != nil {
		return nil, err
	}
	route := api.Route{Name: "get-product", Method: http.MethodGet, Path: "/v1/products/{id}", Auth: api.Required, Rate: "user"}
	served, err := app.Handler(ctx, route, func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		s.SetLogger(logger)
		var err error
		c.telemetry, err = telemetry.Start(ctx, s)
		s.Chain().RateLimitSubject = limits
		s.Chain().Authenticator = jwt.Authenticate(func(_ context.Context, token string) (identity.Identity, error) { return verifier.Verify(token) })
		return func(w http.ResponseWriter, r *http.Request) error {
			return api.Write(w, http.StatusOK, map[string]string{"id": r.PathValue("id")})
		}, err
	}, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
	if err != nil {
		return nil, err
	}
	c.Handler = lambdahttp.New(served, lambdahttp.Config{RouteKey: route.Key()})
	keys, err := signer()
	if err != nil {
		return nil, err
	}
	token, _, err := keys.Sign(identity.Identity{Subject: "01JD7PZC3H8Y5E2A9B6D4F7G0K", SessionID: "01JD7Q9W2V5K8N3M6P4R1S0T9X", Roles: []string{"customer"}})
	if err != nil {
		return nil, err
	}
	event, err := os.ReadFile(filepath.Join(root, "events", "get-product.json"))
	if err != nil {
		return nil, err
	}
	c.Event = bytes.Replace(event, []byte(`"accept":`), []byte(`"authorization": "Bearer `+token+`", "accept":`), 1)
	return c, nil
}

func typed(_ context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	body, err := json.Marshal(map[string]string{"id": r.PathParameters["id"]})
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK, Headers: map[string]string{"content-type": "application/json"}, Body: string(body),
	}, err
}

func verifier() (*jwt.Verifier, error) {
	keys, err := jwt.ParseKeys([]byte(tokenKeys()))
	if err != nil {
		return nil, err
	}
	return jwt.NewVerifier(jwt.Config{Issuer: issuer, Audience: audience}, keys, time.Now)
}

func memoryLimits() (middleware.Middleware, error) {
	limiter, err := ratelimitmem.New([]ratelimit.Policy{{Name: "user", Limit: 600_000, Window: time.Minute}}, ratelimitmem.Config{})
	if err != nil {
		return nil, err
	}
	return ratelimithttp.Middleware(ratelimithttp.Config{
		Rules: []ratelimithttp.Rule{{Key: ratelimithttp.UserKey(ratelimithttp.IPKey()), Limiter: limiter}},
	})
}

// Call sends the event to a handler, and returns an error for any answer but 200.
func (c *Chain) Call(ctx context.Context, h lambda.Handler) error {
	answer, err := h.Invoke(ctx, c.Event)
	if err == nil && !bytes.Contains(answer, []byte(ok)) {
		err = fmt.Errorf("the answer is %s", answer)
	}
	return err
}

// Flush drops the spans that wait: nobody takes them.
func (c *Chain) Flush(ctx context.Context) { c.telemetry.Flush(ctx) }

// inProcess measures the chain beside the typed handler, in this process, on one thread as the functions have on Lambda.
func (b *bench) inProcess(ctx context.Context) error {
	c, err := NewChain(ctx, b.Root)
	if err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	handlers := []struct {
		name string
		h    lambda.Handler
	}{{typedName, c.Typed}, {chainName, c.Handler}}
	for round := range b.Rounds {
		for _, i := range harness.Order(len(handlers), round) {
			h := handlers[i]
			row := b.results.row(InProcess, h.name)
			row.Reference = typedName
			took, err := cpuOf(b.Count, func() error { return c.Call(ctx, h.h) })
			if err != nil {
				return b.unless(InProcess, err)
			}
			row.add(CPU, float64(took)/1e3)
			row.add(Allocations, testing.AllocsPerRun(100, func() { err = errors.Join(err, c.Call(ctx, h.h)) }))
			if err != nil {
				return err
			}
			c.Flush(ctx)
		}
	}
	return nil
}

// The rows of the mode InProcess.
const (
	typedName = "typed handler"
	chainName = "chain"
)

// cpuOf returns the processor time of one call, with the garbage collection that it causes.
func cpuOf(count int, call func() error) (time.Duration, error) {
	before, err := harness.OwnCPU()
	if err != nil {
		return 0, err
	}
	for range count {
		if err := call(); err != nil {
			return 0, err
		}
	}
	after, err := harness.OwnCPU()
	return (after - before) / time.Duration(count), err
}

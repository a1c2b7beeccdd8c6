// Command echo is a Lambda function for tests: it answers with its event, and does what the query
// parameter "do" says. Behind an authorizer event it allows the token "good".
package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/middleware"
)

func main() {
	failing := fails()
	lambda.Start(func(ctx context.Context, event json.RawMessage) (any, error) {
		var e struct {
			Type    string            `json:"type"`
			Headers map[string]string `json:"headers"`
			Query   map[string]string `json:"queryStringParameters"`
		}
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, err
		}
		if e.Type == "REQUEST" {
			return map[string]any{
				"isAuthorized": e.Headers["authorization"] == "good",
				"context":      map[string]string{"sub": "ada"},
			}, nil
		}

		switch e.Query["do"] {
		case "sleep":
			time.Sleep(time.Minute)
		case "panic":
			panic("boom")
		case "exit":
			os.Exit(1)
		case "fail":
			answer, err := failing.Invoke(ctx, event)
			return json.RawMessage(answer), err
		}
		return map[string]any{
			"statusCode": 201,
			"headers":    map[string]string{"content-type": "application/json", "x-own": "yes"},
			"cookies":    []string{"a=1; Path=/", "b=2"},
			"body":       string(event),
		}, nil
	})
}

// fails is the route of a handler that begins an answer and then returns an error.
func fails() *lambdahttp.Handler {
	route := api.Route{Name: "fail", Method: http.MethodGet, Path: "/fail", Auth: api.Public, Rate: api.Unlimited}
	h, err := middleware.Chain(route, middleware.Config{}, func(w http.ResponseWriter, _ *http.Request) error {
		if err := api.Write(w, http.StatusOK, map[string]int{"a": 1}); err != nil {
			return err
		}
		return errors.New("the store has failed")
	})
	if err != nil {
		panic(err)
	}
	return lambdahttp.New(h, lambdahttp.Config{})
}

// Command echo is a Lambda function that answers with its event, and with the one that its
// authorizer had. For the path /echo/fail it begins an answer and then fails.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/middleware"
)

// version is set when the function is built.
var version string

func main() {
	failing := fails()
	lambda.Start(func(ctx context.Context, event json.RawMessage) (any, error) {
		var e struct {
			Type string `json:"type"`
			Path string `json:"rawPath"`
		}
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, err
		}
		if e.Type == "REQUEST" {
			return map[string]any{"isAuthorized": true, "context": map[string]string{"event": string(event)}}, nil
		}
		if e.Path == "/echo/fail" {
			answer, err := failing.Invoke(ctx, event)
			return json.RawMessage(answer), err
		}
		return map[string]any{
			"statusCode": 200, "headers": map[string]string{"content-type": "application/json", "x-version": version}, "body": string(event),
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

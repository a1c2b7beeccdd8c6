// Command typed is the handler of the developer guide: a typed event in, a typed response out.
package main

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

// handle has one of the valid signatures.
// https://docs.aws.amazon.com/lambda/latest/dg/golang-handler.html#golang-handler-signatures
// The types are those of an HTTP API with payload format 2.0.
// https://pkg.go.dev/github.com/aws/aws-lambda-go/events#APIGatewayV2HTTPRequest
func handle(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"content-type": "application/json"},
		Body:       `{"status":"UP"}`,
	}, nil
}

func main() {
	lambda.Start(handle) // https://docs.aws.amazon.com/lambda/latest/dg/golang-handler.html
}

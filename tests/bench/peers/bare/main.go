// Command bare is the least that a function on aws-lambda-go can be: bytes in, the same HTTP answer out. Every other
// binary of the bench is compared with it. It has the defaults of Go's runtime.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

// answer is the response that API Gateway wants of payload format 2.0.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
const answer = `{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"status\":\"UP\"}"}`

// handler is a lambda.Handler: the runtime hands it the event's bytes and decodes nothing.
// https://pkg.go.dev/github.com/aws/aws-lambda-go/lambda#Handler
type handler struct{}

var _ lambda.Handler = handler{}

// Invoke implements lambda.Handler.
func (handler) Invoke(context.Context, []byte) ([]byte, error) { return []byte(answer), nil }

func main() {
	lambda.Start(handler{}) // https://docs.aws.amazon.com/lambda/latest/dg/golang-handler.html
}

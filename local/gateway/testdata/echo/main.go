// Command echo is a Lambda function for tests: it answers with its event, and does what the query
// parameter "do" says. Behind an authorizer event it allows the token "good".
package main

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event json.RawMessage) (any, error) {
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
		}
		return map[string]any{
			"statusCode": 201,
			"headers":    map[string]string{"content-type": "application/json", "x-own": "yes"},
			"cookies":    []string{"a=1; Path=/", "b=2"},
			"body":       string(event),
		}, nil
	})
}

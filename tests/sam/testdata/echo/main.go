// Command echo is a Lambda function that answers with its event, and with the one that its
// authorizer had.
package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event json.RawMessage) (any, error) {
		var e struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, err
		}
		if e.Type == "REQUEST" {
			return map[string]any{"isAuthorized": true, "context": map[string]string{"event": string(event)}}, nil
		}
		return map[string]any{
			"statusCode": 200, "headers": map[string]string{"content-type": "application/json"}, "body": string(event),
		}, nil
	})
}

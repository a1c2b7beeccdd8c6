// Command naiveauthorizer is a Lambda authorizer of an HTTP API with simple responses: it verifies the token, and reads
// whether it was revoked. It writes no log and no telemetry.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"example.com/peers/internal/revocation"
	"example.com/peers/internal/token"
)

type authorizer struct {
	tokens  *token.Verifier
	revoked revocation.Store
}

// authorize allows a request whose token is valid and not revoked.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html#http-api-lambda-authorizer.payload-format-response
func (a authorizer) authorize(ctx context.Context, event events.APIGatewayV2CustomAuthorizerV2Request) (events.APIGatewayV2CustomAuthorizerSimpleResponse, error) {
	claims, err := a.tokens.Verify(event.Headers["authorization"])
	if err != nil {
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{}, nil //nolint:nilerr // a denial
	}
	revoked, err := a.revoked.Revoked(ctx, claims.ID)
	if err != nil || revoked {
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{}, err
	}
	return events.APIGatewayV2CustomAuthorizerSimpleResponse{
		IsAuthorized: true, Context: map[string]any{"sub": claims.Subject, "jti": claims.ID},
	}, nil
}

func main() {
	tokens, err := token.New(os.Getenv("JWT_SECRET"), os.Getenv("TOKEN_ISSUER"), os.Getenv("TOKEN_AUDIENCE"))
	if err != nil {
		log.Fatal(err)
	}
	// The client is made once, outside the handler.
	// https://docs.aws.amazon.com/lambda/latest/dg/golang-handler.html#golang-example-sdk-usage
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	a := authorizer{tokens: tokens, revoked: revocation.Store{Client: dynamodb.NewFromConfig(cfg), Table: os.Getenv("AUTH_TABLE")}}
	lambda.Start(a.authorize)
}

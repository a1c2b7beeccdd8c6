// Command plainproduct is get-product without telemetry: aws-lambda-go-api-proxy, chi, zap and the SDK.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
	"github.com/go-chi/chi/v5"
	"go.uber.org/zap"

	"example.com/peers/internal/accesslog"
	"example.com/peers/internal/product"
)

func main() {
	logger, err := zap.NewProduction() // https://github.com/uber-go/zap#quick-start
	if err != nil {
		log.Fatal(err)
	}
	// The client is made once, outside the handler.
	// https://docs.aws.amazon.com/lambda/latest/dg/golang-handler.html#golang-example-sdk-usage
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	products := product.Store{Client: dynamodb.NewFromConfig(cfg), Table: os.Getenv("COMMERCE_TABLE")}

	r := chi.NewRouter() // https://github.com/go-chi/chi#examples
	r.Use(accesslog.Middleware(logger, nil))
	r.Get("/v1/products/{id}", product.Handler(products.Get, logger))
	// https://pkg.go.dev/github.com/awslabs/aws-lambda-go-api-proxy/httpadapter#HandlerAdapterV2.ProxyWithContext
	lambda.Start(httpadapter.NewV2(r).ProxyWithContext)
}

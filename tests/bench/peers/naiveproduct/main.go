// Command naiveproduct is the peer plainproduct with traces, metrics and logs by OpenTelemetry, sent before the answer.
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
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-lambda-go/otellambda"
	"go.uber.org/zap"

	"example.com/peers/internal/accesslog"
	"example.com/peers/internal/product"
	"example.com/peers/internal/requests"
	"example.com/peers/internal/signals"
)

func main() {
	ctx := context.Background()
	logger, err := zap.NewProduction() // https://github.com/uber-go/zap#quick-start
	if err != nil {
		log.Fatal(err)
	}
	registry := prometheus.NewRegistry() // https://pkg.go.dev/github.com/prometheus/client_golang/prometheus#NewRegistry
	sent, logger, err := signals.New(ctx, registry, logger)
	if err != nil {
		log.Fatal(err)
	}
	// The client is made once, outside the handler.
	// https://docs.aws.amazon.com/lambda/latest/dg/golang-handler.html#golang-example-sdk-usage
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	products := product.Store{Client: dynamodb.NewFromConfig(cfg), Table: os.Getenv("COMMERCE_TABLE")}

	r := chi.NewRouter() // https://github.com/go-chi/chi#examples
	r.Use(accesslog.Middleware(logger, requests.New(registry).Observe))
	r.Get("/v1/products/{id}", product.Handler(func(ctx context.Context, id string) (product.Product, error) {
		return signals.DynamoDB(ctx, "GetItem", products.Table, func(ctx context.Context) (product.Product, error) {
			return products.Get(ctx, id)
		})
	}, logger))
	// WrapHandler, which is faster than the README's InstrumentHandler.
	// https://pkg.go.dev/go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-lambda-go/otellambda#WrapHandler
	lambda.Start(otellambda.WrapHandler(lambda.NewHandler(httpadapter.NewV2(r).ProxyWithContext), otellambda.WithFlusher(sent)))
}

// Command otelwrap is the peer otellambda with WrapHandler in the place of InstrumentHandler: the event is not decoded
// twice.
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-lambda-go/otellambda"

	"example.com/peers/internal/traces"
)

func main() {
	spans, err := traces.New(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	r := chi.NewRouter() // https://github.com/go-chi/chi#examples
	r.Get("/health/live", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"UP"}`)) // into memory: it cannot fail
	})
	handler := lambda.NewHandler(httpadapter.NewV2(r).ProxyWithContext)
	// https://pkg.go.dev/go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-lambda-go/otellambda#WrapHandler
	lambda.Start(otellambda.WrapHandler(handler, otellambda.WithTracerProvider(spans), otellambda.WithFlusher(spans)))
}

// Command otellambda is the service of the peer chi with OpenTelemetry's instrumentation for Lambda, as its README
// shows it: one span for each invocation, sent before the answer.
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
	// https://github.com/open-telemetry/opentelemetry-go-contrib/blob/instrumentation/github.com/aws/aws-lambda-go/otellambda/v0.70.0/instrumentation/github.com/aws/aws-lambda-go/otellambda/example/main.go
	spans, err := traces.New(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	r := chi.NewRouter() // https://github.com/go-chi/chi#examples
	r.Get("/health/live", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"UP"}`)) // into memory: it cannot fail
	})
	// The flusher sends what the batcher holds before Lambda freezes the process.
	// https://github.com/open-telemetry/opentelemetry-go-contrib/blob/instrumentation/github.com/aws/aws-lambda-go/otellambda/v0.70.0/instrumentation/github.com/aws/aws-lambda-go/otellambda/README.md#aws-lambda-instrumentation-options
	lambda.Start(otellambda.InstrumentHandler(
		httpadapter.NewV2(r).ProxyWithContext, otellambda.WithTracerProvider(spans), otellambda.WithFlusher(spans)))
}

// Command chi is a net/http service behind the usual adapter: aws-lambda-go-api-proxy and chi.
package main

import (
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
	"github.com/go-chi/chi/v5"
)

func main() {
	r := chi.NewRouter() // https://github.com/go-chi/chi#examples
	r.Get("/health/live", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"status":"UP"}`)) // into memory: it cannot fail
	})
	// The adapter is made once. ProxyWithContext does not copy the request's context into headers, which Proxy does.
	// https://pkg.go.dev/github.com/awslabs/aws-lambda-go-api-proxy/httpadapter#HandlerAdapterV2.ProxyWithContext
	lambda.Start(httpadapter.NewV2(r).ProxyWithContext)
}

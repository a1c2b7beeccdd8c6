package lambdahttp_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tienda-dev/tienda/shared/lambdahttp"
)

// A function passes the Handler to lambda.Start of aws-lambda-go. This example handles one event.
func ExampleNew() {
	greet := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = fmt.Fprintf(w, "Hello %s", r.PathValue("name"))
	})
	h := lambdahttp.New(greet, lambdahttp.Config{RouteKey: "GET /greet/{name}"})

	answer, err := h.Invoke(context.Background(), []byte(`{
		"version": "2.0", "routeKey": "GET /greet/{name}", "rawPath": "/greet/Ada",
		"requestContext": {"http": {"method": "GET", "path": "/greet/Ada"}}
	}`))
	fmt.Println(string(answer), err)
	// Output: {"statusCode":200,"headers":{"Content-Length":"9","Content-Type":"text/plain"},"body":"Hello Ada","isBase64Encoded":false} <nil>
}

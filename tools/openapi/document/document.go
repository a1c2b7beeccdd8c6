//go:build openapi

// Package document builds the API's OpenAPI document from the descriptions of all resources.
package document

import (
	"github.com/swaggest/openapi-go/openapi31"

	"github.com/tienda-dev/tienda/functions/apidocs"
	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/customers"
	"github.com/tienda-dev/tienda/functions/health"
	"github.com/tienda-dev/tienda/functions/limits"
	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/internal/openapi"
)

const (
	// File is the document's path in the repository.
	File = "openapi.yaml"
	// Served is the path of the document that a function embeds: JSON, compressed with gzip.
	Served = "functions/apidocs/openapi.json.gz"
)

// description opens the document.
const description = `A shop: products, stock, prices, users and sessions.

Money is whole minor units and a currency. Times are RFC 3339 in UTC. Errors are
` + "`application/problem+json`" + ` (RFC 9457) with a stable ` + "`code`" + `.
[docs/api.md](https://github.com/tienda-dev/tienda/blob/main/docs/api.md) has the rules that hold for every operation:
versions and deprecation, pages, errors, idempotency, concurrent changes, limits.

A path or method that is not listed here answers 404 with the code ` + "`route_not_found`" + `; GET / names the documentation. API Gateway answers some
requests itself, with ` + "`{\"message\": \"…\"}`" + ` as application/json and without a request id: 400 for a path
that it cannot read, 401 without an Authorization header, 413 over 10 MB, 431 over 10,240 bytes of request line and headers, 429 over the throttle of the route, 500 and 503 if a function cannot answer.`

// Resources are the descriptions of all resources, in the document's order.
func Resources() []openapi.Resource {
	return []openapi.Resource{catalog.OpenAPI(), payments.OpenAPI(), pricing.OpenAPI(), orders.OpenAPI(), shipments.OpenAPI(), customers.OpenAPI(), auth.OpenAPI(), limits.OpenAPI(), health.OpenAPI(), apidocs.OpenAPI()}
}

// Build returns the document. Root is the repository's folder.
func Build(root string) (*openapi31.Spec, error) {
	return openapi.Build(openapi.Source{
		Root: root, Title: "Tienda", Version: "1", Description: description, Server: "http://localhost:3000", Resources: Resources(),
	})
}

//go:build openapi

// Command openapi writes openapi.yaml, the description of the API, from the code. `make generate` runs it.
package main

import (
	"fmt"
	"os"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/customers"
	"github.com/tienda-dev/tienda/functions/health"
	"github.com/tienda-dev/tienda/internal/openapi"
)

func main() {
	spec, err := openapi.Build(openapi.Source{
		Root: ".", Title: "Tienda", Version: "1", Server: "http://localhost:3000",
		Resources: []openapi.Resource{catalog.OpenAPI(), customers.OpenAPI(), auth.OpenAPI(), health.OpenAPI()},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
	text, err := openapi.YAML(spec)
	if err == nil {
		err = os.WriteFile("openapi.yaml", text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

//go:build openapi

package apidocs

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/shared/problem"
)

// openapiDocument is an OpenAPI document: an object of https://spec.openapis.org/oas/v3.1.1.
type openapiDocument map[string]any

// OpenAPI describes the document for the document.
func OpenAPI() openapi.Resource {
	answers := openapi.Cached(openapi.Response{
		Status: http.StatusOK, Description: "The document, as JSON.", Body: openapiDocument{},
		Headers: []openapi.ResponseHeader{{
			Name: "Content-Encoding", Description: "The coding of the body, if it has one.", Rules: openapi.Rules{Enum: []any{"gzip"}}, Optional: true,
		}},
	})
	return openapi.Resource{
		Name:        "apidocs",
		Description: "This document.",
		Schemas:     []openapi.Schema{{Name: "OpenAPIDocument", Value: openapiDocument{}}},
		Operations: []openapi.Operation{{
			Route: GetOpenapiRoute, Summary: "Read this document",
			Description: "The answer is compressed if Accept-Encoding names gzip. Production does not publish the document by default.",
			Parameters: []openapi.Parameter{openapi.IfNoneMatch(), {
				In: openapi.Header, Name: "Accept-Encoding", Description: "The codings that the client reads (RFC 9110 section 12.5.3).", Example: "gzip",
			}},
			Responses: answers, Problems: []*problem.Error{problem.RouteNotFound()},
		}},
	}
}

//go:build openapi

package customers

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// OpenAPI describes the customers for the API's document.
func OpenAPI() openapi.Resource {
	name := openapi.Name(policy.MaxPersonName)
	return openapi.Resource{
		Name:        "customers",
		Description: "The profiles of the people who buy. The registration of a user creates one.",
		Schemas: []openapi.Schema{
			{Name: "Customer", Value: Customer{}, Members: map[string]openapi.Rules{
				"id": openapi.ULID(), "email": {Format: "email"}, "name": name, "version": openapi.AtLeast(1),
			}},
			{Name: "UpdateMyProfile", Value: updateMyProfileRequest{}, Required: []string{}, Members: map[string]openapi.Rules{"name": name}},
		},
		Operations: []openapi.Operation{
			{
				Route: GetMyProfileRoute, Summary: "Read the caller's profile",
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The profile.", Body: Customer{}, Example: true, Headers: []openapi.ResponseHeader{openapi.ETag()},
				}},
				Problems: []*problem.Error{ErrNotFound},
			},
			{
				Route: UpdateMyProfileRoute, Summary: "Change the caller's profile", Description: "A merge patch (RFC 7396).",
				Parameters: []openapi.Parameter{openapi.IfMatch(true)},
				Body:       updateMyProfileRequest{}, BodyType: api.ContentTypeMergePatch,
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The changed profile.", Body: Customer{}, Example: true, Headers: []openapi.ResponseHeader{openapi.ETag()},
				}},
				Problems: []*problem.Error{ErrNotFound, ErrStale},
			},
		},
	}
}

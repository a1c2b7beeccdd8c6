package contract_test

import (
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tests/contract"
)

func TestOpenAPIDescribesTheRoutesOfTheTemplate(t *testing.T) {
	t.Parallel()
	report(t, contract.OpenAPI([]byte(read(t, "openapi.yaml")), readTemplate(t)))
}

func TestPagesNameEveryCode(t *testing.T) {
	t.Parallel()
	document := []byte(read(t, "openapi.yaml"))
	pages := read(t, "docs/security.md") + read(t, "docs/auth.md")
	report(t, contract.Codes(document, pages))
	contract.Expect(t, contract.Codes(document, strings.ReplaceAll(pages, "`out_of_stock`", "")), "out_of_stock (409 of POST /v1/orders)")
	contract.Expect(t, contract.Codes([]byte("paths: {}"), pages), "openapi.yaml has no codes of problems")
}

func TestOpenAPINamesWhatDiffers(t *testing.T) {
	t.Parallel()
	deployed := &template.Template{Functions: []template.Function{
		{Name: "get-thing", Routes: []template.Route{{Method: "GET", Path: "/things/{id}"}, {Method: "HEAD", Path: "/things/{id}"}}},
		{Name: "create-thing", Routes: []template.Route{{Method: "POST", Path: "/things", Authorizer: "TokenAuthorizer"}}},
		{Name: "not-found", Routes: []template.Route{{}}},
	}}
	const get = "paths:\n  /things/{id}:\n    get: {operationId: getThing, security: [{}]}\n    head: {operationId: headGetThing, security: [{}]}\n"
	const create = "  /things:\n    post: {operationId: createThing, security: [{bearer: []}]}\n"
	contract.Expect(t, contract.OpenAPI([]byte(get+create), deployed))
	contract.Expect(t, contract.OpenAPI([]byte(get), deployed), "POST /things is in template.yaml and not in openapi.yaml")
	contract.Expect(t, contract.OpenAPI([]byte(get+create+"    put: {operationId: putThing}\n"), deployed), "PUT /things is in openapi.yaml and not in template.yaml")
	contract.Expect(t, contract.OpenAPI([]byte(get+"  /things:\n    post: {operationId: makeThing}\n"), deployed),
		`POST /things has the operationId "makeThing" in openapi.yaml, want "createThing"`,
		`POST /things has the authorizer "TokenAuthorizer" in template.yaml, and a token in openapi.yaml: false`)
	contract.Expect(t, contract.OpenAPI([]byte("paths: ["), deployed), "openapi.yaml: ")
}

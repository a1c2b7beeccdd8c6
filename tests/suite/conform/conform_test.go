package conform_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/tests/suite/conform"
)

// document is read once: that costs more than all the checks.
func document(t *testing.T) conform.Document {
	t.Helper()
	d, err := conform.Read("../../../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const (
	id      = "01JD7Q9W2V5K8N3M6P4R1S0T9X"
	product = `{"id":"` + id + `","sku":"CUP-1","name":"Cup","description":"","category":"kitchen","tags":[],"attributes":{},` +
		`"price":{"amount_minor":1250,"currency":"EUR"},"status":"active","version":1,` +
		`"created_at":"2026-11-24T20:04:30.217Z","updated_at":"2026-11-24T20:04:30.217Z"}`
	creation = `{"sku":"CUP-1","name":"Cup","category":"kitchen","price":{"amount_minor":1250,"currency":"EUR"}}`
)

// exchange returns the creation of a product, right in every part.
func exchange(t *testing.T) conform.Exchange {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost:3000/v1/products", nil)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer token")
	return conform.Exchange{
		Request: request, Sent: []byte(creation), Status: http.StatusCreated, Body: []byte(product),
		Header: http.Header{
			"Content-Type": {"application/json"}, "Location": {"/v1/products/" + id}, "Etag": {`"1"`}, "X-Request-Id": {"a"},
			"Cache-Control": {"no-store"}, "Vary": {"Origin"}, "Referrer-Policy": {"no-referrer"},
		},
	}
}

// body replaces a part of the answer.
func body(e *conform.Exchange, before, after string) {
	e.Body = []byte(strings.Replace(string(e.Body), before, after, 1))
}

// refuse makes the answer a refusal.
func refuse(e *conform.Exchange, status int, mediaType, body string) {
	e.Status, e.Body = status, []byte(body)
	e.Header = http.Header{"Content-Type": {mediaType}, "X-Request-Id": {"a"}, "Cache-Control": {"no-store"}}
}

// gateway makes the answer one of API Gateway.
func gateway(e *conform.Exchange, status int) {
	refuse(e, status, "application/json", `{"message":"Not served"}`)
	e.Header.Del("X-Request-Id")
	e.Header.Del("Cache-Control")
}

// ask makes the exchange another request with its answer.
func ask(e *conform.Exchange, method, target string, status int, answer string) {
	header := e.Request.Header
	e.Request = httptest.NewRequest(method, "http://localhost:3000"+target, nil)
	e.Request.Header = header
	e.Sent, e.Status, e.Body = nil, status, []byte(answer)
	e.Header.Del("Location")
	if method == http.MethodGet {
		e.Request.Header.Del("Content-Type")
	}
}

const health = `{"status":"UP","timestamp":"2026-11-24T20:04:30.217Z","duration_ms":1,"checks":{"auth_table":{"status":"UP","duration_ms":1}}}`

// probe makes the exchange a check of the service's state.
func probe(e *conform.Exchange, status int, answer string) {
	ask(e, http.MethodGet, "/health", status, answer)
	e.Header.Del("Etag")
	e.Header.Set("Cache-Control", "no-store")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	d := document(t)
	for name, c := range map[string]struct {
		change func(*conform.Exchange)
		want   string // part of the error; empty is none
	}{
		"OK":                   {func(*conform.Exchange) {}, ""},
		"UndocumentedMember":   {func(e *conform.Exchange) { body(e, `"sku":`, `"colour":"red","sku":`) }, "colour"},
		"RenamedMember":        {func(e *conform.Exchange) { body(e, `"sku":`, `"code":`) }, "sku"},
		"MemberOfAnotherType":  {func(e *conform.Exchange) { body(e, `"version":1`, `"version":"1"`) }, "version"},
		"NestedMember":         {func(e *conform.Exchange) { body(e, `"currency":`, `"unit":1,"currency":`) }, "unit"},
		"ValueOutsideOfRules":  {func(e *conform.Exchange) { body(e, `"status":"active"`, `"status":"sold"`) }, "status"},
		"UndocumentedHeader":   {func(e *conform.Exchange) { e.Header.Set("X-Powered-By", "x") }, "X-Powered-By"},
		"UndocumentedStatus":   {func(e *conform.Exchange) { e.Status = http.StatusAccepted }, "202"},
		"AnotherMediaType":     {func(e *conform.Exchange) { e.Header.Set("Content-Type", "text/html") }, "text/html"},
		"ServedWithoutAToken":  {func(e *conform.Exchange) { e.Request.Header.Del("Authorization") }, "the request was served"},
		"ServedUnknownMember":  {func(e *conform.Exchange) { e.Sent = []byte(strings.Replace(creation, "{", `{"x":1,`, 1)) }, "the request was served"},
		"ServedWithoutAMember": {func(e *conform.Exchange) { e.Sent = []byte(strings.Replace(creation, `"sku":"CUP-1",`, "", 1)) }, "the request was served"},
		"UnknownOperation":     {func(e *conform.Exchange) { e.Request.URL.Path = "/v1/paints" }, "not in the document"},
		"UnknownIsNotFound": {func(e *conform.Exchange) {
			e.Request.URL.Path = "/v1/paints"
			refuse(e, http.StatusNotFound, "application/problem+json", `{"title":"Not Found","status":404,"code":"route_not_found"}`)
		}, ""},
		"UnknownWithAnotherCode": {func(e *conform.Exchange) {
			e.Request.URL.Path = "/v1/paints"
			refuse(e, http.StatusNotFound, "application/problem+json", `{"title":"Not Found","status":404,"code":"product_not_found"}`)
		}, "not in the document"},
		"UnknownWithAnyBody": {func(e *conform.Exchange) { e.Request.URL.Path, e.Status = "/v1/paints", http.StatusNotFound }, "not in the document"},
		"UnknownIsTooLarge": {func(e *conform.Exchange) {
			e.Request.URL.Path = "/v1/paints"
			gateway(e, http.StatusRequestEntityTooLarge)
		}, ""},
		"UnknownAndAnotherError": {func(e *conform.Exchange) { e.Request.URL.Path = "/v1/paints"; gateway(e, http.StatusForbidden) }, "not in the document"},
		"GatewaysAnswer":         {func(e *conform.Exchange) { gateway(e, http.StatusUnauthorized) }, ""},
		"GatewaysBodyOfAFunction": {func(e *conform.Exchange) {
			refuse(e, http.StatusInternalServerError, "application/json", `{"message":"stack trace"}`)
		}, "the body of API Gateway"},
		"ProblemWithoutRequestID": {func(e *conform.Exchange) {
			refuse(e, http.StatusConflict, "application/problem+json", `{"title":"Conflict","status":409,"code":"sku_exists"}`)
			e.Header.Del("X-Request-Id")
		}, "X-Request-Id"},
		"CreatedWithoutBody":         {func(e *conform.Exchange) { e.Body = nil }, "empty body"},
		"CreatedWithoutLocation":     {func(e *conform.Exchange) { e.Header.Del("Location") }, "Location"},
		"CreatedWithoutETag":         {func(e *conform.Exchange) { e.Header.Del("Etag") }, "ETag"},
		"CreatedWithoutRequestID":    {func(e *conform.Exchange) { e.Header.Del("X-Request-Id") }, "X-Request-Id"},
		"CreatedWithoutCacheControl": {func(e *conform.Exchange) { e.Header.Del("Cache-Control") }, "Cache-Control"},
		"BodyOfNoContent": {func(e *conform.Exchange) {
			ask(e, http.MethodDelete, "/v1/products/"+id, http.StatusNoContent, product)
		}, "has a body"},
		"NoContent": {func(e *conform.Exchange) {
			ask(e, http.MethodDelete, "/v1/products/"+id, http.StatusNoContent, "")
			e.Header.Del("Etag")
		}, ""},
		"BodyOfNotModified": {func(e *conform.Exchange) {
			ask(e, http.MethodGet, "/v1/products/"+id, http.StatusNotModified, product)
		}, "has a body"},
		"NotModified": {func(e *conform.Exchange) { ask(e, http.MethodGet, "/v1/products/"+id, http.StatusNotModified, "") }, ""},
		"List": {func(e *conform.Exchange) {
			ask(e, http.MethodGet, "/v1/products?limit=1", http.StatusOK, `{"data":[],"has_more":false}`)
		}, ""},
		"ListWithoutBody": {func(e *conform.Exchange) { ask(e, http.MethodGet, "/v1/products", http.StatusOK, "") }, "empty body"},
		"IgnoredQuery": {func(e *conform.Exchange) {
			ask(e, http.MethodGet, "/v1/products?colour=red", http.StatusOK, `{"data":[],"has_more":false}`)
		}, ""},
		"NamesOfAttributes": {func(e *conform.Exchange) { body(e, `"attributes":{}`, `"attributes":{"colour":"red","size.eu":"4"}`) }, ""},
		"Health":            {func(e *conform.Exchange) { probe(e, http.StatusOK, health) }, ""},
		"HealthOfDown":      {func(e *conform.Exchange) { probe(e, http.StatusServiceUnavailable, health) }, ""},
		"MemberOfHealthCheck": {func(e *conform.Exchange) {
			probe(e, http.StatusOK, strings.Replace(health, `"duration_ms":1}`, `"duration_ms":1,"error":"dial tcp"}`, 1))
		}, "error"},
		"MemberOfHealthCheckThatIsDown": {func(e *conform.Exchange) {
			probe(e, http.StatusServiceUnavailable, strings.Replace(health, `"duration_ms":1}`, `"duration_ms":1,"error":"dial tcp"}`, 1))
		}, "error"},
		"DocumentedCode": {func(e *conform.Exchange) {
			refuse(e, http.StatusConflict, "application/problem+json", `{"title":"Conflict","status":409,"code":"sku_exists","detail":"x","request_id":"a"}`)
		}, ""},
		"CodeOfAnotherOperation": {func(e *conform.Exchange) {
			refuse(e, http.StatusConflict, "application/problem+json", `{"title":"Conflict","status":409,"code":"email_exists","detail":"x","request_id":"a"}`)
		}, "code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := exchange(t)
			c.change(&e)
			err := d(e)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want an error with %q", err, c.want)
			case c.want != "" && !strings.Contains(err.Error(), "not in the document") && !strings.Contains(err.Error(), "operation "):
				t.Errorf("%v does not name the operation", err)
			}
		})
	}
}

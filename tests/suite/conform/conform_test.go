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
	e.Status, e.Body, e.Header = status, []byte(body), http.Header{"Content-Type": {mediaType}}
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
		"UnknownIsNotFound":    {func(e *conform.Exchange) { e.Request.URL.Path, e.Status = "/v1/paints", http.StatusNotFound }, ""},
		"GatewaysAnswer": {func(e *conform.Exchange) {
			refuse(e, http.StatusUnauthorized, "application/json", `{"message":"Unauthorized"}`)
		}, ""},
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
			case c.want != "" && name != "UnknownOperation" && !strings.Contains(err.Error(), "operation createProduct"):
				t.Errorf("%v does not name the operation", err)
			}
		})
	}
}

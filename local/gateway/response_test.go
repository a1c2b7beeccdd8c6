package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/gateway"
)

func TestResponseMapping(t *testing.T) {
	t.Parallel()
	const text, json = "text/plain; charset=utf-8", "application/json"
	tests := map[string]struct {
		payload    string
		wantStatus int
		wantBody   string
		wantHeader map[string][]string
	}{
		"Body":              {`{"statusCode":201,"body":"hé"}`, 201, "hé", map[string][]string{"Content-Type": {text}}},
		"NoBody":            {`{"statusCode":200}`, 200, "", map[string][]string{"Content-Length": {"0"}}},
		"NullBody":          {`{"statusCode":200,"body":null,"headers":null,"cookies":null}`, 200, "", nil},
		"StatusAsString":    {`{"statusCode":"404"}`, 404, "", nil},
		"Base64":            {`{"statusCode":200,"body":"iVBORw==","isBase64Encoded":true}`, 200, "\x89PNG", nil},
		"Headers":           {`{"statusCode":200,"headers":{"content-type":"text/html","x-n":1,"x-b":true}}`, 200, "", map[string][]string{"Content-Type": {"text/html"}, "X-N": {"1"}, "X-B": {"true"}}},
		"Cookies":           {`{"statusCode":200,"cookies":["a=1; Path=/","b=2, 3"]}`, 200, "", map[string][]string{"Set-Cookie": {"a=1; Path=/", "b=2, 3"}}},
		"CookieAndHeader":   {`{"statusCode":200,"headers":{"Set-Cookie":"c=3"},"cookies":["a=1"]}`, 200, "", map[string][]string{"Set-Cookie": {"c=3", "a=1"}}},
		"Challenge":         {`{"statusCode":401,"headers":{"WWW-Authenticate":"Bearer"}}`, 401, "", map[string][]string{"Www-Authenticate": {"Bearer"}}},
		"LengthIsOurs":      {`{"statusCode":200,"headers":{"content-length":"99","connection":"close"},"body":"abc"}`, 200, "abc", map[string][]string{"Content-Length": {"3"}, "Connection": nil}},
		"RequestIDIsOurs":   {`{"statusCode":200,"headers":{"date":"x","x-a":"1"}}`, 200, "", map[string][]string{"X-A": {"1"}}},
		"NoContent":         {`{"statusCode":204,"body":"dropped"}`, 204, "", map[string][]string{"Content-Type": nil, "Content-Length": nil}},
		"NotModified":       {`{"statusCode":304,"headers":{"etag":"\"1\""}}`, 304, "", map[string][]string{"Etag": {`"1"`}}},
		"ImplicitObject":    {`{"hello":"world"}`, 200, `{"hello":"world"}`, map[string][]string{"Content-Type": {json}}},
		"ImplicitString":    {`"hi"`, 200, `"hi"`, map[string][]string{"Content-Type": {json}}},
		"ImplicitNull":      {`null`, 200, `null`, map[string][]string{"Content-Type": {json}}},
		"ImplicitNotJSON":   {`{"name": "John", "age":`, 200, `{"name": "John", "age":`, map[string][]string{"Content-Type": {json}}},
		"BodyIsAnObject":    {`{"statusCode":200,"body":{}}`, 500, internalError, nil},
		"BodyIsANumber":     {`{"statusCode":200,"body":1}`, 500, internalError, nil},
		"BadBase64":         {`{"statusCode":200,"body":"%","isBase64Encoded":true}`, 500, internalError, nil},
		"BadBase64Flag":     {`{"statusCode":200,"isBase64Encoded":"yes"}`, 500, internalError, nil},
		"StatusIsNull":      {`{"statusCode":null}`, 500, internalError, nil},
		"StatusIsNoNumber":  {`{"statusCode":"ok"}`, 500, internalError, nil},
		"StatusIsAFraction": {`{"statusCode":200.5}`, 500, internalError, nil},
		"StatusTooLow":      {`{"statusCode":100}`, 500, internalError, nil},
		"StatusTooHigh":     {`{"statusCode":600}`, 500, internalError, nil},
		"HeadersIsAList":    {`{"statusCode":200,"headers":[]}`, 500, internalError, nil},
		"HeaderIsAList":     {`{"statusCode":200,"headers":{"x":["a"]}}`, 500, internalError, nil},
		"HeaderSplits":      {`{"statusCode":200,"headers":{"x":"a\r\nset-cookie: b"}}`, 500, internalError, nil},
		"HeaderName":        {`{"statusCode":200,"headers":{"x y":"a"}}`, 500, internalError, nil},
		"CookieSplits":      {`{"statusCode":200,"cookies":["a\n"]}`, 500, internalError, nil},
		"CookiesIsAString":  {`{"statusCode":200,"cookies":"a"}`, 500, internalError, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := serve(t, gateway.Config{Routes: routes("$default")}, map[string]answering{"f": says(test.payload)})
			got := a.do(t, "GET", "/", "")
			got.want(t, test.wantStatus, test.wantBody)
			for name, want := range test.wantHeader {
				if diff := cmp.Diff(want, got.Header[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

const internalError = `{"message":"Internal Server Error"}`

func TestHeadHasLengthAndNoBody(t *testing.T) {
	t.Parallel()
	a := serve(t, gateway.Config{Routes: routes("HEAD /x")}, map[string]answering{
		"f": says(`{"statusCode":200,"body":"12345"}`),
	})
	got := a.do(t, "HEAD", "/x", "")
	got.want(t, http.StatusOK, "")
	if got.Header.Get("Content-Length") != "5" {
		t.Errorf("header %v", got.Header)
	}

	// A function leaves the body out and says how long it is for GET.
	for length, want := range map[string]string{"12345": "12345", "0": "0", "-1": "", "x": "", "": ""} {
		a := serve(t, gateway.Config{Routes: routes("HEAD /x")}, map[string]answering{
			"f": says(`{"statusCode":200,"headers":{"content-length":"` + length + `"}}`),
		})
		if got := a.do(t, "HEAD", "/x", "").Header.Get("Content-Length"); got != want {
			t.Errorf("the function says %s: Content-Length %q, want %q", length, got, want)
		}
	}
}

func FuzzResponse(f *testing.F) {
	f.Add([]byte(`{"statusCode":200,"headers":{"a":"b"},"cookies":["a=1"],"body":"x","isBase64Encoded":false}`))
	f.Add([]byte(`{"statusCode":"99999999999999999999"}`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		g, err := gateway.New(gateway.Config{
			Routes:  routes("$default"),
			Invoker: &fake{functions: map[string]answering{"f": says(string(payload))}},
		})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code < 200 || w.Code > 599 || w.Header().Get("Apigw-Requestid") == "" {
			t.Errorf("status %d, header %v", w.Code, w.Header())
		}
	})
}

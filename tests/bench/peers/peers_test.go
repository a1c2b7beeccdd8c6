// Package peers_test starts every peer as Lambda does and checks what it answers and what it asks of its backends: a
// peer that does less or more than its README says does not pass.
package peers_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	secret   = "no base64url: the key of the tests of peers"
	issuer   = "https://auth.tienda.example"
	audience = "tienda-api"
	subject  = "01JD7PZC3H8Y5E2A9B6D4F7G0K"
	// item is the product of the sample event get-product.
	item = `{"PK":{"S":"P#01JD7Q9W2V5K8N3M6P4R1S0T9X"},"SK":{"S":"META"},
		"GSI1PK":{"S":"CAT#kitchen#active"},"GSI1SK":{"S":"001795550400000#01JD7Q9W2V5K8N3M6P4R1S0T9X"},
		"GSI2PK":{"S":"PST#active"},"GSI2SK":{"S":"001795550400000#01JD7Q9W2V5K8N3M6P4R1S0T9X"},
		"id":{"S":"01JD7Q9W2V5K8N3M6P4R1S0T9X"},"sku":{"S":"CUP-ESP-RED"},"name":{"S":"Espresso cup, red"},
		"description":{"S":"Stoneware, 80 ml."},"category":{"S":"kitchen"},"tags":{"L":[{"S":"cup"},{"S":"stoneware"}]},
		"attributes":{"M":{"colour":{"S":"red"},"volume_ml":{"S":"80"}}},
		"price":{"M":{"amount_minor":{"N":"1290"},"currency":{"S":"EUR"}}},"status":{"S":"active"},"version":{"N":"1"},
		"created_at":{"N":"1795550400000"},"updated_at":{"N":"1795550400000"},"words_version":{"N":"1"}}`

	readProduct = "GetItem commerce P#01JD7Q9W2V5K8N3M6P4R1S0T9X META consistent"
	readRevoked = "GetItem auth R#token R"
	count       = "UpdateItem limits RL#" + subject + "#<window> ADD hits :one SET #ttl = :ttl"
	metrics     = "/v1/metrics: http_request_duration_seconds, http_requests_total"
	logs        = "/v1/logs: request"
)

func products() *backend {
	return &backend{hits: 1, items: map[string]string{"commerce P#01JD7Q9W2V5K8N3M6P4R1S0T9X META": item}}
}

func TestFixedAnswers(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"bare": nil, "request": {"GetItem commerce P#none META consistent"}, "typed": nil, "chi": nil, "otellambda": {"/v1/traces: peer"}, "otelwrap": {"/v1/traces: peer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, name, &backend{})
			for range 2 {
				answer, requests := p.invoke(t, sample(t, "get-liveness"))
				equal(t, "answer", decode(t, answer), response{
					Status: http.StatusOK, Headers: map[string]string{"content-type": "application/json"}, Body: `{"status":"UP"}`,
				})
				equal(t, "requests", requests, want)
			}
		})
	}
}

func TestProducts(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		peer     string
		services *backend
		event    []byte
		environ  []string
		status   int
		requests []string
	}{
		"Plain":         {peer: "plainproduct", status: http.StatusOK, requests: []string{readProduct}},
		"PlainNotFound": {peer: "plainproduct", services: &backend{}, status: http.StatusNotFound, requests: []string{readProduct}},
		"Naive": {
			peer: "naiveproduct", status: http.StatusOK,
			requests: []string{readProduct, "/v1/traces: GetItem commerce, peer", metrics, logs},
		},
		"NaiveLogsToStdout": {
			peer: "naiveproduct", environ: []string{"OTEL_LOGS_EXPORTER=none"}, status: http.StatusOK,
			requests: []string{readProduct, "/v1/traces: GetItem commerce, peer", metrics},
		},
		"NaiveSilent": {
			peer: "naiveproduct", status: http.StatusOK, requests: []string{readProduct},
			environ: []string{"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none", "OTEL_LOGS_EXPORTER=none"},
		},
		"Full": {
			peer: "naivefull", event: authorized(t, "get-product", bearer(t, secret)), status: http.StatusOK,
			requests: []string{readRevoked, count, readProduct, "/v1/traces: GetItem auth, GetItem commerce, UpdateItem limits, peer", metrics, logs},
		},
		"FullNoToken": {
			peer: "naivefull", status: http.StatusUnauthorized, requests: []string{"/v1/traces: peer", metrics, logs},
		},
		"FullForged": {
			peer: "naivefull", event: authorized(t, "get-product", bearer(t, "another key")), status: http.StatusUnauthorized,
			requests: []string{"/v1/traces: peer", metrics, logs},
		},
		"FullRevoked": {
			peer: "naivefull", event: authorized(t, "get-product", bearer(t, secret)), status: http.StatusUnauthorized,
			services: &backend{items: map[string]string{"auth R#token R": `{"PK":{"S":"R#token"},"SK":{"S":"R"}}`}},
			requests: []string{readRevoked, "/v1/traces: GetItem auth, peer", metrics, logs},
		},
		"FullLimited": {
			peer: "naivefull", event: authorized(t, "get-product", bearer(t, secret)), status: http.StatusTooManyRequests,
			services: &backend{hits: 601},
			requests: []string{readRevoked, count, "/v1/traces: GetItem auth, UpdateItem limits, peer", metrics, logs},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			services, event := tc.services, tc.event
			if services == nil {
				services = products()
			}
			if event == nil {
				event = sample(t, "get-product")
			}
			p := start(t, tc.peer, services, tc.environ...)
			for range 2 {
				answer, requests := p.invoke(t, event)
				got := decode(t, answer)
				equal(t, "requests", requests, tc.requests)
				equal(t, "status", got.Status, tc.status)
				if got.Status == http.StatusOK {
					isProduct(t, got)
				}
			}
		})
	}
}

// isProduct compares the answer with that of the product's own function. Members are compared in their order too.
func isProduct(t *testing.T, got response) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "events", "expected", "get-product.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	if err := json.Compact(&body, want.Body); err != nil {
		t.Fatal(err)
	}
	equal(t, "body", got.Body, body.String()+"\n")
	for _, name := range []string{"cache-control", "content-type", "etag"} {
		equal(t, name, got.Headers[name], want.Headers[name])
	}
}

func TestFullSecures(t *testing.T) {
	t.Parallel()
	p := start(t, "naivefull", products())
	answer, _ := p.invoke(t, authorized(t, "get-product", bearer(t, secret)))
	got := decode(t, answer)
	for name, want := range map[string]string{
		"content-security-policy": "default-src 'none'; frame-ancestors 'none'", "strict-transport-security": "max-age=31536000; includeSubDomains",
		"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer",
		"x-ratelimit-limit": "600", "x-ratelimit-remaining": "599",
	} {
		equal(t, name, got.Headers[name], want)
	}
}

func TestAuthorizer(t *testing.T) {
	t.Parallel()
	revoked := map[string]string{"auth R#token R": `{"PK":{"S":"R#token"},"SK":{"S":"R"}}`}
	for name, tc := range map[string]struct {
		services *backend
		token    string
		answer   string
		requests []string
	}{
		"OK": {
			services: &backend{}, token: bearer(t, secret), requests: []string{readRevoked},
			answer: `{"isAuthorized":true,"context":{"jti":"token","sub":"` + subject + `"}}`,
		},
		"Revoked": {
			services: &backend{items: revoked}, token: bearer(t, secret), requests: []string{readRevoked},
			answer: `{"isAuthorized":false}`,
		},
		"Forged":   {services: &backend{}, token: bearer(t, "another key"), answer: `{"isAuthorized":false}`},
		"NoBearer": {services: &backend{}, token: "Basic eDp5", answer: `{"isAuthorized":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, "naiveauthorizer", tc.services)
			for range 2 {
				answer, requests := p.invoke(t, authorized(t, "authorizer", tc.token))
				equal(t, "answer", string(answer), tc.answer)
				equal(t, "requests", requests, tc.requests)
			}
		})
	}
}

// bearer returns the Authorization header of a token as Tienda mints it, signed with the key.
func bearer(t *testing.T, key string) string {
	t.Helper()
	now := time.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": issuer, "aud": []string{audience}, "sub": subject, "jti": "token", "sid": "session",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	token.Header["typ"] = "at+jwt"
	text, err := token.SignedString([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text
}

// authorized returns a sample event with an Authorization header.
func authorized(t *testing.T, operation, header string) []byte {
	t.Helper()
	var event map[string]any
	if err := json.Unmarshal(sample(t, operation), &event); err != nil {
		t.Fatal(err)
	}
	headers, ok := event["headers"].(map[string]any)
	if !ok {
		t.Fatalf("the event of %s has no headers", operation)
	}
	headers["authorization"] = header
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

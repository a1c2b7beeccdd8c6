package lambdahttp_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/tienda-dev/tienda/shared/lambdahttp"
)

// BenchmarkInvoke measures a small GET between the Runtime API and the handler, both ways.
func BenchmarkInvoke(b *testing.B) {
	event, err := os.ReadFile("testdata/working_http_api_get.json")
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(`{"id":"01JD7Q9W2V5K8N3M6P4R1S0T9X","sku":"TEA-1","name":"Tea","price":{"amount_minor":1250,"currency":"EUR"}}`)
	h := lambdahttp.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", r.PathValue("id"))
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(body)
	}), lambdahttp.Config{RouteKey: "GET /v1/products/{id}"})

	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Invoke(b.Context(), event); err != nil {
			b.Fatal(err)
		}
	}
}

package load_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/tests/exposition"
	"github.com/tienda-dev/tienda/tests/load"
)

const page = `# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{faas_name="a",http_request_method="GET",http_response_status_code="200",http_route="/v1/products/{id}",le="+Inf"} 2
http_server_request_duration_seconds_count{faas_name="a",http_request_method="GET",http_response_status_code="200",http_route="/v1/products/{id}"} 2
http_server_request_duration_seconds_bucket{faas_name="b",http_request_method="GET",http_response_status_code="200",http_route="/v1/products/{id}",le="+Inf"} 3
http_server_request_duration_seconds_count{faas_name="b",http_request_method="GET",http_response_status_code="200",http_route="/v1/products/{id}"} 3
http_server_request_duration_seconds_bucket{faas_name="a",http_request_method="GET",http_response_status_code="500",http_route="/v1/products/{id}",le="+Inf"} 1
http_server_request_duration_seconds_count{faas_name="a",http_request_method="GET",http_response_status_code="500",http_route="/v1/products/{id}"} 1
http_server_request_duration_seconds_bucket{faas_name="c",http_request_method="POST",http_response_status_code="201",http_route="/v1/products",le="+Inf"} 9
http_server_request_duration_seconds_count{faas_name="c",http_request_method="POST",http_response_status_code="201",http_route="/v1/products"} 9
`

func TestDifferencesAreNamed(t *testing.T) {
	t.Parallel()
	var client load.Counts
	for range 5 {
		client.Add("GET", "/v1/products/01JD?x=1", 200)
	}
	client.Add("GET", "/v1/products/search?q=tea", 200)
	families, err := exposition.Parse(exposition.Text, page)
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := load.Counted(families, client.All())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET /v1/products/search 200: the client got 1, the metrics have 0",
		"GET /v1/products/{id} 500: the client got 0, the metrics have 1",
	}
	if diff := cmp.Diff(want, load.Differences(client.All(), metrics)); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	client.Add("GET", "/v1/products/missing", 404)
	if got, want := client.Summary(), "7 answers of 2 routes (200: 6, 404: 1)"; got != want {
		t.Errorf("the summary is %q, want %q", got, want)
	}
}

func TestEqualCountsHaveNoDifference(t *testing.T) {
	t.Parallel()
	a := load.Answer{Method: "GET", Route: "/v1/products", Status: 200}
	if got := load.Differences(map[load.Answer]int{a: 2}, map[load.Answer]int{a: 2}); got != nil {
		t.Errorf("got %q", got)
	}
}

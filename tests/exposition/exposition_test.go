package exposition_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/tienda-dev/tienda/tests/exposition"
)

const (
	text = `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{route="/v1/products/{id}"} 2
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.5"} 1
took_seconds_bucket{le="+Inf"} 2
took_seconds_sum 3.5
took_seconds_count 2
`
	openMetrics = `# HELP requests Requests.
# TYPE requests counter
requests_total{route="/v1/products/{id}"} 2.0 # {span_id="00f067aa0ba902b7",trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 1.0 1.7e+09
# HELP took_seconds Time.
# TYPE took_seconds histogram
# UNIT took_seconds seconds
took_seconds_bucket{le="0.5"} 1 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736",span_id="00f067aa0ba902b7"} 0.25 1.7e+09
took_seconds_bucket{le="+Inf"} 2
took_seconds_sum 3.5
took_seconds_count 2
# EOF
`
)

func TestBothFormatsAreRead(t *testing.T) {
	t.Parallel()
	one, err := exposition.Parse(exposition.Text, text)
	if err != nil || len(one) != 2 {
		t.Fatalf("got %v, %v", one, err)
	}
	two, err := exposition.Parse(exposition.OpenMetrics, openMetrics)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one, two, protocmp.Transform()); diff != "" {
		t.Errorf("families (-text +OpenMetrics):\n%s", diff)
	}
}

func TestBrokenOpenMetricsIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"NoEnd":               {"# EOF\n", ""},
		"CounterInTextFormat": {"# TYPE requests counter", "# TYPE requests_total counter"},
		"CounterWithoutTotal": {"requests_total{", "requests{"},
		"ShortTrace":          {`trace_id="4bf92f35`, `trace_id="`},
		"ExemplarOfASum":      {"took_seconds_sum 3.5", `took_seconds_sum 3.5 # {span_id="00f067aa0ba902b7",trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 1 1`},
		"NotANumber":          {"took_seconds_count 2", "took_seconds_count two"},
	} {
		broken := strings.Replace(openMetrics, change[0], change[1], 1)
		if _, err := exposition.Parse(exposition.OpenMetrics, broken); err == nil || broken == openMetrics {
			t.Errorf("%s: accepted", name)
		}
	}
}

package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	dto "github.com/prometheus/client_model/go"

	"github.com/tienda-dev/tienda/tests/exposition"
)

// Answer is what a client can count: "GET /v1/products/{id} 404".
type Answer struct {
	Method, Route string
	Status        int
}

func (a Answer) String() string { return fmt.Sprintf("%s %s %d", a.Method, a.Route, a.Status) }

// Counts are the answers that a client got. The zero value is empty, and it is safe for concurrent use.
type Counts struct {
	mu sync.Mutex
	by map[Answer]int
}

// Add counts an answer to a request of a path.
func (c *Counts) Add(method, path string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[Answer]int{}
	}
	c.by[Answer{Method: method, Route: Route(path), Status: status}]++
}

// All returns the counts by answer.
func (c *Counts) All() map[Answer]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.by)
}

// Summary returns how many answers there are, of how many routes, and by status: "7 answers of 2 routes (200: 6, 404: 1)".
func (c *Counts) Summary() string {
	total := 0
	routes, statuses := map[[2]string]bool{}, map[int]int{}
	for a, n := range c.All() {
		total += n
		routes[[2]string{a.Method, a.Route}] = true
		statuses[a.Status] += n
	}
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		parts = append(parts, fmt.Sprintf("%d: %d", status, statuses[status]))
	}
	return fmt.Sprintf("%d answers of %d routes (%s)", total, len(routes), strings.Join(parts, ", "))
}

// Route returns the route of a path of the profile, as the API's metrics name it. The path may have a query.
func Route(path string) string {
	path, _, _ = strings.Cut(path, "?")
	const product, search = "/v1/products/", "/v1/products/search"
	if strings.HasPrefix(path, product) && path != search {
		return product + "{id}"
	}
	return path
}

// The family and the labels that count requests in GET /metrics.
const (
	family      = "http_server_request_duration_seconds"
	labelMethod = "http_request_method"
	labelRoute  = "http_route"
	labelStatus = "http_response_status_code"
)

// Counted returns how many requests the functions have counted, of the routes that the client has called.
func Counted(families exposition.Families, client map[Answer]int) (map[Answer]int, error) {
	called := map[[2]string]bool{}
	for a := range client {
		called[[2]string{a.Method, a.Route}] = true
	}
	counted := map[Answer]int{}
	for _, m := range families[family].GetMetric() {
		a := Answer{Method: label(m, labelMethod), Route: label(m, labelRoute)}
		if _, err := fmt.Sscan(label(m, labelStatus), &a.Status); err != nil {
			return nil, fmt.Errorf("%s: the status of %v: %w", family, m, err)
		}
		if called[[2]string{a.Method, a.Route}] {
			counted[a] += int(m.GetHistogram().GetSampleCount())
		}
	}
	return counted, nil
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// Differences returns a line for each answer that the client and the metrics have counted differently.
func Differences(client, metrics map[Answer]int) []string {
	all := maps.Clone(metrics)
	maps.Copy(all, client)
	var lines []string
	for a := range all {
		if client[a] != metrics[a] {
			lines = append(lines, fmt.Sprintf("%s: the client got %d, the metrics have %d", a, client[a], metrics[a]))
		}
	}
	slices.Sort(lines)
	return lines
}

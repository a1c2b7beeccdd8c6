//go:build observability

package observability_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/observe"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/tools/dashboards/board"
)

// rule is a recording or an alerting rule.
type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

func rules(t *testing.T, name string) []rule {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []rule }
	}
	if err := yaml.Unmarshal([]byte(read(t, "observability/rules/"+name)), &file); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// runbookQuery is what a runbook asks Prometheus first.
var runbookQuery = regexp.MustCompile("(?s)\n## Look at\n\n```promql\n(.+?)\n```\n")

// ofCloudWatch is the runbook of two alarms of CloudWatch, which Prometheus does not have.
const ofCloudWatch = "dead-letters.md"

// runbookQueries returns the queries of the runbooks by their files.
func runbookQueries(t *testing.T) map[string]string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d runbooks (%v)", len(pages), err)
	}
	queries := map[string]string{}
	for _, page := range pages {
		if filepath.Base(page) == ofCloudWatch {
			continue
		}
		name := "docs/runbooks/" + filepath.Base(page)
		found := runbookQuery.FindStringSubmatch(read(t, name))
		if found == nil {
			t.Errorf("%s has no query below \"## Look at\"", name)
			continue
		}
		queries[name] = found[1]
	}
	return queries
}

// TestEveryExpressionReturnsData sends everything in the catalogue to the collector, and asks Prometheus what
// dashboards ask.
func TestEveryExpressionReturnsData(t *testing.T) {
	t.Parallel()
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	t.Cleanup(failing.Close)
	r := start(t, observe.Options{ScrapeInterval: time.Second, Env: map[string]string{
		"COLLECTOR_TRACES_TO": "[otlp_http, file/traces]", "COLLECTOR_BACKEND": failing.URL,
	}})
	send := func(n uint64, started time.Time) error {
		for path, message := range exports(started, n) {
			if code, err := post(t.Context(), newClient(), r.Endpoint+path, message); err != nil || code != http.StatusOK {
				return errors.Join(fmt.Errorf("%s: status %d", path, code), err)
			}
		}
		return nil
	}
	started, n := time.Now(), uint64(0)

	expressions := runbookQueries(t) // by where it is
	for _, d := range board.All() {
		for i, expr := range d.Expressions() {
			expressions[fmt.Sprintf("dashboard %s, query %d", d.Name, i)] = concrete(expr)
		}
	}
	for _, r := range rules(t, "recording.yaml") {
		expressions[r.Record] = r.Record
	}
	for _, r := range rules(t, "alerts.yaml") {
		for _, name := range names(r.Expr) {
			expressions[r.Alert+": "+name] = name
		}
	}
	eventually(t, func() error {
		n++
		if err := send(n, started); err != nil {
			return err
		}
		var missing []error
		for where, expr := range expressions {
			got, err := query(t, r, expr)
			switch {
			case err != nil:
				missing = append(missing, fmt.Errorf("%s: %w", where, err))
			case len(got) == 0:
				missing = append(missing, fmt.Errorf("%s: no data from %s", where, expr))
			}
		}
		return errors.Join(missing...)
	})
}

// TestPagesPassPromlint sends everything in the catalogue, and lets Prometheus' linter read the collector's pages.
func TestPagesPassPromlint(t *testing.T) {
	t.Parallel()
	r := start(t, observe.Options{NoPrometheus: true})
	send(t, r, "/v1/metrics", everything(time.Now(), 1))
	wanted := map[string]int{}
	for _, d := range metrics.Catalogue() {
		if d.Kind == metrics.Counter || d.Kind == metrics.Histogram {
			wanted[r.Merged]++
		} else {
			wanted[r.Instances]++
		}
	}
	for _, page := range []string{r.Merged, r.Instances} {
		eventually(t, func() error {
			text := get(t, page+"/metrics")
			if got := strings.Count(text, "# TYPE "); got < wanted[page] {
				return fmt.Errorf("%s has %d metrics, want %d", page, got, wanted[page])
			}
			problems, err := promlint.New(strings.NewReader(text)).Lint()
			if err != nil {
				return err
			}
			for _, problem := range problems {
				t.Errorf("%s: %s", problem.Metric, problem.Text)
			}
			return nil
		})
	}
}

// concrete gives values to what Grafana replaces.
func concrete(expr string) string {
	expr = regexp.MustCompile(`\$(service|environment|route|function)\b`).ReplaceAllString(expr, ".*")
	return strings.ReplaceAll(expr, "$__rate_interval", "1m")
}

// TestEveryNameIsKnown finds names in dashboards and rules that nothing sends or records.
func TestEveryNameIsKnown(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"up": true, "ALERTS": true, "http_server_request_exemplars_seconds_bucket": true}
	used := map[string]bool{}
	for _, d := range metrics.Catalogue() {
		known[series(d)] = true
		if d.Kind == metrics.Histogram {
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				known[series(d)+part] = true
			}
		}
	}
	recorded := rules(t, "recording.yaml")
	for _, r := range recorded {
		known[r.Record] = true
	}
	check := func(where, expr string) {
		for _, name := range names(expr) {
			used[name] = true
			// The collector's and Prometheus' own are checked against the programs themselves.
			if !known[name] && !strings.HasPrefix(name, "otelcol_") && !strings.HasPrefix(name, "prometheus_") {
				t.Errorf("%s: nothing sends or records %s", where, name)
			}
		}
	}
	for _, r := range recorded {
		check(r.Record, r.Expr)
	}
	for _, r := range rules(t, "alerts.yaml") {
		check(r.Alert, r.Expr)
	}
	for _, d := range board.All() {
		for _, expr := range d.Expressions() {
			check("dashboard "+d.Name, concrete(expr))
		}
	}
	for page, expr := range runbookQueries(t) {
		check(page, expr)
	}
	for _, d := range metrics.Catalogue() {
		name := series(d)
		if d.Name == metrics.HealthCheckDuration {
			continue // for who asks why a check is slow
		}
		if !used[name] && !used[name+"_bucket"] && !used[name+"_count"] && !used[name+"_sum"] {
			t.Errorf("no dashboard and no rule shows %s", name)
		}
	}
}

// names returns the metric names in a PromQL expression.
func names(expr string) []string {
	for _, part := range []string{
		`"(?:[^"\\]|\\.)*"`, `(?s)\{[^}]*\}`, `\[[^\]]*\]`, `\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)`, `\boffset\s+\w+`,
	} {
		expr = regexp.MustCompile(part).ReplaceAllString(expr, " ")
	}
	var found []string
	for _, match := range regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*\s*\(?`).FindAllStringIndex(expr, -1) {
		name := strings.TrimSpace(expr[match[0]:match[1]])
		inNumber := match[0] > 0 && strings.ContainsAny(expr[match[0]-1:match[0]], "0123456789")
		if strings.HasSuffix(name, "(") || inNumber || slices.Contains([]string{"and", "or", "unless", "bool", "inf", "nan"}, strings.ToLower(name)) {
			continue
		}
		found = append(found, name)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestNames(t *testing.T) {
	t.Parallel()
	got := names(`(sum by (job, le) (rate(a_total{x="b(c)"}[5m])) or c:d:e5m * 0) / on (job) group_left () f offset 1h > 2e3 and count(g{h!="}"})`)
	if want := []string{"a_total", "c:d:e5m", "f", "g"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPromtoolAcceptsEverything lets promtool parse rules, configuration, and the dashboards' queries as rules.
func TestPromtoolAcceptsEverything(t *testing.T) {
	t.Parallel()
	type planted struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var queries []planted
	for _, d := range board.All() {
		for i, expr := range d.Expressions() {
			queries = append(queries, planted{fmt.Sprintf("dashboard:%s:%d", d.Name, i), concrete(expr)})
		}
	}
	content, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboards", "rules": queries}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dashboards.yaml")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool := promtool(t)
	for _, args := range [][]string{
		{"check", "config", filepath.Join(root, "observability", "prometheus.yaml")},
		{"check", "rules", file},
	} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestEveryAlertIsUseful checks that a person who is woken up knows what and where.
func TestEveryAlertIsUseful(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, page := range pages {
		left[filepath.Base(page)] = true
	}
	for _, r := range rules(t, "alerts.yaml") {
		if !slices.Contains([]string{"page", "ticket", "none"}, r.Labels["severity"]) || !slices.Contains([]string{"platform", "shop", "security"}, r.Labels["team"]) {
			t.Errorf("%s has the severity %q and the team %q", r.Alert, r.Labels["severity"], r.Labels["team"])
		}
		for _, name := range []string{"summary", "description"} {
			if r.Annotations[name] == "" {
				t.Errorf("%s has no %s", r.Alert, name)
			}
		}
		page := r.Alert + ".md"
		if want := "https://github.com/tienda-dev/tienda/blob/main/docs/runbooks/" + page; r.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook_url is %s, want %s", r.Alert, r.Annotations["runbook_url"], want)
		}
		if !left[page] {
			t.Errorf("%s has no docs/runbooks/%s", r.Alert, page)
			continue
		}
		delete(left, page)
		for _, section := range []string{"# " + r.Alert + "\n", "\n## What it means\n", "\n## Look at\n", "\n## Do\n"} {
			if !strings.Contains(read(t, "docs/runbooks/"+page), section) {
				t.Errorf("docs/runbooks/%s has no %q", page, strings.TrimSpace(section))
			}
		}
	}
	delete(left, ofCloudWatch)
	for page := range left {
		t.Errorf("docs/runbooks/%s has no alert", page)
	}
}

func TestDashboardsAreGenerated(t *testing.T) {
	t.Parallel()
	files, err := board.Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if got := read(t, "observability/grafana/dashboards/"+name); !bytes.Equal([]byte(got), want) {
			t.Errorf("observability/grafana/dashboards/%s is not what the code writes: run `make generate`", name)
		}
	}
	there, err := filepath.Glob(filepath.Join(root, "observability", "grafana", "dashboards", "*"))
	if err != nil || len(there) != len(files) {
		t.Errorf("the folder has %d files, want %d (%v)", len(there), len(files), err)
	}
}

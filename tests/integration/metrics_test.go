//go:build integration && linux

package integration_test

import (
	"crypto/rand"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tests/exposition"
	"github.com/tienda-dev/tienda/tests/suite"
)

// shown is what GET /metrics shows.
type shown exposition.Families

// scrape reads GET /metrics in a format.
func scrape(t *testing.T, s *stack.Stack, format string) (string, shown) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", format)
	to := target(t, s)
	response, err := to.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || response.StatusCode != http.StatusOK || !strings.HasPrefix(format, kind) {
		t.Fatalf("got %d %s, %v, want %s", response.StatusCode, kind, err, format)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	families, err := exposition.Parse(format, string(body))
	if err != nil {
		t.Fatal(err)
	}
	return string(body), shown(families)
}

// sum adds up the series of a family by the values of some labels. That of a histogram is how many values it has.
func (s shown) sum(family string, by ...string) map[string]float64 {
	sums := map[string]float64{}
	for _, m := range s[family].GetMetric() {
		values := []string{}
		for _, name := range by {
			values = append(values, labels(m)[name])
		}
		sums[strings.Join(values, " ")] += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	return sums
}

func labels(m *dto.Metric) map[string]string {
	all := map[string]string{}
	for _, l := range m.GetLabel() {
		all[l.GetName()] = l.GetValue()
	}
	return all
}

// onlyUserWrites makes a stack whose one limit that refuses is that of the writes of users.
func onlyUserWrites(o *stack.Options) {
	var others []string
	for _, class := range policy.Classes() {
		for _, counter := range class.Counters() {
			for _, p := range counter.Policies {
				if class.Rate != policy.RateUserWrite {
					others = append(others, p.Name)
				}
			}
		}
	}
	o.Parameters = map[string]string{"RateLimitsShadow": strings.Join(others, ",")}
}

// TestMetricsShowWhatHappened runs the flows of a shop, and looks for each of them in GET /metrics.
func TestMetricsShowWhatHappened(t *testing.T) {
	s := start(t, onlyUserWrites)
	c := from(t, s, "127.6.1.1")
	f := flows{T: t, c: c}
	f.customers()
	f.catalogue()
	f.limits()
	f.probes()

	// Telemetry follows the answers.
	want := f.want()
	var all shown
	for range 600 {
		_, all = scrape(t, s, exposition.Text)
		if cmp.Equal(want, business(all)) && len(all.sum("health_check_status_ratio")) > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if diff := cmp.Diff(want, business(all)); diff != "" {
		t.Errorf("business (-want +got):\n%s", diff)
	}

	t.Run("HTTP", func(t *testing.T) { t.Parallel(); wantHTTP(t, all) })
	t.Run("Groups", func(t *testing.T) { t.Parallel(); wantGroups(t, all) })
	t.Run("Labels", func(t *testing.T) { t.Parallel(); wantNoUserData(t, all, f.secrets) })
	t.Run("Formats", func(t *testing.T) { t.Parallel(); wantFormats(t, s) })
}

// business returns what is known of each business instrument.
func business(all shown) map[string]map[string]float64 {
	return map[string]map[string]float64{
		"products":      all.sum("shop_product_changes_total", "shop_change"),
		"customers":     all.sum("shop_customer_changes_total", "shop_change"),
		"registrations": all.sum("shop_user_registered_total"),
		"logins":        all.sum("shop_user_logins_total", "shop_result"),
		"searches":      all.sum("shop_search_duration_seconds", "shop_result"),
		"views":         all.sum("shop_product_views_total"),
		"stock":         all.sum("shop_inventory_adjusted_total", "shop_inventory_direction"),
		"out of stock":  all.sum("shop_inventory_out_of_stock_total"),
		"tokens":        all.sum("auth_token_issued_total", "auth_method"),
		"revocations":   all.sum("auth_token_revoked_total", "auth_reason"),
		"answers":       chosen(all.sum("http_server_request_duration_seconds", "http_route", "http_response_status_code"), answers()),
		"denials": chosen(all.sum("ratelimit_decisions_total", "ratelimit_policy", "ratelimit_decision"), map[string]float64{
			"user-write deny": 0,
		}),
	}
}

// answers are some of the flows' answers, by route and status.
func answers() map[string]float64 {
	return map[string]float64{
		"/v1/auth/register 201": 2, "/v1/auth/login 200": 2, "/v1/auth/login 401": 1,
		"/v1/products/{id} 200": 4, "/v1/products/{id} 404": unknownPaths,
	}
}

// chosen returns the sums that have a key of keys.
func chosen(sums, keys map[string]float64) map[string]float64 {
	some := map[string]float64{}
	for key, n := range sums {
		if _, ok := keys[key]; ok {
			some[key] = n
		}
	}
	return some
}

// unknownPaths is how many paths the flows invent.
const unknownPaths = 20

// flows are the requests of the test.
type flows struct {
	*testing.T

	c       *suite.Caller
	secrets []string // what no label may have
}

// do sends a request, and ends the test if the answer has another status.
func (f *flows) do(status int, r suite.Request) suite.Answer {
	f.Helper()
	a := f.c.Do(f, r)
	if a.Status != status {
		f.Fatalf("%s %s: got %d %s, want %d", r.Method, r.Path, a.Status, a.Body, status)
	}
	return a
}

// want is what the flows do to the business.
func (f *flows) want() map[string]map[string]float64 {
	return map[string]map[string]float64{
		"products":      {"created": 2, "updated": 1, "archived": 1},
		"customers":     {"created": 2, "updated": 1},
		"registrations": {"": 2},
		"logins":        {"success": 2, "failure": 1},
		"searches":      {"found": 1, "empty": 1},
		"views":         {"": 3},
		"stock":         {"in": 7, "out": 3},
		"out of stock":  {"": 1},
		"tokens":        {"password": 2, "refresh": 1},
		"revocations":   {"logout": 1},
		"answers":       answers(),
		"denials":       {"user-write deny": 1},
	}
}

// customers registers two people, logs them in, changes a profile, and logs one out.
func (f *flows) customers() {
	first, second := f.c.Register(f), f.c.Register(f)
	pair := f.c.Login(f, first)
	f.c.Login(f, second)
	f.secrets = append(f.secrets, first.ID, second.ID, first.Email, first.Name, first.Password(), pair.Access, pair.Refresh)

	wrong := suite.Document{"email": first.Email, "password": "not " + first.Password()}
	f.do(http.StatusUnauthorized, suite.Request{Method: http.MethodPost, Path: "/v1/auth/login", Body: wrong.String()})
	f.do(http.StatusOK, suite.Request{
		Method: http.MethodPost, Path: "/v1/auth/refresh", Body: suite.Document{"refresh_token": pair.Refresh}.String(),
	})

	profile := suite.Request{Method: http.MethodGet, Path: "/v1/customers/me", Token: pair.Access}
	tag := f.do(http.StatusOK, profile).Header.Get("ETag")
	f.do(http.StatusOK, suite.Request{
		Method: http.MethodPatch, Path: profile.Path, Token: pair.Access, Header: map[string]string{"If-Match": tag}, Body: `{"name":"Canary Name"}`,
	})
	f.secrets = append(f.secrets, "Canary Name")

	f.do(http.StatusNoContent, suite.Request{Method: http.MethodPost, Path: "/v1/auth/logout", Token: pair.Access})
	for range 2 { // the second time the authorizer remembers it
		f.do(http.StatusUnauthorized, profile)
	}
}

// catalogue makes, reads, changes and archives products, and moves stock.
func (f *flows) catalogue() {
	word := strings.ToLower(rand.Text())
	p := f.c.Create(f, suite.NewProduct().With(suite.Document{"name": "Tea " + word}))
	other := f.c.Create(f, suite.NewProduct())
	f.secrets = append(f.secrets, p.ID, p.SKU, p.Name, word)
	for range 3 {
		f.do(http.StatusOK, suite.Request{Method: http.MethodGet, Path: "/v1/products/" + p.ID})
	}
	f.c.List(f, "category", p.Category)
	f.do(http.StatusOK, suite.Request{Method: http.MethodGet, Path: "/v1/products/search?q=" + word})
	f.do(http.StatusOK, suite.Request{Method: http.MethodGet, Path: "/v1/products/search?q=no" + word})

	f.c.Move(f, p, 7)
	f.c.Move(f, p, -3)
	f.do(http.StatusConflict, f.c.Adjusting(f, p, rand.Text(), suite.Movement(-5)))

	f.do(http.StatusOK, f.c.Patching(f, p, `{"name":"Greener tea"}`))
	f.do(http.StatusNoContent, suite.Request{Method: http.MethodDelete, Path: "/v1/products/" + other.ID, Token: f.c.As(f, policy.RoleCatalog)})
	f.do(http.StatusConflict, f.c.Creation(f, suite.NewProduct().With(suite.Document{"sku": p.SKU}).String()))
}

// limits sends writes of one user until one is denied.
func (f *flows) limits() {
	write := refusals(f.T, "metrics-denied")["UserWrite"].request
	f.secrets = append(f.secrets, "metrics-denied", write.Token, "127.6.1.1")
	for range 1000 {
		if f.c.Do(f, write).Status == http.StatusTooManyRequests {
			return
		}
	}
	f.Fatal("1000 writes, and none was denied")
}

// probes asks for the health of the API and for paths that do not exist.
func (f *flows) probes() {
	for _, path := range []string{"/health", "/health/live", "/health/ready"} {
		for range 2 { // the second time the report is kept
			f.do(http.StatusOK, suite.Request{Method: http.MethodGet, Path: path})
		}
	}
	for range unknownPaths {
		path := rand.Text()
		f.secrets = append(f.secrets, path)
		f.do(http.StatusNotFound, suite.Request{Method: http.MethodGet, Path: "/" + path})
		f.do(http.StatusNotFound, suite.Request{Method: http.MethodGet, Path: "/v1/products/" + path})
	}
}

// wantHTTP reports fewer than 15 series of HTTP with labels, and a route that is not one of the API.
func wantHTTP(t *testing.T, all shown) {
	t.Helper()
	series := 0
	for name, family := range all {
		if !strings.HasPrefix(name, "http_server_") || name == "http_server_active_requests" {
			continue
		}
		for _, m := range family.GetMetric() {
			series++
			got := labels(m)
			for _, label := range []string{"http_request_method", "http_route", "http_response_status_code", "url_scheme", "job", "faas_name"} {
				if got[label] == "" {
					t.Errorf("%s has no %s: %v", name, label, got)
				}
			}
			if status, err := strconv.Atoi(got["http_response_status_code"]); err != nil || (status >= 500) != (got["error_type"] != "") {
				t.Errorf("%s has the status %q and the error %q", name, got["http_response_status_code"], got["error_type"])
			}
		}
	}
	if series < 15 {
		t.Errorf("%d series, want 15 or more", series)
	}
	if len(all.sum("http_server_active_requests", "http_request_method", "url_scheme")) == 0 {
		t.Error("no http_server_active_requests")
	}
}

// wantGroups reports an instrument whose event happened and that has no series, by group.
func wantGroups(t *testing.T, all shown) {
	t.Helper()
	for family, wants := range map[string]map[string][]string{
		// Database.
		"db_client_operation_duration_seconds":          {"db_operation_name": {"GetItem", "PutItem", "Query", "TransactWriteItems"}, "db_system_name": {"aws.dynamodb"}},
		"db_client_response_returned_rows":              {"db_operation_name": {"Query"}},
		"aws_dynamodb_consumed_capacity_total":          {"db_operation_name": {"GetItem", "Query"}},
		"aws_dynamodb_conditional_check_failures_total": {"db_operation_name": {"TransactWriteItems"}},
		// Caches.
		"cache_requests_total": {
			"cache_name":   {"revocations", "health_report", "token_keys_secret", "denials.user-write"},
			"cache_result": {"hit", "miss"},
		},
		"cache_entries":               {"cache_name": {"revocations", "health_report", "token_keys_secret", "denials.user-write"}},
		"cache_load_duration_seconds": {"cache_name": {"revocations", "health_report", "denials.user-write"}},
		"cache_evictions_total":       {"cache_name": {"revocations", "health_report", "token_keys_secret", "denials.user-write"}},
		// Authentication.
		"auth_attempts_total":                    {"auth_result": {"success", "failure"}, "auth_reason": {"credentials"}},
		"auth_token_validation_duration_seconds": {"auth_method": {"bearer"}},
		"auth_blacklist_lookup_duration_seconds": {"auth_result": {"valid", "revoked"}},
		"auth_authorizer_decisions_total":        {"auth_result": {"ok", "token_revoked"}},
		// Rate limits, those that count in memory too.
		"ratelimit_decisions_total":        {"ratelimit_policy": {"user-write", "public-read", "meta"}, "ratelimit_decision": {"allow", "deny"}},
		"ratelimit_check_duration_seconds": {"ratelimit_policy": {"user-write", "public-read", "meta"}},
		// Health.
		"health_check_status_ratio":     {"health_check_name": {"commerce_table"}},
		"health_check_duration_seconds": {"health_check_name": {"commerce_table"}},
		// Lambda: the routes and the authorizer.
		"faas_coldstarts_total":        {"faas_trigger": {"http", "other"}},
		"faas_invocations_total":       {"faas_trigger": {"http", "other"}},
		"faas_invoke_duration_seconds": {"faas_trigger": {"http", "other"}},
		"faas_init_duration_seconds":   {"faas_trigger": {"http", "other"}},
		"faas_mem_usage_bytes":         {"faas_trigger": {"http", "other"}},
		"faas_cpu_usage_seconds":       {"faas_trigger": {"http", "other"}},
		// Telemetry about itself.
		"telemetry_flush_duration_seconds": {"telemetry_flush_mode": {"post_response"}},
	} {
		for label, values := range wants {
			got := all.sum(family, label)
			for _, value := range values {
				if _, ok := got[value]; !ok {
					t.Errorf("%s has no %s=%q: %v", family, label, value, got)
				}
			}
		}
	}
	for check, status := range all.sum("health_check_status_ratio", "health_check_name") {
		if status < 1 {
			t.Errorf("the health check %s is %v", check, status)
		}
	}
}

// wantNoUserData reports a label with what a client has sent.
func wantNoUserData(t *testing.T, all shown, secrets []string) {
	t.Helper()
	for name, family := range all {
		for _, m := range family.GetMetric() {
			for label, value := range labels(m) {
				for _, secret := range secrets {
					if strings.Contains(strings.ToLower(value), strings.ToLower(secret)) {
						t.Errorf("%s has %s=%q", name, label, value)
					}
				}
			}
		}
	}
}

// wantFormats reads both formats, and compares their series. It also asks promlint.
func wantFormats(t *testing.T, s *stack.Stack) {
	t.Helper()
	text, asText := scrape(t, s, exposition.Text)
	openMetrics, asOpenMetrics := scrape(t, s, exposition.OpenMetrics)
	if !strings.Contains(openMetrics, `trace_id="`) {
		t.Error("OpenMetrics without exemplars")
	}
	if diff := cmp.Diff(asText, asOpenMetrics, protocmp.Transform()); diff != "" {
		t.Errorf("families (-text +OpenMetrics):\n%s", diff)
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
}

//go:build observability

package observability_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/observe"
)

// alertmanager receives alerts as Alertmanager does.
type alertmanager struct {
	mu     sync.Mutex
	labels []map[string]string
}

func (a *alertmanager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var alerts []struct{ Labels map[string]string }
	if r.URL.Path != "/api/v2/alerts" || json.NewDecoder(r.Body).Decode(&alerts) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, alert := range alerts {
		a.labels = append(a.labels, alert.Labels)
	}
}

func (a *alertmanager) has(name, severity string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, labels := range a.labels {
		if labels["alertname"] == name && labels["severity"] == severity && labels["team"] != "" {
			return nil
		}
	}
	return fmt.Errorf("%s does not arrive, only %v", name, a.labels)
}

// TestAlertsReachTheAlertmanagers has one in the file that observability/prometheus.yaml names.
func TestAlertsReachTheAlertmanagers(t *testing.T) {
	t.Parallel()
	received := &alertmanager{}
	server := httptest.NewServer(received)
	t.Cleanup(server.Close)
	folder := t.TempDir()
	targets := "- targets: ['" + strings.TrimPrefix(server.URL, "http://") + "']\n"
	if err := os.WriteFile(filepath.Join(folder, "alertmanagers.yaml"), []byte(targets), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, observe.Options{Folder: folder, ScrapeInterval: time.Second})
	// What fires before Prometheus has read the file is sent again after a minute.
	within(t, time.Minute+watchdog, func() error { return received.has("DeadMansSwitch", "none") })
}

// TestEverySeverityHasAReceiver holds the severities of alerts.yaml against the routes of Alertmanager, here and on
// AWS.
func TestEverySeverityHasAReceiver(t *testing.T) {
	t.Parallel()
	fargate := read(t, "observability/fargate/template.yaml")
	_, definition, found := strings.Cut(fargate, "        alertmanager_config: |\n")
	definition, _, _ = strings.Cut(definition, "\n\n")
	if !found {
		t.Fatal("the workspace of observability/fargate/template.yaml has no Alertmanager")
	}
	for name, text := range map[string]string{"alertmanager.yaml": read(t, "observability/alertmanager.yaml"), "fargate/template.yaml": definition} {
		var config struct {
			Route struct {
				Receiver string
				Routes   []struct {
					Receiver string
					Matchers []string
				}
			}
			Receivers []struct{ Name string }
		}
		if err := yaml.Unmarshal([]byte(text), &config); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		receivers := map[string]bool{}
		for _, r := range config.Receivers {
			receivers[r.Name] = true
		}
		routes := map[string]string{"": config.Route.Receiver}
		for _, r := range config.Route.Routes {
			routes[strings.Join(r.Matchers, ",")] = r.Receiver
		}
		for matcher, want := range map[string]string{"": "tickets", "severity = page": "pages", "alertname = DeadMansSwitch": "heartbeat"} {
			if routes[matcher] != want || !receivers[want] {
				t.Errorf("%s: %q goes to %q of %v, want %s", name, matcher, routes[matcher], receivers, want)
			}
		}
	}
	for _, r := range rules(t, "alerts.yaml") {
		if s := r.Labels["severity"]; s != "page" && s != "ticket" && (s != "none" || r.Alert != "DeadMansSwitch") {
			t.Errorf("%s has the severity %q, for which no route is written", r.Alert, s)
		}
	}
}

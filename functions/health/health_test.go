package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/health"
	"github.com/tienda-dev/tienda/shared/api"
)

type table struct{ err error }

func (t table) Warm(context.Context) error { return t.err }

func TestProbes(t *testing.T) {
	t.Parallel()
	broken := table{errors.New("private cause")}
	up, noCommerce, noAuth := health.Tables{Commerce: table{}, Auth: table{}}, health.Tables{Commerce: broken, Auth: table{}}, health.Tables{Commerce: table{}, Auth: broken}
	tables := []string{"commerce_table", "auth_table"}
	for name, tc := range map[string]struct {
		build  func() (api.Handler, error)
		status int
		want   string
		checks []string
	}{
		"HealthUp":          {func() (api.Handler, error) { return health.GetHealth(up, time.Now) }, 200, "UP", append(tables, "tmp")},
		"HealthWithoutData": {func() (api.Handler, error) { return health.GetHealth(noCommerce, time.Now) }, 503, "DOWN", append(tables, "tmp")},
		"HealthWithoutAuth": {func() (api.Handler, error) { return health.GetHealth(noAuth, time.Now) }, 503, "DOWN", append(tables, "tmp")},
		"ReadyUp":           {func() (api.Handler, error) { return health.GetReadiness(up, time.Now) }, 200, "UP", tables},
		"ReadyWithoutData":  {func() (api.Handler, error) { return health.GetReadiness(noCommerce, time.Now) }, 503, "DOWN", tables},
		"ReadyWithoutAuth":  {func() (api.Handler, error) { return health.GetReadiness(noAuth, time.Now) }, 503, "DOWN", tables},
		"LiveAsksNone":      {func() (api.Handler, error) { return health.GetLiveness(time.Now) }, 200, "UP", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := tc.build()
			if err != nil {
				t.Fatal(err)
			}
			rec := httptest.NewRecorder()
			if err := h(rec, httptest.NewRequest(http.MethodGet, "/", nil)); err != nil {
				t.Fatal(err)
			}
			var got struct {
				Status, Timestamp string
				Checks            map[string]struct{ Status string }
			}
			if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if rec.Code != tc.status || got.Status != tc.want || len(got.Checks) != len(tc.checks) {
				t.Errorf("got %d %s, want %d %s with %v", rec.Code, rec.Body, tc.status, tc.want, tc.checks)
			}
			for _, check := range tc.checks {
				if got.Checks[check].Status == "" {
					t.Errorf("no check %s: %s", check, rec.Body)
				}
			}
			if _, err := time.Parse("2006-01-02T15:04:05.000Z", got.Timestamp); err != nil || strings.Contains(rec.Body.String(), "private") {
				t.Errorf("timestamp or privacy: %s", rec.Body)
			}
		})
	}
}

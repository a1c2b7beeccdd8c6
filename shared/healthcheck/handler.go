package healthcheck

import (
	"encoding/json"
	"net/http"
)

// Handler answers with the report as JSON: 200 when UP or DEGRADED, 503 when DOWN. The answer is
// never stored by caches. Its type is that of an api.Handler.
func (c *Checker) Handler() func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		report, err := c.Report(r.Context())
		if err != nil {
			return err
		}
		body, err := json.Marshal(report)
		if err != nil {
			return err
		}

		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(report.Status.code())
		_, _ = w.Write(body) // fails if the client has gone
		return nil
	}
}

func (s Status) code() int {
	if s == Down {
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

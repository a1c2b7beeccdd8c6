package limits

import (
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

type limitsResponse struct {
	Class string `json:"class"`
	// By is the query's parameter. The answer does not repeat its value.
	By string `json:"by"`
	// Allowed is whether one more request would be admitted by these limits.
	Allowed bool            `json:"allowed"`
	Limits  []limitResponse `json:"limits"`
}

type limitResponse struct {
	Policy            string `json:"policy"`
	Algorithm         string `json:"algorithm"`
	Limit             int64  `json:"limit"`
	WindowSeconds     int64  `json:"window_seconds"`
	Burst             int64  `json:"burst"`
	Shadow            bool   `json:"shadow"`
	Allowed           bool   `json:"allowed"`
	Remaining         int64  `json:"remaining"`
	RetryAfterSeconds int64  `json:"retry_after_seconds"`
}

// GetLimits answers 200 with the limits of a class that count the subject, and what is left of them. Limits that the
// operator has switched off are left out. 404 for an unknown class or user, 400 for a query that does not name exactly one
// subject.
func GetLimits(limits *Service) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		target, err := limits.target(r)
		if err != nil {
			return err
		}

		decisions, err := target.look(r.Context())
		if err != nil {
			return err
		}

		out := limitsResponse{Class: string(target.class), By: string(target.by), Allowed: true, Limits: []limitResponse{}}
		for _, d := range decisions {
			out.Allowed = out.Allowed && d.Allowed
			for _, result := range d.Results {
				out.Limits = append(out.Limits, newLimitResponse(result))
			}
		}
		return api.Write(w, http.StatusOK, out)
	}
}

func newLimitResponse(r ratelimit.Result) limitResponse {
	p := r.Policy
	return limitResponse{
		Policy: p.Name, Algorithm: p.Algorithm.String(), Limit: p.Limit, WindowSeconds: int64(p.Window / time.Second), Burst: p.Capacity(),
		Shadow: p.Shadow, Allowed: r.Allowed, Remaining: r.Remaining, RetryAfterSeconds: int64((r.RetryAfter + time.Second - 1) / time.Second),
	}
}

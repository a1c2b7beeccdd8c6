package limits

import (
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

// ResetLimits gives the subject its full limits back in a class and answers 204, also if nothing was counted. Instances
// that remember a denial see it when that ends, within seconds. 404 and 400 as GetLimits.
func ResetLimits(limits *Service) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		target, err := limits.target(r)
		if err != nil {
			return err
		}

		if err := target.reset(r.Context()); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

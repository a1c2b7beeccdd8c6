package pricing

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

type rulesGetter interface {
	Rules(ctx context.Context) (Rules, error)
}

// GetPricingRules answers 200 with the rules and their ETag, which is "0" before the first change.
func GetPricingRules(rules rulesGetter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		stored, err := rules.Rules(r.Context())
		if err != nil {
			return err
		}
		return writeRules(w, stored)
	}
}

func writeRules(w http.ResponseWriter, rules Rules) error {
	w.Header().Set(headerETag, api.ETag(rules.Version))
	return api.Write(w, http.StatusOK, rules)
}

package fallback_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tienda-dev/tienda/functions/fallback"
	"github.com/tienda-dev/tienda/shared/problem"
)

func TestNotFound(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost, "PROPFIND"} {
		rec := httptest.NewRecorder()
		err := fallback.NotFound()(rec, httptest.NewRequest(method, "/v1/nothing", nil))
		if e, ok := problem.As(err); !ok || e.Kind != problem.NotFound || e.Code != "route_not_found" {
			t.Errorf("%s: got %v, want route_not_found", method, err)
		}
	}
}

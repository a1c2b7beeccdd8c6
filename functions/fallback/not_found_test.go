package fallback_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
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

func TestRootNamesTheDocumentation(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int{http.MethodGet: http.StatusOK, http.MethodHead: http.StatusOK, http.MethodPost: 0} {
		rec := httptest.NewRecorder()
		err := fallback.NotFound()(rec, httptest.NewRequest(method, "/", nil))
		if want == 0 {
			if e, ok := problem.As(err); !ok || e.Code != "route_not_found" {
				t.Errorf("%s: got %v, want route_not_found", method, err)
			}
			continue
		}
		if err != nil || rec.Code != want || !strings.Contains(rec.Body.String(), fallback.Documentation) {
			t.Errorf("%s: got %v, %d %s", method, err, rec.Code, rec.Body)
		}
		if link := rec.Header().Get("Link"); link != "<"+fallback.Documentation+`>; rel="service-doc"` {
			t.Errorf("%s: got the link %q", method, link)
		}
	}
}

package problem_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/problem"
)

func TestMembers(t *testing.T) {
	t.Parallel()
	plain := problem.New(problem.Conflict, "price_changed", "The total has changed.")
	one := plain.WithMember("total", map[string]any{"amount_minor": 1250, "currency": "EUR"})
	two := one.WithMember("attempts", 3)
	document := map[string]any{"title": "Conflict", "status": 409.0, "code": "price_changed", "detail": "The total has changed."}
	total := map[string]any{"amount_minor": 1250.0, "currency": "EUR"}
	for name, tc := range map[string]struct {
		err  *problem.Error
		more map[string]any
	}{
		"None":        {plain, map[string]any{}},
		"One":         {one, map[string]any{"total": total}},
		"Two":         {two, map[string]any{"total": total, "attempts": 3.0}},
		"BeforeCause": {two.WithCause(errors.New("cause")), map[string]any{"total": total, "attempts": 3.0}},
	} {
		want := map[string]any{}
		for _, members := range []map[string]any{document, tc.more} {
			maps.Copy(want, members)
		}
		rec := httptest.NewRecorder()
		problem.Write(rec, httptest.NewRequest(http.MethodPost, "/", nil), tc.err)
		var got map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %s: %v", name, rec.Body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestMemberThatHasNoJSON(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	problem.Write(rec, httptest.NewRequest(http.MethodPost, "/", nil), problem.New(problem.Conflict, "c", "d").WithMember("f", func() {}))
	if rec.Code != http.StatusInternalServerError || rec.Body.Len() != 0 {
		t.Errorf("got %d %s, want 500 without a body", rec.Code, rec.Body)
	}
}

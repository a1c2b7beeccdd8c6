package problem_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tienda-dev/tienda/shared/problem"
)

func TestOAuthError(t *testing.T) {
	t.Parallel()
	denied := problem.New(problem.Unauthorized, "invalid_credentials", "Wrong.").WithOAuth(problem.OAuthInvalidGrant)
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"BadRequest":      {problem.New(problem.BadRequest, "malformed_json", "Not JSON."), "invalid_request"},
		"Fields":          {problem.Fields(problem.FieldError{Pointer: "/token", Detail: "is required"}), "invalid_request"},
		"TooLarge":        {problem.New(problem.TooLarge, "body_too_large", "Too large."), "invalid_request"},
		"Unauthorized":    {problem.New(problem.Unauthorized, "missing_token", "No token."), "invalid_client"},
		"Named":           {denied.WithCause(errors.New("cause")), "invalid_grant"},
		"Forbidden":       {problem.New(problem.Forbidden, "forbidden", "Not allowed."), "unauthorized_client"},
		"TooManyRequests": {problem.New(problem.TooManyRequests, "too_many_attempts", "Wait."), "temporarily_unavailable"},
		"Unavailable":     {problem.New(problem.Unavailable, "unavailable", "Wait."), "temporarily_unavailable"},
		"Deadline":        {context.DeadlineExceeded, "temporarily_unavailable"},
		"Unmapped":        {errors.New("boom"), "server_error"},
	} {
		for _, oauth := range []bool{true, false} {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			want := any(nil)
			if oauth {
				r, want = r.WithContext(problem.ForOAuth(r.Context())), tc.want
			}
			rec := httptest.NewRecorder()
			problem.Write(rec, r, tc.err)
			var got map[string]any
			if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if got["error"] != want || got["code"] == nil {
				t.Errorf("%s, OAuth %t: got %s, want error %v", name, oauth, rec.Body, want)
			}
		}
	}
}

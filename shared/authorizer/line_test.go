package authorizer_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/authorizer"
	"github.com/tienda-dev/tienda/shared/logging"
)

func TestLogLineHasDecisionAndKey(t *testing.T) {
	t.Parallel()
	v, minted := verifier(t)
	a := newAuthorizer(t, v, authorizer.Config{})
	for name, tt := range map[string]struct {
		header string
		want   map[string]string
	}{
		"Good":      {"Bearer " + minted, map[string]string{"auth": "ok", "kid": "a"}},
		"Bad":       {"Bearer " + minted + "x", map[string]string{"auth": "invalid_token"}},
		"Malformed": {"", map[string]string{"auth": "invalid_request"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var entry logging.Entry
			if _, err := a.Authorize(logging.WithEntry(t.Context(), &entry), request(tt.header)); err != nil {
				t.Fatal(err)
			}
			fields, err := entry.Snapshot()
			got := map[string]string{}
			for _, f := range fields {
				got[f.Key] = f.String
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("the line has (-want +got):\n%s%v", diff, err)
			}
		})
	}
}

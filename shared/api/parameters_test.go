package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/api"
)

func TestParameters(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		raw  string
		want url.Values
	}{
		"None":             {"", url.Values{}},
		"Decoded":          {"q=a%20b+c&limit=2", url.Values{"q": {"a b c"}, "limit": {"2"}}},
		"EncodedName":      {"%71=a", url.Values{"q": {"a"}}},
		"Semicolon":        {"q=a;limit=2&limit=3", url.Values{"q": {"a;limit=2"}, "limit": {"3"}}},
		"EncodedSemicolon": {"q=%3B", url.Values{"q": {";"}}},
		"Equals":           {"q=a=b", url.Values{"q": {"a=b"}}},
		"Twice":            {"q=a&q=b", url.Values{"q": {"a", "b"}}},
		"NoValue":          {"q&limit=", url.Values{"q": {""}, "limit": {""}}},
		"UnknownTwice":     {"utm=1&utm=2&q=a", url.Values{"q": {"a"}}},
		"UnknownBroken":    {"utm=100%&%zz=1&q=a", url.Values{"q": {"a"}}},
		"LetterCase":       {"Q=a", url.Values{}},
		"NoNames":          {"&&=x&", url.Values{}},
	} {
		got, broken := api.Parameters(tc.raw, "q", "limit")
		if diff := cmp.Diff(tc.want, got); broken != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, broken, diff)
		}
	}
	if _, broken := api.Parameters("q=secret%zz", "q"); broken == nil || broken.Pointer != "q" || strings.Contains(broken.Detail, "secret") {
		t.Errorf("broken percent-encoding: got %+v, want q without its value", broken)
	}
}

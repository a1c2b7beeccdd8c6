package idempotency_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/problem"
)

func TestParseKey(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", idempotency.MaxKey)
	for name, tc := range map[string]struct {
		values []string
		want   string
		bad    bool
	}{
		"None":           {nil, "", false},
		"Bare":           {[]string{"8e03978e-40d5-43dd-bc93-6894a57f9324"}, "8e03978e-40d5-43dd-bc93-6894a57f9324", false},
		"Quoted":         {[]string{`"k1"`}, "k1", false},
		"EverySign":      {[]string{"!#$%&'()*+-./09:;<=>?@AZ[\\]^_`az{|}~"}, "!#$%&'()*+-./09:;<=>?@AZ[\\]^_`az{|}~", false},
		"Longest":        {[]string{long}, long, false},
		"LongestQuoted":  {[]string{`"` + long + `"`}, long, false},
		"TooLong":        {[]string{long + "k"}, "", true},
		"Empty":          {[]string{""}, "", true},
		"EmptyQuoted":    {[]string{`""`}, "", true},
		"OneQuote":       {[]string{`"`}, "", true},
		"HalfQuoted":     {[]string{`"k`}, "", true},
		"QuoteInside":    {[]string{`k"k`}, "", true},
		"Space":          {[]string{"k k"}, "", true},
		"Comma":          {[]string{"k,k"}, "", true}, // two headers, joined by the gateway
		"Twice":          {[]string{"k", "k"}, "", true},
		"NotASCII":       {[]string{"schlüssel"}, "", true},
		"ControlLetters": {[]string{"k\x7f"}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header[idempotency.HeaderKey] = tc.values
			got, err := idempotency.ParseKey(r)
			if got != tc.want || tc.bad == (err == nil) {
				t.Errorf("got %q, %v", got, err)
			}
			if p, ok := errors.AsType[*problem.Error](err); tc.bad && (!ok || p.Code != "invalid_parameter" || p.Errors[0].Pointer != idempotency.HeaderKey) {
				t.Errorf("got %v, want a problem that names the header", err)
			}
		})
	}
}

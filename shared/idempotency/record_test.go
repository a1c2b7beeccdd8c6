package idempotency_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/problem"
)

func TestNewAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		header map[string]string
		body   any
		want   idempotency.Answer
		refuse string
	}{
		"OK": {
			status: 201, header: map[string]string{"location": "/x", "ETag": `"1"`}, body: map[string]string{"a": "<b>"},
			want: idempotency.Answer{
				Status: 201, Header: map[string]string{"Location": "/x", "Etag": `"1"`, "Content-Type": "application/json"},
				Body: []byte("{\"a\":\"<b>\"}\n"),
			},
		},
		"OKNoBody":      {status: 204, want: idempotency.Answer{Status: 204, Header: map[string]string{}}},
		"OKConflict":    {status: 409, want: idempotency.Answer{Status: 409, Header: map[string]string{}}},
		"BadRequest":    {status: 400, refuse: "status 400"},
		"Unauthorized":  {status: 401, refuse: "status 401"},
		"Forbidden":     {status: 403, refuse: "status 403"},
		"TooMany":       {status: 429, refuse: "status 429"},
		"Internal":      {status: 500, refuse: "status 500"},
		"Unavailable":   {status: 503, refuse: "status 503"},
		"NotModified":   {status: 304, refuse: "status 304"},
		"Informational": {status: 103, refuse: "status 103"},
		"Cookie":        {status: 200, header: map[string]string{"Set-Cookie": "a=b"}, refuse: "header Set-Cookie"},
		"TooLarge":      {status: 200, body: strings.Repeat("x", idempotency.MaxBody), refuse: "a record takes 65536"},
		"NotJSON":       {status: 200, body: make(chan int), refuse: "encode the answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := idempotency.NewAnswer(tc.status, tc.header, tc.body)
			if tc.refuse != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refuse) {
					t.Errorf("got %v, want an error with %q", err, tc.refuse)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := idempotency.Refusal(t.Context(), problem.New(problem.Unavailable, "unavailable", "")); err == nil {
		t.Error("a 503 is a result that is repeated")
	}
}

func TestBeginRefuses(t *testing.T) {
	t.Parallel()
	ctx := idempotency.WithKey(t.Context(), idempotency.Key{ID: "id", Fingerprint: "f"})
	for name, tc := range map[string]struct {
		lease time.Duration
		point string
	}{
		"NoLease":   {0, ""},
		"LongLease": {idempotency.Lifetime + 1, ""},
		"LongPoint": {time.Second, strings.Repeat("x", idempotency.MaxPoint+1)},
	} {
		if _, err := idempotency.Begin(ctx, start(), tc.lease, tc.point); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if r, err := idempotency.Begin(t.Context(), start(), 0, ""); err != nil || !r.IsZero() {
		t.Errorf("without a key: %+v, %v", r, err)
	}
	if r, err := idempotency.Done(t.Context(), start(), http.StatusCreated, nil, nil); err != nil || !r.IsZero() {
		t.Errorf("without a key: %+v, %v", r, err)
	}
}

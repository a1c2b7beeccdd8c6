package idempotency_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencymem"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
)

// start is the time at which the tests begin.
func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// service is a route with idempotency keys and an effect that is counted.
type service struct {
	t       *testing.T
	store   idempotency.Store
	records *idempotencymem.Store
	route   api.Route
	now     time.Time
	handler api.Handler
	ran     int
}

func newService(t *testing.T) *service {
	t.Helper()
	records := &idempotencymem.Store{}
	s := &service{t: t, store: records, records: records, now: start(), route: api.Route{
		Name: "create-thing", Method: http.MethodPost, Path: "/v1/shelves/{shelf}/things", Auth: api.Required, Rate: api.Unlimited,
		Idempotency: api.KeyRequired, MaxBody: 1 << 10,
	}}
	s.handler = s.create
	return s
}

// create is a handler with a local effect.
func (s *service) create(w http.ResponseWriter, r *http.Request) error {
	s.ran++
	body, err := api.ReadBody(r)
	if err != nil {
		return err
	}
	created := map[string]any{"number": s.ran, "body": string(body)}
	record, err := idempotency.Done(r.Context(), s.now, http.StatusCreated, map[string]string{"Location": "/v1/things/1"}, created)
	if err != nil {
		return err
	}
	if err := s.records.Put(record); err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/things/1")
	return api.Write(w, http.StatusCreated, created)
}

type request struct {
	key, body, target, caller string
}

func (s *service) do(in request) *httptest.ResponseRecorder {
	s.t.Helper()
	caller := identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{Subject: "u1" + in.caller}}
	h, err := middleware.Chain(s.route, middleware.Config{
		Authenticator: func(*http.Request) (identity.Annotation, error) { return caller, nil },
		Idempotency:   idempotency.Middleware(s.store, func() time.Time { return s.now }),
	}, s.handler)
	if err != nil {
		s.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(s.route.Key(), h)
	target := in.target
	if target == "" {
		target = "/v1/shelves/a/things"
	}
	r := httptest.NewRequestWithContext(s.t.Context(), s.route.Method, target, strings.NewReader(in.body))
	if in.key != "" {
		r.Header.Set(idempotency.HeaderKey, in.key)
	}
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, r)
	return rec
}

func (s *service) want(rec *httptest.ResponseRecorder, status int, code string) {
	s.t.Helper()
	if rec.Code != status || !strings.Contains(rec.Body.String(), `"code":"`+code+`"`) || rec.Header().Get(idempotency.HeaderReplayed) != "" {
		s.t.Errorf("got %d %s, want %d %s", rec.Code, rec.Body, status, code)
	}
}

func (s *service) wantRan(want int) {
	s.t.Helper()
	if s.ran != want {
		s.t.Errorf("the handler has run %d times, want %d", s.ran, want)
	}
}

func TestRepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.do(request{key: "k", body: `{"a":1,"b":[true,{"c":"ü","d":null}]}`})
	if first.Code != http.StatusCreated || first.Header().Get(idempotency.HeaderReplayed) != "" {
		t.Fatalf("got %d %s", first.Code, first.Body)
	}
	for name, again := range map[string]request{
		"TheSame":     {key: "k", body: `{"a":1,"b":[true,{"c":"ü","d":null}]}`},
		"QuotedKey":   {key: `"k"`, body: `{"a":1,"b":[true,{"c":"ü","d":null}]}`},
		"OtherOrder":  {key: "k", body: "{\"b\": [true, {\"d\": null, \"c\": \"\\u00fc\"}],\n\"a\": 1}"},
		"WithNoQuery": {key: "k", body: `{"a":1,"b":[true,{"c":"ü","d":null}]}`, target: "/v1/shelves/a/things?"},
	} {
		got := s.do(again)
		if got.Code != first.Code || got.Body.String() != first.Body.String() || got.Header().Get(idempotency.HeaderReplayed) != "true" {
			t.Errorf("%s: got %d %s, want the first answer %s", name, got.Code, got.Body, first.Body)
		}
		for _, header := range []string{"Content-Type", "Location", "Cache-Control"} {
			if got.Header().Get(header) != first.Header().Get(header) {
				t.Errorf("%s: %s: got %q, want %q", name, header, got.Header().Get(header), first.Header().Get(header))
			}
		}
	}
	s.wantRan(1)
}

func TestIDsInLowerCaseAreTheSame(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.do(request{key: "k", target: "/v1/shelves/01JD7Q9W2V5K8N3M6P4R1S0T9X/things"})
	if rec := s.do(request{key: "k", target: "/v1/shelves/01jd7q9w2v5k8n3m6p4r1s0t9x/things"}); rec.Header().Get(idempotency.HeaderReplayed) != "true" {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

func TestAnotherRequestWithTheKeyIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.do(request{key: "k", body: `{"a":[1,2],"b":"x"}`})
	for name, other := range map[string]request{
		"Value":       {body: `{"a":[1,2],"b":"y"}`},
		"Order":       {body: `{"a":[2,1],"b":"x"}`},
		"More":        {body: `{"a":[1,2],"b":"x","c":null}`},
		"Twice":       {body: `{"a":[1,2],"b":"x","b":"x"}`},
		"Type":        {body: `{"a":["1",2],"b":"x"}`},
		"NoBody":      {},
		"NotJSON":     {body: `{"a":[1,2],"b":"x"`},
		"TwoValues":   {body: `{"a":[1,2],"b":"x"}{}`},
		"NotUTF8":     {body: "{\"a\":[1,2],\"b\":\"x\xff\"}"},
		"OtherShelf":  {body: `{"a":[1,2],"b":"x"}`, target: "/v1/shelves/b/things"},
		"OtherQuery":  {body: `{"a":[1,2],"b":"x"}`, target: "/v1/shelves/a/things?dry=1"},
		"BrokenQuery": {body: `{"a":[1,2],"b":"x"}`, target: "/v1/shelves/a/things?a=%zz"},
	} {
		t.Run(name, func(*testing.T) {
			other.key = "k"
			rec := s.do(other)
			s.want(rec, http.StatusUnprocessableEntity, "idempotency_key_reused")
		})
	}
	s.wantRan(1)
}

func TestKeyBelongsToCallerAndRoute(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.do(request{key: "k"})
	if rec := s.do(request{key: "k", caller: "2"}); rec.Code != http.StatusCreated || rec.Header().Get(idempotency.HeaderReplayed) != "" {
		t.Errorf("another caller: got %d %s", rec.Code, rec.Body)
	}
	s.route.Name = "create-other-thing"
	if rec := s.do(request{key: "k"}); rec.Code != http.StatusCreated || rec.Header().Get(idempotency.HeaderReplayed) != "" {
		t.Errorf("another route: got %d %s", rec.Code, rec.Body)
	}
	s.wantRan(3)
}

func TestMissingKey(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.want(s.do(request{}), http.StatusBadRequest, "idempotency_key_required")
	s.want(s.do(request{key: "a,b"}), http.StatusBadRequest, "invalid_parameter")
	s.wantRan(0)
	s.route.Idempotency = api.KeyOptional
	s.want(s.do(request{key: "a,b"}), http.StatusBadRequest, "invalid_parameter")
	for range 2 { // without a key, a repetition is a new request
		if rec := s.do(request{}); rec.Code != http.StatusCreated {
			t.Errorf("got %d %s", rec.Code, rec.Body)
		}
	}
	s.wantRan(2)
}

func TestBodyOverTheLimit(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.want(s.do(request{key: "k", body: strings.Repeat(" ", 1<<10+1)}), http.StatusRequestEntityTooLarge, "body_too_large")
	s.wantRan(0)
}

func TestKeyIsFreeAfterADay(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.do(request{key: "k"})
	s.now = start().Add(idempotency.Lifetime - time.Second)
	if rec := s.do(request{key: "k"}); rec.Header().Get(idempotency.HeaderReplayed) != "true" {
		t.Errorf("a second before: got %d %s", rec.Code, rec.Body)
	}
	s.now = start().Add(idempotency.Lifetime)
	if rec := s.do(request{key: "k", body: `"other"`}); rec.Code != http.StatusCreated || rec.Header().Get(idempotency.HeaderReplayed) != "" {
		t.Errorf("a day later: got %d %s", rec.Code, rec.Body)
	}
	s.wantRan(2)
}

func TestRefusedRequestDoesNotUseItsKey(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.handler = func(http.ResponseWriter, *http.Request) error { return problem.New(problem.Conflict, "sold_out", "") }
	s.want(s.do(request{key: "k"}), http.StatusConflict, "sold_out")
	s.handler = s.create
	if rec := s.do(request{key: "k"}); rec.Code != http.StatusCreated {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

// blind does not find what was stored, like a lookup that ran before another request's write.
type blind struct{}

func (blind) Find(context.Context, string) (idempotency.Record, bool, error) {
	return idempotency.Record{}, false, nil
}

func TestLoserOfARaceGetsTheWinnersAnswer(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.store = blind{}
	first := s.do(request{key: "k", body: `1`})
	again := s.do(request{key: "k", body: `1`})
	if again.Code != first.Code || again.Body.String() != first.Body.String() || again.Header().Get(idempotency.HeaderReplayed) != "true" {
		t.Errorf("got %d %s, want the first answer %s", again.Code, again.Body, first.Body)
	}
	s.want(s.do(request{key: "k", body: `2`}), http.StatusUnprocessableEntity, "idempotency_key_reused")
	s.wantRan(3)
}

// late finds what was stored from the second time on.
type late struct {
	idempotency.Store

	asked int
}

func (l *late) Find(ctx context.Context, id string) (idempotency.Record, bool, error) {
	if l.asked++; l.asked == 1 {
		return idempotency.Record{}, false, nil
	}
	return l.Store.Find(ctx, id)
}

// A handler that checks the state before it writes may see the effect of the same request.
func TestRefusalAfterTheEffectOfARepetitionGetsItsAnswer(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := s.do(request{key: "k"})
	s.store = &late{Store: s.records}
	s.handler = func(http.ResponseWriter, *http.Request) error { return problem.New(problem.Conflict, "exists", "") }
	again := s.do(request{key: "k"})
	if again.Code != first.Code || again.Body.String() != first.Body.String() || again.Header().Get(idempotency.HeaderReplayed) != "true" {
		t.Errorf("got %d %s, want the first answer %s", again.Code, again.Body, first.Body)
	}
	s.store = &late{Store: s.records}
	s.want(s.do(request{key: "k", body: "1"}), http.StatusConflict, "exists")
}

// What a request has begun itself does not hide why it failed.
func TestRefusalOfWhatTheRequestItselfHasBegun(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.handler = func(_ http.ResponseWriter, r *http.Request) error {
		record, err := idempotency.Begin(r.Context(), s.now, time.Minute, "p")
		if err != nil {
			return err
		}
		if err := s.records.Put(record); err != nil {
			return err
		}
		return problem.New(problem.Conflict, "refused", "")
	}
	s.want(s.do(request{key: "k"}), http.StatusConflict, "refused")
	s.want(s.do(request{key: "k"}), http.StatusConflict, "request_in_progress")
}

type failing struct{ err error }

func (f failing) Find(context.Context, string) (idempotency.Record, bool, error) {
	return idempotency.Record{}, false, f.err
}

func TestStoreThatFailsRunsNothing(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.store = failing{problem.New(problem.Unavailable, "unavailable", "")}
	s.want(s.do(request{key: "k"}), http.StatusServiceUnavailable, "unavailable")
	s.store = failing{errors.New("private")}
	s.want(s.do(request{key: "k"}), http.StatusInternalServerError, "internal")
	s.wantRan(0)
}

// An effect elsewhere: a request that is running is refused, and resumed at its point when its lease is over.
func TestRequestInProgress(t *testing.T) {
	t.Parallel()
	const lease = 20 * time.Second
	s := newService(t)
	var points []string
	s.handler = func(_ http.ResponseWriter, r *http.Request) error {
		found, resumed := idempotency.PointFrom(r.Context())
		record, err := idempotency.Begin(r.Context(), s.now, lease, "drawn-"+s.now.Format(time.TimeOnly))
		if err != nil {
			return err
		}
		points = append(points, record.Point)
		if resumed != (found.Point != "") {
			t.Errorf("resumed is %t at %q", resumed, found.Point)
		}
		if err := s.records.Put(record); err != nil {
			return err
		}
		return errors.New("the process ends here")
	}
	if rec := s.do(request{key: "k"}); rec.Code != http.StatusInternalServerError {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
	s.now = start().Add(lease - time.Millisecond)
	rec := s.do(request{key: "k"})
	s.want(rec, http.StatusConflict, "request_in_progress")
	if rec.Header().Get("Retry-After") != "1" {
		t.Errorf("Retry-After: %q", rec.Header().Get("Retry-After"))
	}
	s.want(s.do(request{key: "k", body: "1"}), http.StatusUnprocessableEntity, "idempotency_key_reused")
	s.now = start().Add(lease)
	s.want(s.do(request{key: "k", body: "1"}), http.StatusUnprocessableEntity, "idempotency_key_reused")
	s.do(request{key: "k"})
	if want := "drawn-12:00:00"; len(points) != 2 || points[0] != want || points[1] != want {
		t.Errorf("points %q, want %s twice", points, want)
	}
}

// A refusal that is part of the result, such as a declined payment, is repeated byte for byte.
func TestRefusalIsRepeated(t *testing.T) {
	t.Parallel()
	s := newService(t)
	declined := problem.New(problem.Conflict, "payment_declined", "The card was declined.")
	s.handler = func(_ http.ResponseWriter, r *http.Request) error {
		s.ran++
		record, err := idempotency.Begin(r.Context(), s.now, time.Minute, "p1")
		if err != nil {
			return err
		}
		if err := s.records.Put(record); err != nil {
			return err
		}
		a, err := idempotency.Refusal(r.Context(), declined)
		if err != nil {
			return err
		}
		if err := s.records.Complete(record, a); err != nil {
			return err
		}
		return declined
	}
	first, again := s.do(request{key: "k"}), s.do(request{key: "k"})
	s.want(first, http.StatusConflict, "payment_declined")
	if again.Code != first.Code || again.Body.String() != first.Body.String() || again.Header().Get("Content-Type") != problem.ContentType ||
		again.Header().Get(idempotency.HeaderReplayed) != "true" {
		t.Errorf("got %d %s, want %s", again.Code, again.Body, first.Body)
	}
	s.wantRan(1)
}

func TestHandlerReadsTheBody(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const body = `{"a": 1}`
	s.handler = func(_ http.ResponseWriter, r *http.Request) error {
		got, err := io.ReadAll(r.Body)
		if err != nil || string(got) != body || r.PathValue("shelf") != "a" {
			t.Errorf("the handler sees %q of shelf %q, %v", got, r.PathValue("shelf"), err)
		}
		return nil
	}
	s.do(request{key: "k", body: body})
}

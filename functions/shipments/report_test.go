package shipments_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentstest"
	"github.com/tienda-dev/tienda/internal/apitest"
)

func TestReportsAreAnswered(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	o := s.order(t)
	made := s.create(t, o)
	first := s.report(made.ID, `{"event_id":"e1","type":"in_transit","at":"2026-03-01T13:00:02.5+01:00"}`).Want(http.StatusAccepted)
	want := `{"event_id":"e1","shipment_id":"` + made.ID + `","type":"in_transit","at":"2026-03-01T12:00:02.500Z","moved":true,` +
		`"status":"in_transit","received_at":"2026-03-01T12:00:30.000Z"}`
	if strings.TrimSpace(first.Body) != want {
		t.Errorf("got %s, want %s", first.Body, want)
	}
	late := apitest.Decode[shipments.Scan](s.report(made.ID, `{"event_id":"e0","type":"picked_up","at":"2026-03-01T12:00:01Z"}`).Want(http.StatusAccepted))
	if late.Moved || late.Status != shipments.InTransit {
		t.Errorf("a late report is answered %+v", late)
	}
	// The same id is the same report, whatever else it says.
	for _, body := range []string{
		`{"event_id":"e1","type":"in_transit","at":"2026-03-01T13:00:02.5+01:00"}`,
		`{"event_id":"e1","type":"delivered","at":"2026-03-01T12:00:20Z"}`,
	} {
		if again := s.report(made.ID, body).Want(http.StatusAccepted); again.Body != first.Body {
			t.Errorf("got %s, want %s", again.Body, first.Body)
		}
	}
	got := s.get(t, made.ID)
	wantMilestones := []shipments.Milestone{
		{Type: shipments.ScanPickedUp, At: second(1)},
		{Type: shipments.ScanInTransit, At: shipmentstest.Time(2).Add(500 * time.Millisecond)},
	}
	if diff := cmp.Diff(wantMilestones, got.Milestones); diff != "" || got.Version != 3 {
		t.Errorf("version %d, milestones (-want +got):\n%s", got.Version, diff)
	}
	if diff := cmp.Diff([]string{"shipment.created", "shipment.in_transit"}, s.events(t, o)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestReportsRefused(t *testing.T) {
	t.Parallel()
	const at = `"at":"2026-03-01T12:00:01Z"`
	for name, tc := range map[string]struct {
		body     string
		pointers []string
	}{
		"Nothing":      {`{}`, []string{"/event_id", "/type", "/at"}},
		"UnknownType":  {`{"event_id":"e","type":"stolen",` + at + `}`, []string{"/type"}},
		"CreatedType":  {`{"event_id":"e","type":"created",` + at + `}`, []string{"/type"}},
		"EmptyEventID": {`{"event_id":"","type":"lost",` + at + `}`, []string{"/event_id"}},
		"LongEventID":  {`{"event_id":"` + strings.Repeat("e", 65) + `","type":"lost",` + at + `}`, []string{"/event_id"}},
		"SpaceEventID": {`{"event_id":"a b","type":"lost",` + at + `}`, []string{"/event_id"}},
		"NoTime":       {`{"event_id":"e","type":"lost","at":"yesterday"}`, []string{"/at"}},
		"FarFuture":    {`{"event_id":"e","type":"exception","at":"2026-03-01T12:05:31Z"}`, []string{"/at"}},
		"UnsetClock":   {`{"event_id":"e","type":"exception","at":"1970-01-01T00:00:00Z"}`, []string{"/at"}},
		"LastUnset":    {`{"event_id":"e","type":"exception","at":"1999-12-31T23:59:59Z"}`, []string{"/at"}},
		"Unknown":      {`{"event_id":"e","type":"lost","status":"lost",` + at + `}`, []string{"/status"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			made := s.create(t, s.order(t))
			s.report(made.ID, tc.body).In(t).WantProblem(http.StatusUnprocessableEntity, "validation_failed", tc.pointers...)
			if got := s.get(t, made.ID); got.Version != 1 {
				t.Errorf("a refused report has written %+v", got)
			}
		})
	}
	s := newShop(t)
	first := `{"event_id":"e","type":"exception","at":"2000-01-01T00:00:00Z"}`
	s.report(s.create(t, s.order(t)).ID, first).Want(http.StatusAccepted)
	for _, id := range []string{nobody, "x"} {
		s.report(id, `{"event_id":"e","type":"lost",`+at+`}`).WantProblem(http.StatusNotFound, "shipment_not_found")
	}
}

// carrier sends a report to the webhook. An empty signature sends no header.
func (s shop) carrier(body, signature string) apitest.Answer {
	var options []apitest.Option
	if signature != "" {
		options = append(options, apitest.Header(shipments.HeaderSignature, signature))
	}
	return s.api.Do(http.MethodPost, "/v1/webhooks/carrier", body, options...)
}

func TestCarrierSignature(t *testing.T) {
	t.Parallel()
	keys := carrierKeys()
	stranger := shipments.CarrierKey{ID: "x", Text: strings.Repeat("x", 32)}
	for name, tc := range map[string]struct {
		sign   func(body []byte) string
		status int
		code   string
	}{
		"NewKey":        {func(b []byte) string { return keys[0].Sign(now(), b) }, http.StatusAccepted, ""},
		"OldKey":        {func(b []byte) string { return keys[1].Sign(now(), b) }, http.StatusAccepted, ""},
		"TwoSignatures": {func(b []byte) string { return stranger.Sign(now(), b) + ",v0=1," + v1(keys[0].Sign(now(), b)) }, http.StatusAccepted, ""},
		"FiveMinutes":   {func(b []byte) string { return keys[0].Sign(now().Add(-300*time.Second), b) }, http.StatusAccepted, ""},
		"Ahead":         {func(b []byte) string { return keys[0].Sign(now().Add(300*time.Second), b) }, http.StatusAccepted, ""},
		"TooOld":        {func(b []byte) string { return keys[0].Sign(now().Add(-301*time.Second), b) }, http.StatusBadRequest, "stale_signature"},
		"TooFarAhead":   {func(b []byte) string { return keys[0].Sign(now().Add(301*time.Second), b) }, http.StatusBadRequest, "stale_signature"},
		"OldAndWrong":   {func(b []byte) string { return stranger.Sign(now().Add(-time.Hour), b) }, http.StatusUnauthorized, "bad_signature"},
		"None":          {func([]byte) string { return "" }, http.StatusUnauthorized, "bad_signature"},
		"StrangersKey":  {func(b []byte) string { return stranger.Sign(now(), b) }, http.StatusUnauthorized, "bad_signature"},
		"OtherBody":     {func(b []byte) string { return keys[0].Sign(now(), append(b, ' ')) }, http.StatusUnauthorized, "bad_signature"},
		"OtherTime":     {func(b []byte) string { return "t=1" + strings.TrimPrefix(keys[0].Sign(now(), b), "t=1772366430") }, http.StatusUnauthorized, "bad_signature"},
		"NoTime":        {func(b []byte) string { return v1(keys[0].Sign(now(), b)) }, http.StatusUnauthorized, "bad_signature"},
		"TwoTimes":      {func(b []byte) string { return "t=1," + keys[0].Sign(now(), b) }, http.StatusUnauthorized, "bad_signature"},
		"OnlyTime":      {func([]byte) string { return "t=1772366430" }, http.StatusUnauthorized, "bad_signature"},
		"NotHex":        {func([]byte) string { return "t=1772366430,v1=zz" }, http.StatusUnauthorized, "bad_signature"},
		"FourOfThem":    {func(b []byte) string { return keys[0].Sign(now(), b) + strings.Repeat(",v1=00", 3) }, http.StatusAccepted, ""},
		"TooMany":       {func(b []byte) string { return keys[0].Sign(now(), b) + strings.Repeat(",v1=00", 4) }, http.StatusUnauthorized, "bad_signature"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			made := s.create(t, s.order(t))
			body := `{"shipment_id":"` + made.ID + `","event_id":"e1","type":"picked_up","at":"2026-03-01T12:00:02Z"}`
			a := s.carrier(body, tc.sign([]byte(body))).In(t)
			moved := s.get(t, made.ID).Status == shipments.PickedUp
			if tc.code == "" {
				a.Want(tc.status)
			} else {
				a.WantProblem(tc.status, tc.code, shipments.HeaderSignature)
			}
			if moved != (tc.code == "") {
				t.Errorf("answered %d, and the parcel moved: %t", a.Status, moved)
			}
		})
	}
}

// v1 returns the signature of a header without its time.
func v1(header string) string {
	_, signature, _ := strings.Cut(header, ",")
	return signature
}

func TestSignedReportsAreChecked(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	send := func(body string) apitest.Answer { return s.carrier(body, carrierKeys()[0].Sign(now(), []byte(body))) }
	send(`{}`).WantProblem(http.StatusUnprocessableEntity, "validation_failed", "/shipment_id", "/event_id", "/type", "/at")
	send(`{"shipment_id":"x","event_id":"e1","type":"lost","at":"2026-03-01T12:00:02Z"}`).
		WantProblem(http.StatusUnprocessableEntity, "validation_failed", "/shipment_id")
	send(`{"shipment_id":"`+nobody+`","event_id":"e1","type":"lost","at":"2026-03-01T12:00:02Z"}`).
		WantProblem(http.StatusNotFound, "shipment_not_found")
	send(`x`).WantProblem(http.StatusBadRequest, "malformed_json")
	s.carrier(`{}`, "").WantProblem(http.StatusUnauthorized, "bad_signature")
	s.carrier(strings.Repeat(" ", 5000), "").WantProblem(http.StatusRequestEntityTooLarge, "body_too_large")
}

func TestParseCarrierKeys(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("k", 32)
	object := func(kid, key string) string { return `{"kid":"` + kid + `","status":"active","key":"` + key + `"}` }
	for name, tc := range map[string]struct {
		secret string
		keys   int
		fault  string // a part of the error
	}{
		"One":      {object("a", text), 1, ""},
		"Two":      {"[" + object("a", text) + "," + object("b", text) + "]", 2, ""},
		"Three":    {"[" + object("a", text) + "," + object("b", text) + "," + object("c", text) + "]", 0, "3 keys"},
		"Short":    {object("a", text[1:]), 0, "key 1"},
		"NoKid":    {object("", text), 0, "key 1"},
		"Empty":    {"[]", 0, ""},
		"NotJSON":  {text, 0, ""},
		"OneShort": {"[" + object("a", text) + "," + object("b", "x") + "]", 0, "key 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, err := shipments.ParseCarrierKeys([]byte(tc.secret))
			if len(keys) != tc.keys || (err != nil) != (tc.keys == 0) {
				t.Errorf("got %d keys, %v; want %d", len(keys), err, tc.keys)
			}
			if err != nil && (strings.Contains(err.Error(), text[1:]) || !strings.Contains(err.Error(), tc.fault)) {
				t.Errorf("the error has the key, or not %q", tc.fault)
			}
			for _, k := range keys {
				if strings.Contains(k.String()+k.GoString(), text) {
					t.Error("the key prints itself")
				}
			}
		})
	}
}

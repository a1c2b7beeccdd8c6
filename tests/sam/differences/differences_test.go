package differences_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/tests/sam/differences"
)

const list = `
parts:
  headers: &headers
    header X-Request-Id: {gateway: "one", sam: null}
    header Content-Type: {gateway: "application/problem+json", sam: "application/json"}
differences:
  - route: "POST /v1/products/{id}"
    token: sent
    body: binary
    source: "a file"
    fields:
      - *headers
      - {status: {gateway: "400", sam: "502"}, body: {gateway: "{\"request_id\":\"<request id>\"}", sam: "{}\n"}}
others:
  - {about: "an event", field: a, gateway: "1", sam: "2", source: "a file"}
  - {about: "an event", field: b, gateway: null, sam: "2", source: "a file"}
`

// received is an answer as a client of the transport reads it.
type received struct {
	status int
	header http.Header
	length int64
	body   string
}

// serve puts the list's transport in front of a server that answers like that.
func serve(t *testing.T, answer http.HandlerFunc) (*differences.List, func(method, path, token, body string) received) {
	t.Helper()
	known, err := differences.Parse([]byte(list))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	client := &http.Client{Transport: known.Transport(server.Client().Transport, []string{
		"POST /v1/products/{id}", "GET /v1/products/{id}/inventory", "GET /v1/products/search", "$default",
	})}
	return known, func(method, path, token, body string) received {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", token)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		data, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return received{res.StatusCode, res.Header, res.ContentLength, string(data)}
	}
}

func answer(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestKnownDifferenceBecomesTheGatewaysAnswer(t *testing.T) {
	t.Parallel()
	known, send := serve(t, answer(502, map[string]string{"Content-Type": "application/json", "X-Other": "kept"}, "{}\n"))
	res := send("POST", "/v1/products/1", "t", "\xff")
	got := map[string]any{
		"status": res.status, "body": res.body, "length": res.length, "type": res.header.Get("Content-Type"),
		"id": res.header.Get("X-Request-Id"), "other": res.header.Get("X-Other"),
	}
	want := map[string]any{
		"status": 400, "body": `{"request_id":"one"}`, "length": int64(20), "type": "application/problem+json", "id": "one", "other": "kept",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if err := known.Err(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotListedStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ method, path, token, body string }{
		"OtherMethod": {"PUT", "/v1/products/1", "t", "\xff"},
		"OtherPath":   {"POST", "/v1/products/1/", "t", "\xff"},
		"EmptyID":     {"POST", "/v1/products/", "t", "\xff"},
		"OtherRoute":  {"POST", "/v1/products/search", "t", "\xff"}, // the literal path is another route's
		"NoToken":     {"POST", "/v1/products/1", "", "\xff"},
		"TextBody":    {"POST", "/v1/products/1", "t", "text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, send := serve(t, answer(502, map[string]string{"Content-Type": "application/json"}, "{}\n"))
			if got := send(tc.method, tc.path, tc.token, tc.body).status; got != 502 {
				t.Errorf("got %d, want what SAM answers", got)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	asListed := map[string]string{"Content-Type": "application/json"}
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"DiffersNoLonger":  {answer(400, asListed, "{}\n"), `status differs no longer: SAM too answers "400"`},
		"OtherStatus":      {answer(500, asListed, "{}\n"), `status is "500"; known is "502", where API Gateway answers "400"`},
		"OtherBody":        {answer(502, asListed, "{}"), `body is "{}"`},
		"HeaderIsThereNow": {answer(502, map[string]string{"Content-Type": "application/json", "X-Request-Id": "two"}, "{}\n"), `header X-Request-Id is "two"; known is nothing`},
		"HeaderIsGone":     {answer(502, map[string]string{"Content-Type": "text/plain"}, "{}\n"), `header Content-Type is "text/plain"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			known, send := serve(t, tc.answer)
			send("POST", "/v1/products/1", "t", "\xff")
			if err := known.Err(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	t.Run("NeverTried", func(t *testing.T) {
		t.Parallel()
		known, send := serve(t, answer(200, nil, ""))
		send("GET", "/", "", "")
		if err := known.Err(); err == nil || !strings.Contains(err.Error(), "no request has tried it") {
			t.Errorf("got %v", err)
		}
	})
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		gateway, sam map[string]string
		want         string
	}{
		"AsListed":        {map[string]string{"a": "1", "c": "3"}, map[string]string{"a": "2", "b": "2", "c": "3"}, ""},
		"DiffersNoLonger": {map[string]string{"a": "1"}, map[string]string{"a": "1", "b": "2"}, `an event: a is "1" at the gateway and "1" at SAM`},
		"OtherValue":      {map[string]string{"a": "1"}, map[string]string{"a": "2", "b": "3"}, `an event: b is nothing at the gateway and "3"`},
		"NotListed":       {map[string]string{"a": "1"}, map[string]string{"a": "2", "b": "2", "d": "4"}, `d is nothing at the gateway and "4" at SAM, which is not listed`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			known, err := differences.Parse([]byte(list))
			if err != nil {
				t.Fatal(err)
			}
			err = known.Compare("an event", tc.gateway, tc.sam)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	entry := func(text string) string { return "differences:\n  - " + text }
	const fields = `, fields: [{status: {gateway: "1", sam: "2"}}]}`
	for name, tc := range map[string]struct{ text, want string }{
		"NoRoute":       {entry(`{source: s` + fields), "names no route"},
		"Wildcard":      {entry(`{route: "GET /*", source: s` + fields), "names no route"},
		"NoSource":      {entry(`{route: GET /` + fields), "names no source"},
		"Token":         {entry(`{route: GET /, source: s, token: any` + fields), "none and sent are"},
		"Body":          {entry(`{route: GET /, source: s, body: any` + fields), "text, binary"},
		"NoField":       {entry(`{route: GET /, source: s, fields: []}`), "no field differs"},
		"NoDifference":  {entry(`{route: GET /, source: s, fields: [{status: {gateway: "1", sam: "1"}}]}`), "does not differ"},
		"OtherField":    {entry(`{route: GET /, source: s, fields: [{length: {gateway: "1", sam: "2"}}]}`), "neither status, body nor a header"},
		"FieldTwice":    {entry(`{route: GET /, source: s, fields: [{body: {gateway: "1", sam: "2"}}, {body: {gateway: "1", sam: "3"}}]}`), "is listed twice"},
		"EntryTwice":    {entry(`{route: GET /, source: s`+fields) + "\n  - {route: GET /, source: s" + fields, "is listed twice"},
		"UnknownMember": {entry(`{route: GET /, source: s, when: x` + fields), "when"},
		"OtherNoSource": {"others:\n  - {about: x, field: y, gateway: 1, sam: 2}", "source must be named"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := differences.Parse([]byte(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// The file is read here too, so that a mistake in it shows without containers.
func TestTheListIsWellFormed(t *testing.T) {
	t.Parallel()
	if _, err := differences.Read("../differences.yaml"); err != nil {
		t.Error(err)
	}
}

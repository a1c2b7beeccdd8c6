package authorizer_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/authorizer"
)

// decisions returns the answers to an event as a function of bytes gives it, and as one of aws-lambda-go's types.
func decisions(t *testing.T, a *authorizer.Authorizer, event []byte) (lean, typed map[string]any) {
	t.Helper()
	var request authorizer.Request
	var full events.APIGatewayV2CustomAuthorizerV2Request
	if err := json.Unmarshal(event, &full); err != nil {
		t.Fatal(err)
	}
	if err := request.UnmarshalJSON(event); err != nil {
		t.Fatal(err)
	}
	if request.RequestID != full.RequestContext.RequestID || request.RouteKey != full.RouteKey {
		t.Errorf("request %q of %q, want %q of %q", request.RequestID, request.RouteKey, full.RequestContext.RequestID, full.RouteKey)
	}
	for _, answer := range []struct {
		into *map[string]any
		of   func() (any, error)
	}{
		{&lean, func() (any, error) { return a.Decide(t.Context(), request) }},
		{&typed, func() (any, error) { return a.Authorize(t.Context(), full) }},
	} {
		got, err := answer.of()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(got)
		if err == nil {
			err = json.Unmarshal(text, answer.into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return lean, typed
}

func TestADecisionIsTheSameFromBytes(t *testing.T) {
	t.Parallel()
	v, minted := verifier(t)
	a := newAuthorizer(t, v, authorizer.Config{})
	files, err := filepath.Glob("../../events/*authorizer*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no events: %v", err)
	}
	cases := map[string]string{
		"LowerCase":        `{"headers":{"authorization":"Bearer ` + minted + `"},"identitySource":["x"],"requestContext":{"requestId":"r"}}`,
		"UpperCase":        `{"headers":{"Authorization":"Bearer ` + minted + `"}}`,
		"TwoSpellings":     `{"headers":{"Authorization":"Bearer ` + minted + `","authorization":"Bearer ` + minted + `"}}`,
		"NullValue":        `{"headers":{"authorization":null}}`,
		"EmptyValue":       `{"headers":{"authorization":""}}`,
		"NoHeaders":        `{"headers":null,"identitySource":null,"requestContext":null}`,
		"IdentitySource":   `{"identitySource":["GET /x","Bearer ` + minted + `"],"routeKey":"GET /x"}`,
		"HeaderBeforeCopy": `{"headers":{"authorization":"Basic x"},"identitySource":["Bearer ` + minted + `"]}`,
		"Escaped":          `{"headers":{"authorizat\u0069on":"Bearer\u0020` + minted + `"}}`,
		"Nothing":          `{}`,
		"Null":             `null`,
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases[filepath.Base(file)] = string(text)
	}
	for name, event := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lean, typed := decisions(t, a, []byte(event))
			if diff := cmp.Diff(typed, lean); diff != "" {
				t.Errorf("Decide differs from Authorize (-typed +lean):\n%s", diff)
			}
			if lean["isAuthorized"] != true {
				t.Errorf("got %v", lean)
			}
		})
	}
}

func TestWhatIsNoEventIsRefused(t *testing.T) {
	t.Parallel()
	for _, event := range []string{"", "{", "[]", `"x"`, "{} {}", `{"headers":[]}`, `{"headers":{"authorization":1}}`, `{"identitySource":"x"}`, `{"routeKey":1}`} {
		var request authorizer.Request
		if err := request.UnmarshalJSON([]byte(event)); err == nil {
			t.Errorf("%q was read as %+v", event, request)
		}
	}
}

// The runtime may use the event's memory again.
func TestARequestKeepsNothingOfTheEventsMemory(t *testing.T) {
	t.Parallel()
	event := []byte(`{"headers":{"authorization":"Bearer a","Traceparent":"t","tracestate":"s","BAGGAGE":"b","x":"y"},"routeKey":"GET /x"}`)
	request := authorizer.Request{RequestID: "of an earlier event"}
	if err := request.UnmarshalJSON(event); err != nil {
		t.Fatal(err)
	}
	clear(event)
	want := map[string]string{"traceparent": "t", "tracestate": "s", "baggage": "b"}
	if diff := cmp.Diff(want, request.TraceHeaders()); diff != "" || request.RequestID != "" || request.RouteKey != "GET /x" || request.Authorization[0] != "Bearer a" {
		t.Errorf("got %+v (-want +got):\n%s", request, diff)
	}
}

func TestAnAnswerIsASimpleResponse(t *testing.T) {
	t.Parallel()
	for _, answer := range []authorizer.Answer{
		{}, {"auth": "ok"}, {"auth": "ok", "sub": "a\"b\\c\n<&>é\u2028", "roles": "x y", "": "\xff"},
	} {
		got, err := answer.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var wire struct {
			IsAuthorized bool              `json:"isAuthorized"`
			Context      map[string]string `json:"context"`
		}
		if err := json.Unmarshal(got, &wire); err != nil || !wire.IsAuthorized || len(wire.Context) != len(answer) {
			t.Errorf("%v is written as %s: %v", answer, got, err)
		}
		for name, value := range answer {
			if want := string([]rune(value)); wire.Context[name] != want {
				t.Errorf("%q: got %q, want %q", name, wire.Context[name], want)
			}
		}
	}
	if got, _ := (authorizer.Answer{"b": "2", "a": "1"}).MarshalJSON(); string(got) != `{"isAuthorized":true,"context":{"a":"1","b":"2"}}` {
		t.Errorf("got %s, want the names in order", got)
	}
}

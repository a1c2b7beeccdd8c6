package gateway_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
)

// inBubble serves GET /x on a fake clock. The function "hangs" answers when its context ends.
func inBubble(t *testing.T, cfg gateway.Config) (w *httptest.ResponseRecorder, entry gateway.Access) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.Invoker = &fake{functions: map[string]answering{
			"hangs": func(ctx context.Context, _ map[string]any) (runtime.Result, error) {
				<-ctx.Done()
				return runtime.Result{}, ctx.Err()
			},
		}}
		cfg.AccessLog = func(a gateway.Access) { entry = a }
		g, err := gateway.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w = httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
	})
	return w, entry
}

func TestFunctionTimesOutAfterThirtySeconds(t *testing.T) {
	t.Parallel()
	w, entry := inBubble(t, gateway.Config{Routes: []gateway.Route{{RouteKey: "GET /x", Function: "hangs"}}})
	if w.Code != 503 || w.Body.String() != `{"message":"Service Unavailable"}` || entry.Duration != 30*time.Second {
		t.Errorf("got %d %s, entry %+v", w.Code, w.Body, entry)
	}
}

const (
	unauthorized = `{"message":"Unauthorized"}`
	forbidden    = `{"message":"Forbidden"}`
	yes          = `{"isAuthorized":true,"context":{"sub":"ada"}}`
)

// guarded serves "GET /x", "GET /y" and "POST /x" behind an authorizer with function "a".
func guarded(t *testing.T, authorizer gateway.Authorizer, answer answering, cfg gateway.Config) *api {
	t.Helper()
	authorizer.Function = "a"
	cfg.Authorizers = map[string]gateway.Authorizer{"A": authorizer}
	cfg.Routes = routes("GET /x", "GET /y", "POST /x", "GET /p/{id}")
	for i := range cfg.Routes {
		cfg.Routes[i].Authorizer = "A"
	}
	return serve(t, cfg, map[string]answering{"a": answer})
}

func TestAuthorizerAnswers(t *testing.T) {
	t.Parallel()
	failed := func(context.Context, map[string]any) (runtime.Result, error) {
		return runtime.Result{FunctionError: true, Payload: []byte(`{"errorMessage":"Unauthorized"}`)}, nil
	}
	tests := map[string]struct {
		answer      answering
		wantStatus  int
		wantBody    string
		wantContext any
	}{
		"Allows":             {says(yes), 200, "ok", map[string]any{"sub": "ada"}},
		"AllowsWithAnything": {says(`{"isAuthorized":true,"context":{"n":1,"l":["a"]}}`), 200, "ok", map[string]any{"n": 1.0, "l": []any{"a"}}},
		"AllowsWithNothing":  {says(`{"isAuthorized":true}`), 200, "ok", nil},
		"Denies":             {says(`{"isAuthorized":false,"context":{"why":"x"}}`), 403, forbidden, nil},
		"LacksIsAuthorized":  {says(`{"context":{}}`), 500, internalError, nil},
		"AnswersAString":     {says(`"yes"`), 500, internalError, nil},
		"AnswersAText":       {says(`{"isAuthorized":"true"}`), 500, internalError, nil},
		"AnswersAPolicy":     {says(`{"principalId":"ada","policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}}`), 500, internalError, nil},
		"ContextIsAList":     {says(`{"isAuthorized":true,"context":[]}`), 500, internalError, nil},
		"Fails":              {failed, 500, internalError, nil},
		"Exits":              {fails(&runtime.Error{Kind: runtime.Exit}), 500, internalError, nil},
		"TimesOut":           {fails(&runtime.Error{Kind: runtime.Timeout}), 500, internalError, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := guarded(t, gateway.Authorizer{}, test.answer, gateway.Config{})
			a.do(t, "GET", "/x", "").want(t, test.wantStatus, test.wantBody)
			if test.wantStatus != 200 {
				if a.count("f") != 0 {
					t.Error("the function was invoked")
				}
				return
			}
			got := a.last(t).Event["requestContext"].(map[string]any)["authorizer"]
			if diff := cmp.Diff(map[string]any{"lambda": test.wantContext}, got); diff != "" {
				t.Errorf("requestContext.authorizer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAuthorizerTimesOutAfterTenSeconds(t *testing.T) {
	t.Parallel()
	list := routes("GET /x")
	list[0].Authorizer = "A"
	w, entry := inBubble(t, gateway.Config{Routes: list, Authorizers: map[string]gateway.Authorizer{"A": {Function: "hangs"}}})
	if w.Code != 500 || entry.Duration != 10*time.Second || entry.Error != "authorizer A: no answer within 10s" {
		t.Errorf("got %d, entry %+v", w.Code, entry)
	}
}

func TestAuthorizerEvent(t *testing.T) {
	t.Parallel()
	a := guarded(t, gateway.Authorizer{
		IdentitySources: []string{"$request.header.Authorization", "$context.routeKey"},
	}, says(`{"isAuthorized":false}`), gateway.Config{})
	a.do(t, "GET", "/p/a%20b?q=1", "", "Authorization: t", "Cookie: c=1")
	event := a.last(t).Event
	want := map[string]any{
		"version": "2.0", "type": "REQUEST", "routeKey": "GET /p/{id}",
		"routeArn":       "arn:aws:execute-api:us-east-1:123456789012:local/$default/GET/p/a b",
		"identitySource": []any{"t", "GET /p/{id}"},
		"rawPath":        "/p/a b", "rawQueryString": "q=1", "cookies": []any{"c=1"},
		"queryStringParameters": map[string]any{"q": "1"},
		"pathParameters":        map[string]any{"id": "a b"},
	}
	for _, field := range []string{"headers", "requestContext"} {
		if _, present := event[field]; !present {
			t.Errorf("%s is missing", field)
		}
		delete(event, field)
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

// TestOptionalAuthorizer serves a route that anonymous callers and callers with a token may use: its
// authorizer has no identity source.
func TestOptionalAuthorizer(t *testing.T) {
	t.Parallel()
	a := guarded(t, gateway.Authorizer{}, func(_ context.Context, event map[string]any) (runtime.Result, error) {
		if event["headers"].(map[string]any)["authorization"] == nil {
			return runtime.Result{Payload: []byte(`{"isAuthorized":true,"context":{"auth":"anonymous"}}`)}, nil
		}
		return runtime.Result{Payload: []byte(yes)}, nil
	}, gateway.Config{})
	for name, test := range map[string]struct {
		headers []string
		want    map[string]any
	}{
		"Anonymous": {nil, map[string]any{"auth": "anonymous"}},
		"WithToken": {[]string{"Authorization: t"}, map[string]any{"sub": "ada"}},
	} {
		a.do(t, "GET", "/x", "", test.headers...).want(t, 200, "ok")
		got := a.last(t).Event["requestContext"].(map[string]any)["authorizer"]
		if diff := cmp.Diff(map[string]any{"lambda": test.want}, got); diff != "" {
			t.Errorf("%s: requestContext.authorizer (-want +got):\n%s", name, diff)
		}
	}
}

func TestMissingIdentityIsUnauthorizedWithoutAsking(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		source  string
		headers []string
		want    int
	}{
		"Header":        {"$request.header.Authorization", []string{"authorization: t"}, 200},
		"HeaderMissing": {"$request.header.Authorization", nil, 401},
		"HeaderEmpty":   {"$request.header.Authorization", []string{"Authorization: "}, 401},
		"HostHeader":    {"$request.header.host", nil, 200},
		"RouteKey":      {"$context.routeKey", nil, 200},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := guarded(t, gateway.Authorizer{IdentitySources: []string{test.source}}, says(yes), gateway.Config{})
			got := a.do(t, "GET", "/x", "", test.headers...)
			got.check(t, test.want)
			if test.want == 401 {
				got.want(t, 401, unauthorized)
				if a.count("a")+a.count("f") != 0 {
					t.Error("a function was invoked")
				}
			}
		})
	}
}

func TestAuthorizerCache(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Unix(1_700_000_000, 0)
	wait := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	cfg := gateway.Config{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }}
	decide := func(_ context.Context, event map[string]any) (runtime.Result, error) {
		token := event["headers"].(map[string]any)["authorization"].(string)
		switch token {
		case "broken":
			return runtime.Result{}, errors.New("down")
		case "bad":
			return runtime.Result{Payload: []byte(`{"isAuthorized":false}`)}, nil
		}
		return runtime.Result{Payload: []byte(`{"isAuthorized":true,"context":{"sub":"` + token + `"}}`)}, nil
	}
	header := "$request.header.authorization"
	get := func(a *api, path, token string) int {
		return a.do(t, "GET", path, "", "Authorization: "+token).Status
	}

	t.Run("KeepsTheAnswerForItsTTL", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{TTL: time.Minute, IdentitySources: []string{header}}, decide, cfg)
		get(a, "/x", "ada")
		get(a, "/x", "ada")
		wait(59 * time.Second)
		get(a, "/x", "ada")
		if n := a.count("a"); n != 1 {
			t.Errorf("asked %d times", n)
		}
		authorizer := a.last(t).Event["requestContext"].(map[string]any)["authorizer"]
		if diff := cmp.Diff(map[string]any{"lambda": map[string]any{"sub": "ada"}}, authorizer); diff != "" {
			t.Errorf("cached context (-want +got):\n%s", diff)
		}
		wait(time.Second)
		get(a, "/x", "ada")
		if n := a.count("a"); n != 2 {
			t.Errorf("asked %d times after the TTL", n)
		}
	})
	t.Run("ASimpleYesIsForEveryRoute", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{TTL: time.Minute, IdentitySources: []string{header}}, decide, cfg)
		get(a, "/x", "ada")
		get(a, "/y", "ada")
		if n := a.count("a"); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("UnlessTheRouteIsPartOfTheKey", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{
			TTL: time.Minute, IdentitySources: []string{header, "$context.routeKey"},
		}, decide, cfg)
		get(a, "/x", "ada")
		get(a, "/y", "ada")
		get(a, "/x", "ada")
		if n := a.count("a"); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("KeepsANoAndNotAFailure", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{TTL: time.Minute, IdentitySources: []string{header}}, decide, cfg)
		got := []int{get(a, "/x", "bad"), get(a, "/x", "bad"), get(a, "/x", "broken"), get(a, "/x", "broken")}
		if diff := cmp.Diff([]int{403, 403, 500, 500}, got); diff != "" {
			t.Errorf("statuses (-want +got):\n%s", diff)
		}
		if n := a.count("a"); n != 3 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("KeysDoNotRunTogether", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{
			TTL: time.Minute, IdentitySources: []string{header, "$request.header.k"},
		}, decide, cfg)
		a.do(t, "GET", "/x", "", "Authorization: a", "K: bc")
		a.do(t, "GET", "/x", "", "Authorization: ab", "K: c")
		if n := a.count("a"); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("IsBounded", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{TTL: time.Minute, IdentitySources: []string{header}}, says(yes), cfg)
		ask := func(i int) { get(a, "/x", strconv.Itoa(i)) }
		const room = 4096
		for i := range room {
			ask(i)
		}
		ask(0)    // now key 1 is the one used longest ago,
		ask(room) // which makes room for this one
		ask(0)
		ask(room)
		if n := a.count("a"); n != room+1 {
			t.Errorf("asked %d times for %d keys", n, room+1)
		}
		ask(1)
		if n := a.count("a"); n != room+2 {
			t.Error("the key used longest ago of 4097 was still there")
		}
	})
	t.Run("IsOffWithoutATTL", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{IdentitySources: []string{header}}, decide, cfg)
		get(a, "/x", "ada")
		get(a, "/x", "ada")
		if n := a.count("a"); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

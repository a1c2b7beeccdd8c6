package gateway_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
)

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

func TestSimpleAuthorizer(t *testing.T) {
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
		"AnswersNoBool":      {says(`{"isAuthorized":"true"}`), 500, internalError, nil},
		"AnswersAPolicy":     {says(policy("Allow", "*")), 500, internalError, nil},
		"ContextIsAList":     {says(`{"isAuthorized":true,"context":[]}`), 500, internalError, nil},
		"Fails":              {failed, 500, internalError, nil},
		"Exits":              {fails(&runtime.Error{Kind: runtime.Exit}), 500, internalError, nil},
		"TimesOut":           {fails(&runtime.Error{Kind: runtime.Timeout}), 500, internalError, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := guarded(t, gateway.Authorizer{SimpleResponses: true}, test.answer, gateway.Config{})
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
	var left time.Duration
	a := guarded(t, gateway.Authorizer{SimpleResponses: true}, func(ctx context.Context, _ map[string]any) (runtime.Result, error) {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
		return runtime.Result{}, context.DeadlineExceeded
	}, gateway.Config{})
	a.do(t, "GET", "/x", "").want(t, 500, internalError)
	if left < 9*time.Second || left > 10*time.Second {
		t.Errorf("the authorizer had %s", left)
	}
	if entry := a.logged(t, 1); entry.Error != "authorizer A: no answer within 10s" {
		t.Errorf("entry %+v", entry)
	}
}

func TestAuthorizerEvent(t *testing.T) {
	t.Parallel()
	a := guarded(t, gateway.Authorizer{
		SimpleResponses: true,
		IdentitySources: []string{"$request.header.Authorization", "$context.routeKey"},
	}, says(`{"isAuthorized":false}`), gateway.Config{
		Region: "eu-west-1", AccountID: "111122223333", APIID: "abc", StageVariables: map[string]string{"v": "1"},
	})
	a.do(t, "GET", "/p/a%20b?q=1", "", "Authorization: t", "Cookie: c=1")
	event := a.last(t).Event
	want := map[string]any{
		"version": "2.0", "type": "REQUEST", "routeKey": "GET /p/{id}",
		"routeArn":       "arn:aws:execute-api:eu-west-1:111122223333:abc/$default/GET/p/a b",
		"identitySource": []any{"t", "GET /p/{id}"},
		"rawPath":        "/p/a b", "rawQueryString": "q=1", "cookies": []any{"c=1"},
		"queryStringParameters": map[string]any{"q": "1"},
		"pathParameters":        map[string]any{"id": "a b"},
		"stageVariables":        map[string]any{"v": "1"},
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

func TestMissingIdentityIsUnauthorizedAndNotAsked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		source  string
		target  string
		headers []string
		want    int
	}{
		"Header":           {"$request.header.Authorization", "/x", []string{"authorization: t"}, 200},
		"HeaderMissing":    {"$request.header.Authorization", "/x", nil, 401},
		"HeaderEmpty":      {"$request.header.Authorization", "/x", []string{"Authorization: "}, 401},
		"HostHeader":       {"$request.header.host", "/x", nil, 200},
		"Query":            {"$request.querystring.key", "/x?key=1", nil, 200},
		"QueryCaseCounts":  {"$request.querystring.key", "/x?KEY=1", nil, 401},
		"QueryEmpty":       {"$request.querystring.key", "/x?key=", nil, 401},
		"Context":          {"$context.identity.sourceIp", "/x", nil, 200},
		"StageVariable":    {"$stageVariables.there", "/x", nil, 200},
		"NoStageVariable":  {"$stageVariables.gone", "/x", nil, 401},
		"ContextUserAgent": {"$context.identity.userAgent", "/x", []string{"User-Agent: "}, 401},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := guarded(t, gateway.Authorizer{SimpleResponses: true, IdentitySources: []string{test.source}}, says(yes),
				gateway.Config{StageVariables: map[string]string{"there": "1"}})
			got := a.do(t, "GET", test.target, "", test.headers...)
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
		a := guarded(t, gateway.Authorizer{SimpleResponses: true, TTL: time.Minute, IdentitySources: []string{header}}, decide, cfg)
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
		if entry := a.logged(t, 3); !entry.AuthorizerCached {
			t.Errorf("entry %+v", entry)
		}
		wait(time.Second)
		get(a, "/x", "ada")
		if n := a.count("a"); n != 2 {
			t.Errorf("asked %d times after the TTL", n)
		}
	})
	t.Run("ASimpleYesIsForEveryRoute", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{SimpleResponses: true, TTL: time.Minute, IdentitySources: []string{header}}, decide, cfg)
		get(a, "/x", "ada")
		get(a, "/y", "ada")
		if n := a.count("a"); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("UnlessTheRouteIsPartOfTheKey", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{
			SimpleResponses: true, TTL: time.Minute, IdentitySources: []string{header, "$context.routeKey"},
		}, decide, cfg)
		get(a, "/x", "ada")
		get(a, "/y", "ada")
		get(a, "/x", "ada")
		if n := a.count("a"); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("KeepsANoAndNotAFailure", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{SimpleResponses: true, TTL: time.Minute, IdentitySources: []string{header}}, decide, cfg)
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
			SimpleResponses: true, TTL: time.Minute, IdentitySources: []string{header, "$request.querystring.k"},
		}, decide, cfg)
		get(a, "/x?k=bc", "a")
		get(a, "/x?k=c", "ab")
		if n := a.count("a"); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("IsBounded", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{SimpleResponses: true, TTL: time.Minute, IdentitySources: []string{"$request.querystring.k"}}, says(yes), cfg)
		ask := func(i int) { a.do(t, "GET", "/x?k="+strconv.Itoa(i), "") }
		const room = 4096
		for i := range room {
			ask(i)
		}
		ask(0)    // now 1 is the one used longest ago
		ask(room) // and has to go
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
		a := guarded(t, gateway.Authorizer{SimpleResponses: true, IdentitySources: []string{header}}, decide, cfg)
		get(a, "/x", "ada")
		get(a, "/x", "ada")
		if n := a.count("a"); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
	t.Run("APolicyIsJudgedForEachRoute", func(t *testing.T) {
		a := guarded(t, gateway.Authorizer{TTL: time.Minute, IdentitySources: []string{header}},
			says(policy("Allow", "arn:aws:execute-api:*:*:*/$default/GET/x")), cfg)
		got := []int{get(a, "/x", "t"), get(a, "/y", "t"), get(a, "/x", "t")}
		if diff := cmp.Diff([]int{200, 403, 200}, got); diff != "" {
			t.Errorf("statuses (-want +got):\n%s", diff)
		}
		if n := a.count("a"); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

// policy returns an authorizer's answer with one statement per resource.
func policy(effect string, resources ...string) string {
	var statements []string
	for _, resource := range resources {
		statements = append(statements, `{"Action":"execute-api:Invoke","Effect":"`+effect+`","Resource":"`+resource+`"}`)
	}
	return wrap(strings.Join(statements, ","))
}

// wrap returns an authorizer's answer with the statements.
func wrap(statements string) string {
	return `{"principalId":"ada","policyDocument":{"Version":"2012-10-17","Statement":[` + statements + `]},"context":{"sub":"ada"}}`
}

func TestPolicyAuthorizer(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:execute-api:us-east-1:123456789012:local/$default/GET/p/a.b(c)"
	allow := func(action string) string {
		return `{"Action":` + action + `,"Effect":"Allow","Resource":["arn:nothing","` + arn + `"]}`
	}
	tests := map[string]struct {
		answer string
		want   int
	}{
		"ExactARN":             {policy("Allow", arn), 200},
		"Star":                 {policy("Allow", "*"), 200},
		"StarSpansSlashes":     {policy("Allow", "arn:aws:execute-api:*/GET/*"), 200},
		"QuestionMark":         {policy("Allow", strings.Replace(arn, "a.b", "a?b", 1)), 200},
		"DotIsADot":            {policy("Allow", strings.Replace(arn, "a.b", "axb", 1)), 403},
		"AnotherMethod":        {policy("Allow", "arn:aws:execute-api:*/POST/*"), 403},
		"Deny":                 {policy("Deny", "*"), 403},
		"DenyWins":             {wrap(`{"Action":"*","Effect":"Allow","Resource":"*"},{"Action":"*","Effect":"Deny","Resource":"*/GET/p/*"}`), 403},
		"DenyOfAnother":        {wrap(`{"Action":"*","Effect":"Allow","Resource":"*"},{"Action":"*","Effect":"Deny","Resource":"*/GET/q/*"}`), 200},
		"ActionInAnyCase":      {wrap(allow(`"Execute-API:invoke"`)), 200},
		"ActionList":           {wrap(allow(`["s3:GetObject","execute-api:*"]`)), 200},
		"AnotherAction":        {wrap(allow(`"execute-api:ManageConnections"`)), 403},
		"SingleStatement":      {`{"principalId":"a","policyDocument":{"Statement":` + allow(`"*"`) + `}}`, 200},
		"NoPrincipal":          {`{"policyDocument":{"Statement":` + allow(`"*"`) + `}}`, 500},
		"NoPolicy":             {`{"principalId":"a"}`, 500},
		"NoStatement":          {wrap(``), 500},
		"NoResource":           {wrap(`{"Action":"*","Effect":"Allow"}`), 500},
		"UnknownEffect":        {wrap(`{"Action":"*","Effect":"allow","Resource":"*"}`), 500},
		"ConditionIsNotJudged": {wrap(`{"Action":"*","Effect":"Allow","Resource":"*","Condition":{"IpAddress":{}}}`), 500},
		"SimpleAnswer":         {yes, 500},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := guarded(t, gateway.Authorizer{}, says(test.answer), gateway.Config{})
			a.do(t, "GET", "/p/a.b(c)", "").check(t, test.want)
		})
	}
}

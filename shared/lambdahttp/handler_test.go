package lambdahttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/problem"
)

var _ lambda.Handler = (*lambdahttp.Handler)(nil)

func TestNewRefusesNilHandler(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("New(nil) did not panic")
		}
	}()
	lambdahttp.New(nil, lambdahttp.Config{})
}

func TestRouteKey(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		config, event string
		served        bool
	}{
		"SameRoute":                     {"GET /x", "GET /x", true},
		"AnyRouteWhereNoneIsConfigured": {"", "GET /x", true},
		"DefaultRoute":                  {"$default", "$default", true},
		"AnyMethodAsTheGatewaySendsIt":  {"ANY /x/{id}", "ANY /x/{id}", true},
		"AnyMethodAsSamLocalSendsIt":    {"ANY /x/{id}", "PUT /x/{id}", true},
		"HeadOfAGetRoute":               {"GET /x/{id}", "HEAD /x/{id}", true},
		"HeadOfAnotherPath":             {"GET /x", "HEAD /y", false},
		"HeadOfAPostRoute":              {"POST /x", "HEAD /x", false},
		"GetOfAHeadRoute":               {"HEAD /x", "GET /x", false},
		"OtherMethod":                   {"GET /x", "POST /x", false},
		"OtherPath":                     {"GET /x", "GET /y", false},
		"OtherParameterName":            {"GET /x/{id}", "GET /x/{sku}", false},
		"AnyOfAnotherPath":              {"ANY /x", "PUT /y", false},
		"DefaultBehindARoute":           {"GET /x", "$default", false},
		"RouteBehindTheDefault":         {"$default", "GET /x", false},
		"NoRoute":                       {"GET /x", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h := &refusing{Handler: status(http.StatusNoContent)}
			e := event(t, map[string]any{"routeKey": test.event, "requestContext.routeKey": test.event})
			got := invoke(t, h, lambdahttp.Config{RouteKey: test.config}, e)

			if test.served {
				if got.StatusCode != http.StatusNoContent || len(h.errs) != 0 {
					t.Errorf("status %d, refused with %v; want it served", got.StatusCode, h.errs)
				}
				return
			}
			if got.StatusCode != http.StatusInternalServerError {
				t.Errorf("status %d, want 500", got.StatusCode)
			}
			checkProblem(t, got)
			if strings.Contains(got.Body, "/x") {
				t.Errorf("the response names routes: %s", got.Body)
			}
			if len(h.errs) != 1 {
				t.Errorf("refused with %v, want one error", h.errs)
			}
		})
	}
}

func TestRouteKeyComesFromTheContextIfTheEventHasNone(t *testing.T) {
	t.Parallel()
	e := event(t, map[string]any{"routeKey": nil})
	if got := invoke(t, status(http.StatusNoContent), lambdahttp.Config{RouteKey: "GET /x"}, e); got.StatusCode != http.StatusNoContent {
		t.Errorf("status %d, want 204", got.StatusCode)
	}
}

func TestPanic(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		value any
		stack bool
	}{
		"Text":    {"boom", true},
		"Error":   {io.ErrUnexpectedEOF, true},
		"Aborted": {http.ErrAbortHandler, false},
		"Wrapped": {fmt.Errorf("gone: %w", http.ErrAbortHandler), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h := &refusing{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Set-Cookie", "a=b")
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, `{"half":`)
				panic(test.value)
			})}
			got := invoke(t, h, lambdahttp.Config{}, event(t, nil))

			if got.StatusCode != http.StatusInternalServerError || strings.Contains(got.Body, "half") || got.Cookies != nil {
				t.Errorf("answer %+v, want a clean 500", got)
			}
			checkProblem(t, got)
			if len(h.errs) != 1 {
				t.Fatalf("refused with %v, want one error", h.errs)
			}
			var traced interface{ Stack() string }
			if got := errors.As(h.errs[0], &traced) && strings.Contains(traced.Stack(), "handler_test.go"); got != test.stack {
				t.Errorf("error %v has the panic's stack: %t, want %t", h.errs[0], got, test.stack)
			}
		})
	}
}

// A refusal passes through the outer layers of the chain, which may panic.
func TestRefusePanics(t *testing.T) {
	t.Parallel()
	got := invoke(t, broken{}, lambdahttp.Config{}, event(t, nil))
	if got.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", got.StatusCode)
	}
	checkProblem(t, got)
}

type broken struct{}

func (broken) ServeHTTP(http.ResponseWriter, *http.Request)     { panic("broken") }
func (broken) Refuse(http.ResponseWriter, *http.Request, error) { panic("broken") }

func TestContext(t *testing.T) {
	t.Parallel()

	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "invocation-1"})
	e := event(t, map[string]any{
		"requestContext.authorizer.lambda": map[string]any{"sub": "user-1", "n": 9007199254740993, "f": 1.5, "b": false, "o": map[string]any{}, "l": []int{1}, "z": nil},
		"stageVariables":                   map[string]any{"colour": "blue"},
		"requestContext.authorizer.jwt":    map[string]any{"claims": map[string]any{"iss": "me"}, "scopes": nil},
		"requestContext.authorizer.iam":    map[string]any{"userId": 7},
	})
	got := invokeContext(ctx, t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		want := map[string]string{"sub": "user-1", "n": "9007199254740993", "f": "1.5", "b": "false"}
		got, ok := identity.AuthorizerFrom(ctx)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("authorizer %t (-want +got):\n%s", ok, diff)
		}
		if lc, ok := lambdacontext.FromContext(ctx); !ok || lc.AwsRequestID != "invocation-1" {
			t.Errorf("lambdacontext %v", lc)
		}
		gateway, ok := core.GetAPIGatewayV2ContextFromContext(ctx)
		if !ok || gateway.RequestID != "req-1" || gateway.Authorizer.Lambda["sub"] != "user-1" {
			t.Errorf("core's gateway context %+v", gateway)
		}
		if gateway.Authorizer.JWT.Claims["iss"] != "me" || gateway.Authorizer.IAM != nil {
			t.Errorf("core's authorizer %+v, want the JWT and no malformed IAM", gateway.Authorizer)
		}
		if vars, ok := core.GetStageVarsFromContextV2(ctx); !ok || vars["colour"] != "blue" {
			t.Errorf("core's stage variables %v", vars)
		}
	}), lambdahttp.Config{}, e)
	if got.StatusCode != http.StatusOK {
		t.Errorf("status %d", got.StatusCode)
	}

	if _, ok := lambdahttp.EventFrom(t.Context()); ok {
		t.Error("EventFrom found an event outside a request")
	}
}

func TestMissingAuthorizer(t *testing.T) {
	t.Parallel()

	for name, changes := range map[string]map[string]any{
		"Absent":     nil,
		"NullLambda": {"requestContext.authorizer.lambda": nil},
		"Null":       {"requestContext.authorizer": nil},
		"JWTOnly":    {"requestContext.authorizer.jwt.claims.sub": "user-1"},
		"InAHeader":  {"headers." + core.APIGwContextHeader: `{"authorizer":{"lambda":{"sub":"root"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if m, ok := identity.AuthorizerFrom(r.Context()); ok {
					t.Errorf("authorizer %v, want none", m)
				}
			}), lambdahttp.Config{}, event(t, changes))
		})
	}
}

func TestRefusalHasARequestID(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		client string
		kept   bool
	}{
		"Clients":           {"client-1", true},
		"None":              {"", false},
		"NotOneThatInjects": {"a\r\nb: c", false},
		"NotALongOne":       {strings.Repeat("a", 129), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			e := event(t, map[string]any{"requestContext.http.method": "G T", "headers.x-request-id": test.client})
			got := invoke(t, unreachable(t), lambdahttp.Config{}, e)

			id := got.Headers[problem.HeaderRequestID]
			if got.StatusCode != http.StatusBadRequest || (id == test.client) != test.kept || id == "" {
				t.Errorf("status %d, id %q; want 400 and the client's id: %t", got.StatusCode, id, test.kept)
			}
			checkProblem(t, got)
		})
	}
}

func TestUnsendableResponses(t *testing.T) {
	t.Parallel()

	tests := map[string]http.HandlerFunc{
		"LargerThanLambdaTakes": func(w http.ResponseWriter, _ *http.Request) {
			chunk := strings.Repeat("x", 1<<20)
			var err error
			for range 8 {
				if _, err = io.WriteString(w, chunk); err != nil {
					break
				}
			}
			if err == nil {
				t.Error("8 MB were accepted")
			}
		},
		"LargerOnceItIsBase64": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(make([]byte, 5<<20))
		},
		"ShorterThanDeclared": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "four")
		},
		"LongerThanDeclared": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			if _, err := io.WriteString(w, "four"); !errors.Is(err, http.ErrContentLength) {
				t.Errorf("Write returned %v", err)
			}
		},
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h := &refusing{Handler: handler}
			got := invoke(t, h, lambdahttp.Config{}, event(t, nil))
			if got.StatusCode != http.StatusInternalServerError {
				t.Errorf("status %d, want 500", got.StatusCode)
			}
			checkProblem(t, got)
			if len(h.errs) != 1 {
				t.Errorf("refused with %v, want one error", h.errs)
			}
		})
	}
}

func TestLargestResponseIsSent(t *testing.T) {
	t.Parallel()

	const overhead = 128
	body := strings.Repeat("x", 6<<20-overhead)
	got := invoke(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, body)
	}), lambdahttp.Config{}, event(t, nil))
	if got.StatusCode != http.StatusOK || got.Body != body {
		t.Errorf("status %d with %d bytes, want 200 with %d", got.StatusCode, len(got.Body), len(body))
	}
}

func TestConcurrentInvocationsDoNotMix(t *testing.T) {
	t.Parallel()

	h := lambdahttp.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		facts, _ := lambdahttp.EventFrom(r.Context())
		_, _ = io.WriteString(w, facts.RequestID+r.PathValue("id")+r.URL.Path)
	}), lambdahttp.Config{})
	var group sync.WaitGroup
	for i := range 16 {
		id := fmt.Sprintf("r%d", i)
		e := event(t, map[string]any{"rawPath": "/" + id, "requestContext.requestId": id, "pathParameters": map[string]any{"id": id}})
		group.Go(func() {
			for range 50 {
				out, err := h.Invoke(context.Background(), e)
				var got response
				if err != nil || json.Unmarshal(out, &got) != nil || got.Body != id+id+"/"+id {
					t.Errorf("response %s, error %v; want the response to %s", out, err, id)
				}
			}
		})
	}
	group.Wait()
}

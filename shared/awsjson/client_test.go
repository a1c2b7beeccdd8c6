package awsjson_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/awsjson"
)

const (
	target = "DynamoDB_20120810.BatchGetItem"
	canary = "canary-of-an-item"
)

type doer func(*http.Request) (*http.Response, error)

func (d doer) RoundTrip(r *http.Request) (*http.Response, error) { return d(r) }

func config(change ...func(*awsjson.Config)) awsjson.Config {
	cfg := awsjson.Config{
		Config:  awsclient.Config{Region: "eu-central-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "key", SessionToken: "session"},
		Service: "dynamodb", Version: "1.0",
	}
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

func newClient(t *testing.T, cfg awsjson.Config, send doer) *awsjson.Client {
	t.Helper()
	cfg.HTTP = &http.Client{Transport: send}
	client, err := awsjson.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func answer(status int, body string) doer {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{"X-Amzn-Requestid": {"r-1"}}, Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	client := newClient(t, config(), func(r *http.Request) (*http.Response, error) {
		got = r
		return answer(200, `{"a":1}`)(r)
	})
	out, err := client.Call(t.Context(), target, []byte(`{"in":1}`))
	if err != nil || string(out) != `{"a":1}` {
		t.Fatalf("got %s, %v", out, err)
	}
	body, err := io.ReadAll(got.Body)
	if err != nil || string(body) != `{"in":1}` || got.Method != http.MethodPost || got.URL.String() != "https://dynamodb.eu-central-1.amazonaws.com/" {
		t.Errorf("%s %s %s, %v", got.Method, got.URL, body, err)
	}
	headers := map[string]string{}
	for _, name := range []string{"Content-Type", "X-Amz-Target", "X-Amz-Security-Token", "Accept-Encoding"} {
		headers[name] = got.Header.Get(name)
	}
	want := map[string]string{
		"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target, "X-Amz-Security-Token": "session", "Accept-Encoding": "identity",
	}
	if diff := cmp.Diff(want, headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	signature := got.Header.Get("Authorization")
	for _, part := range []string{
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/", "/eu-central-1/dynamodb/aws4_request",
		"content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
	} {
		if !strings.Contains(signature, part) {
			t.Errorf("signature %q has no %q", signature, part)
		}
	}
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		region, endpoint, want string
		err                    string
	}{
		"AWS":         {"us-east-1", "", "https://dynamodb.us-east-1.amazonaws.com/", ""},
		"GovCloud":    {"us-gov-west-1", "", "https://dynamodb.us-gov-west-1.amazonaws.com/", ""},
		"China":       {"cn-north-1", "", "https://dynamodb.cn-north-1.amazonaws.com.cn/", ""},
		"Europe":      {"eusc-de-east-1", "", "https://dynamodb.eusc-de-east-1.amazonaws.eu/", ""},
		"Isolated":    {"us-iso-east-1", "", "", "us-iso-east-1"},
		"Local":       {"x", "http://127.0.0.1:8000", "http://127.0.0.1:8000/", ""},
		"WithAPath":   {"x", "https://proxy.example/ddb", "https://proxy.example/ddb", ""},
		"NoScheme":    {"x", "localhost:8000", "", "absolute"},
		"WithUser":    {"x", "http://" + canary + "@localhost", "", "without"},
		"WithQuery":   {"x", "http://localhost/?" + canary, "", "without"},
		"Unparseable": {"x", "http://" + canary + "%", "", "absolute"},
		"NoRegion":    {"", "", "", "AWS_REGION"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got string
			cfg := config(func(c1 *awsjson.Config) { c1.Region, c1.Endpoint = c.region, c.endpoint })
			cfg.HTTP = &http.Client{Transport: doer(func(r *http.Request) (*http.Response, error) {
				got = r.URL.String()
				return answer(200, "{}")(r)
			})}
			client, err := awsjson.New(cfg)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), canary) {
					t.Errorf("error = %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Call(t.Context(), target, nil); err != nil || got != c.want {
				t.Errorf("asked %s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestNewNeedsEverything(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*awsjson.Config){
		"Service":         func(c *awsjson.Config) { c.Service = "" },
		"Version":         func(c *awsjson.Config) { c.Version = "" },
		"Region":          func(c *awsjson.Config) { c.Region = "" },
		"AccessKeyID":     func(c *awsjson.Config) { c.AccessKeyID = "" },
		"SecretAccessKey": func(c *awsjson.Config) { c.SecretAccessKey = "" },
	} {
		if _, err := awsjson.New(config(change)); err == nil {
			t.Errorf("New without %s was accepted", name)
		}
	}
	if _, err := awsjson.New(config()); err != nil {
		t.Errorf("with its own HTTP client: %v", err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	refused := func(status int, code string) doer {
		return answer(status, `{"__type":"com.amazonaws.dynamodb.v20120810#`+code+`","message":"`+canary+`"}`)
	}
	good := answer(200, "{}")
	reset := doer(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset by peer") })
	brokeOff := doer(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))}, nil
	})
	for name, c := range map[string]struct {
		answers   []doer
		calls     int
		text      string // of the error
		transient bool
	}{
		"OK":                  {[]doer{good}, 1, "", false},
		"ThrottledOnce":       {[]doer{refused(400, "ProvisionedThroughputExceededException"), good}, 2, "", false},
		"ServerErrors":        {[]doer{refused(500, "InternalServerError"), answer(503, "<html>"), good}, 3, "", false},
		"TooManyRequests":     {[]doer{answer(429, ""), good}, 2, "", false},
		"ConnectionBreaks":    {[]doer{reset, brokeOff, good}, 3, "", false},
		"ThrottledForEver":    {[]doer{refused(400, "ThrottlingException")}, 4, "BatchGetItem: 400 ThrottlingException (request r-1)", true},
		"UnreachableForEver":  {[]doer{reset}, 4, "BatchGetItem: connection reset by peer", true},
		"PageThenAnswer":      {[]doer{answer(200, "<html>"), answer(400, "<html>"), answer(403, "<html>"), good}, 4, "", false},
		"PageForEver":         {[]doer{answer(200, "<html>")}, 4, "BatchGetItem: an answer that is not JSON", true},
		"CutOffForEver":       {[]doer{answer(200, `{"Responses":`)}, 4, "BatchGetItem: an answer that is not JSON", true},
		"EmptyForEver":        {[]doer{answer(200, "")}, 4, "BatchGetItem: an answer that is not JSON", true},
		"RefusedWithoutCode":  {[]doer{answer(403, `{"message":"Forbidden"}`)}, 4, "BatchGetItem: 403 (request r-1)", true},
		"NoAnswerToUnknown":   {[]doer{answer(502, "")}, 4, "BatchGetItem: 502 (request r-1)", true},
		"DeniedIsNotAgain":    {[]doer{refused(400, "AccessDeniedException")}, 1, "BatchGetItem: 400 AccessDeniedException (request r-1)", false},
		"NoTableIsNotAgain":   {[]doer{refused(400, "ResourceNotFoundException")}, 1, "BatchGetItem: 400 ResourceNotFoundException (request r-1)", false},
		"InvalidIsNotAgain":   {[]doer{refused(400, "ValidationException")}, 1, "BatchGetItem: 400 ValidationException (request r-1)", false},
		"RedirectIsNoAnswer":  {[]doer{answer(307, "")}, 4, "BatchGetItem: 307 (request r-1)", true},
		"HugeAnswerIsRefused": {[]doer{answer(200, strings.Repeat(" ", 1<<20+1))}, 1, "BatchGetItem: an answer of more than 1048576 bytes", false},
		"LargestAnswerIsRead": {[]doer{answer(200, "{}"+strings.Repeat(" ", 1<<20-2))}, 1, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				client := newClient(t, config(), func(r *http.Request) (*http.Response, error) {
					if body, err := io.ReadAll(r.Body); err != nil || string(body) != "in" {
						t.Errorf("attempt %d sends %q, %v", calls+1, body, err)
					}
					calls++
					return c.answers[min(calls, len(c.answers))-1](r)
				})
				_, err := client.Call(t.Context(), target, []byte("in"))
				if calls != c.calls {
					t.Errorf("%d attempts, want %d", calls, c.calls)
				}
				if c.text == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				failed, ok := errors.AsType[*awsjson.Error](err)
				if !ok || failed.Error() != c.text || failed.Transient != c.transient || failed.Operation != "BatchGetItem" {
					t.Errorf("got %v, want %q", err, c.text)
				}
			})
		})
	}
}

func TestCallEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, config(), func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := client.Call(ctx, target, nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v, want the end of the context after 1 s", err, time.Since(start))
		}
	})
}

func TestTimeoutBoundsAnAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		client := newClient(t, config(func(c *awsjson.Config) { c.Timeout = time.Second }), func(r *http.Request) (*http.Response, error) {
			if attempts++; attempts > 1 {
				return answer(200, "{}")(r)
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		if _, err := client.Call(t.Context(), target, nil); err != nil || attempts != 2 {
			t.Errorf("got %v after %d attempts, want an answer to the second", err, attempts)
		}
	})
}

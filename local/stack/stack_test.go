package stack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/local/record"
	"github.com/tienda-dev/tienda/local/stack"
)

// envMode makes this test binary a Lambda function.
const envMode = "STACK_TEST_MODE"

func TestMain(m *testing.M) {
	switch os.Getenv(envMode) {
	case "":
		goleak.VerifyTestMain(m)
	case "engine":
		serveEngine(os.Args[1:])
	case "hang":
		time.Sleep(time.Hour)
	case "work":
		serveWork()
	case "count":
		serveCounts()
	case "exit":
		fmt.Fprintln(os.Stderr, "COMMERCE_TABLE is missing")
		os.Exit(1)
	default:
		lambda.Start(func(_ context.Context, event map[string]any) (any, error) {
			fmt.Println("served " + fmt.Sprint(event["rawPath"]))
			if os.Getenv("GREETING") == "slow" {
				time.Sleep(20 * time.Second)
			}
			if event["type"] == "REQUEST" {
				return map[string]any{"isAuthorized": true, "context": map[string]string{"auth": "ok"}}, nil
			}
			return map[string]any{
				"statusCode": http.StatusOK,
				"body":       os.Getenv("AWS_ENDPOINT_URL_DYNAMODB") + " " + os.Getenv("GREETING") + os.Getenv("UNDECLARED"),
			}, nil
		})
	}
}

const templateText = `Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Environment:
      Variables: {AWS_ENDPOINT_URL_DYNAMODB: '', GREETING: hello, STACK_TEST_MODE: echo}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        Authorizers:
          Strict:
            AuthorizerPayloadFormatVersion: '2.0'
            EnableSimpleResponses: true
            EnableFunctionDefaultPermissions: true
            FunctionArn: !GetAtt CheckFunction.Arn
            Identity: {Headers: [Authorization]}
  CheckFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: dist/check}
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: dist/echo
      Events:
        Open: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /open}}
        Closed: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /closed, Auth: {Authorizer: Strict}}}
`

// options lay a template and binaries, and name a DynamoDB that answers and nothing more: the
// template has no tables.
func options(t *testing.T, text string) stack.Options {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "template.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"check", "echo"} {
		dir := filepath.Join(root, ".cache", "run", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(self, filepath.Join(dir, "bootstrap")); err != nil {
			t.Fatal(err)
		}
	}
	db := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(db.Close)
	return stack.Options{Root: root, DynamoDBEndpoint: db.URL}
}

// lines is a writer that tests may read while others write.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func get(t *testing.T, url, authorization string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestStackServes(t *testing.T) {
	t.Parallel()
	opts := options(t, templateText)
	out := &lines{}
	opts.Out, opts.CheckInit = out, true
	opts.Env = map[string]string{"GREETING": "salut", "UNDECLARED": "no"}
	s, err := stack.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)

	if status, body := get(t, s.URL+"/open", ""); status != http.StatusOK || body != opts.DynamoDBEndpoint+" salut" {
		t.Errorf("open: got %d %q", status, body)
	}
	if status, body := get(t, s.URL+"/closed", ""); status != http.StatusUnauthorized {
		t.Errorf("closed, anonymous: got %d %q", status, body)
	}
	if status, body := get(t, s.URL+"/closed", "Bearer x"); status != http.StatusOK {
		t.Errorf("closed: got %d %q", status, body)
	}
	if status, _ := get(t, s.URL+"/nowhere", ""); status != http.StatusNotFound {
		t.Errorf("nowhere: got %d", status)
	}

	s.Stop()
	for _, want := range []string{"echo | served /open", " 200 GET /open ", "(cold start ", " 401 GET /closed ", " 404 GET /nowhere (no route) "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got the output %q, want it to have %q", out, want)
		}
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://")); err == nil {
		t.Error("it still listens")
	}
}

// TestRecordNamesTheFunction sends the request of a function to the endpoint that the function got.
func TestRecordNamesTheFunction(t *testing.T) {
	t.Parallel()
	opts := options(t, templateText)
	seen := make(chan record.Action, 1)
	opts.Record = func(a record.Action) { seen <- a }
	s, err := stack.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)

	_, body := get(t, s.URL+"/open", "")
	endpoint := strings.TrimSpace(strings.TrimSuffix(body, "hello"))
	if endpoint == opts.DynamoDBEndpoint || !strings.HasSuffix(endpoint, "/echo") {
		t.Fatalf("the function got the endpoint %q, want the recorder's address and its own name", endpoint)
	}
	if status, _ := get(t, endpoint+"/", ""); status != http.StatusNotFound {
		t.Errorf("got %d, want the engine's own answer", status)
	}
	if got := <-seen; got.Function != "echo" {
		t.Errorf("got %v, want the function's name", got)
	}

	s.Stop()
	client := &http.Client{Timeout: time.Second}
	if res, err := client.Get(endpoint); err == nil {
		_ = res.Body.Close()
		t.Error("the recorder still listens")
	}
}

// TestStartFails holds every failure to one sentence that says what to do.
func TestStartFails(t *testing.T) {
	t.Parallel()

	t.Run("TakenPort", func(t *testing.T) {
		t.Parallel()
		taken := httptest.NewServer(http.NotFoundHandler())
		t.Cleanup(taken.Close)
		opts := options(t, templateText)
		opts.Addr = taken.Listener.Addr().String()
		_, port, err := net.SplitHostPort(opts.Addr)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, opts, "port "+port+" is taken: stop what listens there, or choose another one by PORT")
	})

	t.Run("MissingBinaries", func(t *testing.T) {
		t.Parallel()
		opts := options(t, templateText)
		opts.BinDir = "/nowhere"
		refused(t, opts, "no binary in /nowhere for check, echo: `make run` builds them")
	})

	t.Run("FunctionThatExitsAtInit", func(t *testing.T) {
		t.Parallel()
		opts := options(t, strings.Replace(templateText, "CodeUri: dist/echo\n",
			"CodeUri: dist/echo\n      Environment: {Variables: {STACK_TEST_MODE: exit}}\n", 1))
		opts.CheckInit = true
		err := refused(t, opts, "the function echo: ")
		if !strings.Contains(err.Error(), "COMMERCE_TABLE is missing") {
			t.Errorf("got %q, want the function's own last line in it", err)
		}
	})

	t.Run("TemplateThatCannotBeServed", func(t *testing.T) {
		t.Parallel()
		opts := options(t, strings.Replace(templateText, "Auth: {Authorizer: Strict}", "Auth: {Authorizer: Other}", 1))
		err := refused(t, opts, "")
		if !strings.Contains(err.Error(), "template.yaml:29: ") {
			t.Errorf("got %q, want the line", err)
		}
	})

	t.Run("DynamoDBThatDoesNotAnswer", func(t *testing.T) {
		t.Parallel()
		opts := options(t, templateText)
		opts.DynamoDBEndpoint = "http://127.0.0.1:1"
		refused(t, opts, "no DynamoDB answers at http://127.0.0.1:1")
	})
}

func TestStartFailsWithoutJavaAndDocker(t *testing.T) {
	opts := options(t, templateText)
	opts.DynamoDBEndpoint = ""
	t.Setenv("PATH", t.TempDir())
	refused(t, opts, "Java is not installed, and Docker does not answer: install Java 17 or later")
}

// refused starts the stack, wants an error of one line that begins so, and a free port afterwards.
func refused(t *testing.T, opts stack.Options, want string) error {
	t.Helper()
	s, err := stack.Start(t.Context(), opts)
	if err == nil {
		s.Stop()
		t.Fatal("it started")
	}
	if !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %q, want one line that begins with %q", err, want)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v after a wait", err)
	}
	return err
}

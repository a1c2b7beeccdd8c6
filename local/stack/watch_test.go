package stack_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/builder"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tools/progress"
)

// functionText is a Lambda function that answers with the greeting of its package. GET /slow is answered when
// the file "release" exists in the folder of the variable GREETING.
const functionText = `package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"example.com/shop/shared/greeting"
)

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		event, err := http.Get(api + "next")
		if err != nil {
			os.Exit(1)
		}
		body, _ := io.ReadAll(event.Body)
		for strings.Contains(string(body), "\"/slow\"") {
			os.WriteFile(os.Getenv("GREETING")+"/started", nil, 0o600)
			if _, err := os.Stat(os.Getenv("GREETING") + "/release"); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		http.Post(api+event.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "application/json",
			bytes.NewReader([]byte("{\"statusCode\":200,\"body\":\""+greeting.Text+"\"}")))
	}
}
`

const watchedTemplate = `Transform: AWS::Serverless-2016-10-31
Resources:
  Api: {Type: AWS::Serverless::HttpApi}
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      Timeout: 60
      CodeUri: dist/echo
      Environment: {Variables: {GREETING: ''}}
      Events:
        Open: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /open}}
        Slow: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /slow}}
`

// watched is a stack that follows the sources in its root.
type watched struct {
	*stack.Stack
	root  string
	notes *lines
}

// startWatched starts a stack on a module with one function.
func startWatched(t *testing.T) watched {
	t.Helper()
	opts := options(t, watchedTemplate)
	if err := os.RemoveAll(filepath.Join(opts.Root, ".cache")); err != nil { // the Builder builds its own
		t.Fatal(err)
	}
	w := watched{root: opts.Root, notes: &lines{}}
	w.save(t, "go.mod", "module example.com/shop\n\ngo 1.26\n")
	w.save(t, "functions/a/echo/main.go", functionText)
	w.save(t, "shared/greeting/greeting.go", greeting("hello"))
	for _, folder := range []string{"authorizer", "internal"} {
		if err := os.Mkdir(filepath.Join(w.root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	built, err := builder.Open(w.root, progress.New(&bytes.Buffer{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := built.Close(); err != nil {
			t.Error(err)
		}
	})
	opts.Builder, opts.Watch, opts.CheckInit = built, true, true
	opts.Env = map[string]string{"GREETING": w.root}
	opts.Out = w.notes
	opts.Note = func(sentence string) { _, _ = w.notes.Write([]byte(sentence + "\n")) }
	if w.Stack, err = stack.Start(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return w
}

func greeting(text string) string {
	return "package greeting\n\nvar Text = \"" + text + "\"\n"
}

// save writes a file as editors do: a new one takes the name of the old.
func (w watched) save(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(w.root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"~", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

// answers waits until the route answers with the text. An answer that is not 200 is an error at once, unless
// the route is new.
func (w watched) answers(t *testing.T, path, want string, isNew bool) {
	t.Helper()
	for {
		status, body := get(t, w.URL+path, "")
		if status == http.StatusOK && body == want {
			return
		}
		if status != http.StatusOK && !isNew {
			t.Fatalf("%s: got %d %q; shown was %q", path, status, body, w.notes)
		}
		pause(t, w)
	}
}

// shows waits until the text is shown.
func (w watched) shows(t *testing.T, want string) {
	t.Helper()
	for !strings.Contains(w.notes.String(), want) {
		pause(t, w)
	}
}

func pause(t *testing.T, w watched) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatalf("the test ended; shown was %q", w.notes)
	case <-time.After(10 * time.Millisecond):
	}
}

func TestWatchSwapsBetweenTwoRequests(t *testing.T) {
	t.Parallel()
	w := startWatched(t)
	w.answers(t, "/open", "hello", false) // the function is built for this request

	type answer struct {
		status int
		body   string
	}
	slow := make(chan answer, 1)
	go func() {
		status, body := get(t, w.URL+"/slow", "")
		slow <- answer{status, body}
	}()
	for _, err := os.Stat(filepath.Join(w.root, "started")); err != nil; _, err = os.Stat(filepath.Join(w.root, "started")) {
		pause(t, w)
	}
	w.save(t, "shared/greeting/greeting.go", greeting("servus"))
	w.answers(t, "/open", "servus", false)
	w.shows(t, "shared/greeting/greeting.go: echo swapped after ")
	w.save(t, "release", "")
	if got := <-slow; got.status != http.StatusOK || got.body != "hello" {
		t.Errorf("the request in flight got %d %q", got.status, got.body)
	}
}

func TestWatchKeepsServingWhatWorks(t *testing.T) {
	t.Parallel()
	w := startWatched(t)
	w.answers(t, "/open", "hello", false)

	w.save(t, "shared/greeting/greeting.go", "package greeting\n\nvar Text = undefined\n")
	w.shows(t, "shared/greeting/greeting.go:3:12: undefined: undefined")
	w.answers(t, "/open", "hello", false)

	w.save(t, "functions/a/echo/main.go", strings.Replace(functionText, "api :=", "os.Exit(7)\n\tapi :=", 1))
	w.save(t, "shared/greeting/greeting.go", greeting("servus"))
	w.shows(t, "exit status 7")
	w.answers(t, "/open", "hello", false)

	w.save(t, "template.yaml", strings.Replace(watchedTemplate, "Method: GET, Path: /open", "Methods: GET", 1))
	w.shows(t, "template.yaml")
	w.answers(t, "/open", "hello", false)

	w.save(t, "functions/a/echo/main.go", functionText)
	w.save(t, "template.yaml", watchedTemplate)
	w.answers(t, "/open", "servus", false)
}

func TestWatchReloadsRoutesAndBuildsNewFunctions(t *testing.T) {
	t.Parallel()
	w := startWatched(t)
	w.answers(t, "/open", "hello", false)
	w.save(t, "functions/b/fresh/main.go", functionText)
	w.save(t, "template.yaml", watchedTemplate+`  FreshFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: dist/fresh
      Events:
        Fresh: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /fresh}}
`)
	w.answers(t, "/fresh", "hello", true)
	w.shows(t, "the template is served")
	w.answers(t, "/open", "hello", false)
}

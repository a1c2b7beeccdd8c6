package stack_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/localddb"
	"github.com/tienda-dev/tienda/local/stack"
)

// serveEngine makes this test binary a DynamoDB that starts like Amazon's. GET /end ends it; every other
// request gets the status in the variable ENGINE_STATUS.
func serveEngine(args []string) {
	if args[0] == "-version" {
		fmt.Fprintln(os.Stderr, `openjdk version "21"`)
		return
	}
	for i, arg := range args {
		if arg != "-port" {
			continue
		}
		status := http.StatusBadRequest
		if _, err := fmt.Sscan(os.Getenv("ENGINE_STATUS"), &status); err != nil {
			status = http.StatusBadRequest
		}
		server := &http.Server{Addr: "127.0.0.1:" + args[i+1], ReadHeaderTimeout: time.Second}
		server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/end" {
				os.Exit(3)
			}
			w.Header().Set("X-Amzn-Requestid", "1") // as DynamoDB does
			w.WriteHeader(status)
		})
		fmt.Fprintln(os.Stderr, server.ListenAndServe())
	}
	os.Exit(1)
}

// engine returns options that start a DynamoDB: this test binary is the only java on the PATH.
func engine(t *testing.T, text string) stack.Options {
	t.Helper()
	opts := options(t, text)
	opts.DynamoDBEndpoint = ""
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	java := "#!/bin/sh\n" + envMode + "=engine exec '" + self + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "java"), []byte(java), 0o700); err != nil {
		t.Fatal(err)
	}
	lib := filepath.Join(opts.Root, ".cache", "dynamodb-local", localddb.Version, "package", "lib", "dynamodb_local_x")
	if err := os.MkdirAll(filepath.Join(lib, "DynamoDBLocal_lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(lib, "DynamoDBLocal.jar"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	return opts
}

const tableText = `  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
      KeySchema: [{AttributeName: PK, KeyType: HASH}]
`

func TestEndOfDynamoDBFailsTheStack(t *testing.T) { //nolint:paralleltest // it sets PATH
	s, err := stack.Start(t.Context(), engine(t, templateText))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	select {
	case err := <-s.Failed():
		t.Fatalf("it failed before its time: %v", err)
	case <-time.After(100 * time.Millisecond):
	}

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if res, err := client.Get(s.Endpoint + "/end"); err == nil {
		_ = res.Body.Close()
		t.Fatal("it still answers")
	}
	select {
	case err := <-s.Failed():
		if want := "DynamoDB Local ended by itself (exit status 3), and the API cannot go on without it"; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	case <-time.After(10 * time.Second):
		t.Error("the end of DynamoDB Local was not reported")
	}
	s.Stop()
}

func TestStopIsNotAFailure(t *testing.T) { //nolint:paralleltest // it sets PATH
	s, err := stack.Start(t.Context(), engine(t, templateText))
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	select {
	case err := <-s.Failed():
		t.Errorf("got %v", err)
	default:
	}
}

func TestDatabaseThatIsBrokenIsNamed(t *testing.T) {
	t.Setenv("ENGINE_STATUS", "500")
	opts := engine(t, templateText+tableText)
	opts.Data = filepath.Join(opts.Root, "data")
	refused(t, opts, "the database in the data folder "+opts.Data+" cannot be read: move it away, or choose another DATA folder")
}

func TestDataFolderInUseIsNamed(t *testing.T) { //nolint:paralleltest // it sets PATH
	opts := engine(t, templateText)
	opts.Data = filepath.Join(opts.Root, "data")
	s, err := stack.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	refused(t, opts, "the data folder "+opts.Data+" is in use by another DynamoDB Local")
}

func TestInterruptedStartSaysSo(t *testing.T) {
	t.Parallel()
	hanging := strings.Replace(templateText, "CodeUri: dist/echo\n",
		"CodeUri: dist/echo\n      Environment: {Variables: {STACK_TEST_MODE: hang}}\n", 1)
	for name, after := range map[string]time.Duration{"AtOnce": 0, "StartingAFunction": 500 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := options(t, hanging)
			opts.CheckInit = true
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(after, cancel)
			watchdog := time.AfterFunc(8*time.Second, func() { t.Error("the start was not interrupted before the 10 s of INIT had passed") })
			defer watchdog.Stop()
			s, err := stack.Start(ctx, opts)
			if err == nil {
				s.Stop()
				t.Fatal("it started")
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSecretThatCannotBeUsedStopsTheStart(t *testing.T) {
	t.Parallel()
	opts := options(t, templateText+`  Keys:
    Type: AWS::SecretsManager::Secret
    Properties: {GenerateSecretString: {SecretStringTemplate: '{"kid":"k1"}', GenerateStringKey: key}}
`)
	path := filepath.Join(opts.Root, ".cache", "secrets", "Keys.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	opts.DynamoDBEndpoint = "http://127.0.0.1:1" // it comes later
	refused(t, opts, "the local secret "+path+" cannot be used: delete it")
}

// TestStopAnswersWhatIsInFlight has a request that takes longer than Stop waits for it.
func TestStopAnswersWhatIsInFlight(t *testing.T) {
	t.Parallel()
	opts := options(t, strings.Replace(templateText, "    Handler: bootstrap\n", "    Handler: bootstrap\n    Timeout: 29\n", 1))
	out := &lines{}
	opts.Out, opts.Env = out, map[string]string{"GREETING": "slow"}
	s, err := stack.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)

	type answer struct {
		status int
		body   string
	}
	answered := make(chan answer, 1)
	go func() {
		defer close(answered)
		status, body := get(t, s.URL+"/open", "")
		answered <- answer{status, body}
	}()
	for range 500 {
		if strings.Contains(out.String(), "served /open") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.Stop()
	if got := <-answered; got.status != http.StatusServiceUnavailable {
		t.Errorf("got %d %s, want 503", got.status, got.body)
	}
	if !strings.Contains(out.String(), " 503 GET /open ") {
		t.Errorf("the output is %q", out)
	}
}

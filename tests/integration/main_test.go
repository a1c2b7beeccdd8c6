//go:build integration

// Package integration_test runs the whole API on this machine, as `make run` does: the functions'
// own binaries behind the local gateway, on DynamoDB Local.
package integration_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/token"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/tests/suite"
	"github.com/tienda-dev/tienda/tests/suite/conform"
	"github.com/tienda-dev/tienda/tools/dist"
)

// root is the repository, seen from this package's folder.
const root = "../.."

// shared is the stack that the tests of this package share. TestMain sets it before any test runs.
var shared *stack.Stack

// document checks their requests and answers. It is read once, because that takes seconds.
var document conform.Document

// recorded holds the DynamoDB actions of its functions.
var recorded actions

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run runs the tests on one stack, and then checks that Stop leaves nothing running.
func run(m *testing.M) int {
	var log suite.Buffer
	began := time.Now()
	if err := build(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var err error
	if document, err = conform.Read(filepath.Join(root, "openapi.yaml")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	opts := options(&log)
	opts.Record = recorded.see
	if shared, err = stack.Start(context.Background(), opts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("built and started in %.1f s\n", time.Since(began).Seconds())

	code := m.Run()

	shared.Stop()
	left := descendants(os.Getpid())
	if err := errors.Join(gone(left), closed(shared.URL, shared.Endpoint), goleak.Find()); err != nil {
		fmt.Fprintln(os.Stderr, "after Stop:", err)
		code = 1
	}
	if code != 0 {
		path := filepath.Join(root, ".cache", "integration.log")
		if err := os.WriteFile(path, log.Bytes(), 0o600); err == nil {
			fmt.Fprintln(os.Stderr, "the log of the gateway and the functions is in", path)
		}
	}
	return code
}

// build lays the functions' binaries for this machine, and the command that serves them.
func build(ctx context.Context) error {
	folder, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	_, err = dist.Build(ctx, dist.Options{
		Root: folder, Out: filepath.Join(".cache", "run"), GOOS: runtime.GOOS, GOARCH: runtime.GOARCH,
	})
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(".cache", "bin", "local"), "./local")
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build ./local: %w\n%s", err, out)
	}
	return nil
}

// options returns the options of a stack that refuses nobody, because all tests come from one address: without
// throttles, and with rate limits that only count.
func options(out io.Writer) stack.Options {
	return stack.Options{
		Root: root, Out: out, Unlimited: true, Parameters: map[string]string{"RateLimitsShadow": ratelimit.All},
	}
}

// target returns the stack as the suite sees it. Its client is closed at the end of the test.
func target(t *testing.T, s *stack.Stack) suite.Target {
	t.Helper()
	client := suite.NewClient()
	t.Cleanup(client.CloseIdleConnections)
	return suite.Target{URL: s.URL, Client: client, Token: tokens(s), Secret: secretOf, Document: document}
}

// secretOf reads a secret of this machine.
func secretOf(name string) ([]byte, error) {
	return os.ReadFile(token.Path(filepath.Join(root, ".cache"), name))
}

// tokens mints with the keys of this machine.
func tokens(s *stack.Stack) suite.Tokens {
	return func(issued time.Time, subject string, roles ...string) (string, error) {
		return token.Mint(s.Template, filepath.Join(root, ".cache"), subject, roles, func() time.Time { return issued })
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	t.Cleanup(func() { leastPrivilege(t) })
	t.Run("ImportedHash", importedHash)
	t.Run("UnsettledProducts", unsettledProducts)
	t.Run("Sweeps", sweeps)
	suite.Run(t, target(t, shared))
}

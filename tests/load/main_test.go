//go:build load

package load_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/child"
	"github.com/tienda-dev/tienda/local/seed"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tests/load"
	"github.com/tienda-dev/tienda/tools/dist"
)

// root is the repository, seen from this package's folder.
const root = "../.."

// envServe makes this test binary the gateway, so that its time on the processors is not the client's.
const envServe = "LOAD_TEST_SERVE"

// idle is how long a function's process waits for its next event before it ends, and sends the rest of its metrics.
const idle = 5 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(envServe) == "" {
		goleak.VerifyTestMain(m)
		return
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// enforced are the classes of rate limits that refuse. The others only count, because all requests have one address and
// few users.
func enforced() []api.Rate { return []api.Rate{policy.RateCheckout, policy.RateUserWrite} }

// serve runs the API until SIGTERM, and prints its URL. Telemetry is sent as often as on AWS.
func serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	log, err := os.Create(filepath.Join(root, ".cache", "load.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s, err := stack.Start(ctx, stack.Options{
		Root: root, Out: log, Logs: stack.LogsJSON, Unlimited: true, NoEvents: true, IdleTimeout: idle,
		Parameters: map[string]string{"RateLimitsShadow": strings.Join(shadowed(), ",")},
		Telemetry:  stack.Telemetry{BusyInterval: time.Second},
		Prepare: func(ctx context.Context, s *stack.Stack, url string) error {
			token, err := s.Token("seeder", seed.Roles()...)
			if err != nil {
				return err
			}
			_, err = seed.Load(ctx, seed.Config{URL: url, Token: token})
			return err
		},
	})
	if err != nil {
		return err
	}
	defer s.Stop()
	fmt.Println(s.URL)
	select {
	case err := <-s.Failed():
		return err
	case <-ctx.Done():
		return nil
	}
}

// shadowed returns the names of the policies that refuse nobody.
func shadowed() []string {
	refusing := map[api.Rate]bool{}
	for _, rate := range enforced() {
		refusing[rate] = true
	}
	var names []string
	for _, class := range policy.Classes() {
		for _, counter := range class.Counters() {
			for _, p := range counter.Policies {
				if !refusing[class.Rate] {
					names = append(names, p.Name)
				}
			}
		}
	}
	return names
}

// startGateway builds the functions and serves them in a process of its own, until the end of the test. Then nothing that
// it has started may run.
func startGateway(t *testing.T) (url string, id int) {
	t.Helper()
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dist.Build(t.Context(), dist.Options{
		Root: folder, Out: filepath.Join(".cache", "run"), GOOS: runtime.GOOS, GOARCH: runtime.GOARCH,
	}); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	output, printed := io.Pipe()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), envServe+"=1")
	cmd.Stdout, cmd.Stderr = printed, os.Stderr
	p, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-p.Ended()
		_ = printed.Close() // it never fails
	}()
	t.Cleanup(func() {
		below := load.Below(load.Processes(), p.ID())
		p.Stop(20 * time.Second)
		if err := errors.Join(p.Err(), gone(below)); err != nil {
			t.Errorf("after the end of the gateway: %v", err)
		}
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal("the API did not start")
	}
	return strings.TrimSpace(line), p.ID()
}

// gone returns an error that names the processes that still run after two seconds.
func gone(processes map[int]load.Process) error {
	var left []string
	for range 20 {
		left = nil
		now := load.Processes()
		for id, p := range processes {
			if now[id].Name == p.Name {
				left = append(left, fmt.Sprintf("%d %s", id, p.Name))
			}
		}
		if len(left) == 0 {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("still running: %s", strings.Join(left, ", "))
}

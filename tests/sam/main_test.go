//go:build sam

// Package sam_test runs the API in the SAM CLI's containers: the suite that the local gateway passes
// too, every sample event, the Lambda API, and the authorizer.
package sam_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/local/sam"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/tests/suite"
)

// root is the repository, seen from this package's folder.
const root = "../.."

// rapidChecks is how often a property is tried: a request takes 50 ms here, and 2 ms behind the local
// gateway.
const rapidChecks = "15"

// shared is what the tests share. TestMain sets it before any test runs.
var shared struct {
	cli    *sam.CLI
	data   *sam.Data
	api    *sam.Server
	events *sam.Events
	log    *suite.Buffer
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run starts everything, runs the tests and then checks that Stop leaves nothing running.
func run(m *testing.M) int {
	flag.Parse()
	if err := flag.Set("rapid.checks", rapidChecks); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared.log = &suite.Buffer{}
	began := time.Now()
	stop, err := start(context.Background())
	if err != nil {
		stop()
		fmt.Fprintln(os.Stderr, err)
		return failed()
	}
	fmt.Printf("sam local answers after %.1f s\n", time.Since(began).Seconds())

	code := m.Run()

	left := append(shared.api.Containers(), shared.events.Containers()...)
	stop()
	if err := errors.Join(leftovers(left), goleak.Find()); err != nil {
		fmt.Fprintln(os.Stderr, "after Stop:", err)
		code = 1
	}
	if code != 0 {
		return failed()
	}
	return 0
}

// start prepares and starts `sam local start-api`, and `sam local start-lambda` for events. The returned function stops it, also after an error.
func start(ctx context.Context) (stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, end := range slices.Backward(stops) {
			end()
		}
	}
	shared.cli, err = sam.Open(sam.Config{
		Root: root, Command: filepath.Join(root, ".cache", "venv", "bin", "sam"),
		Image: sam.StandInImage, Out: shared.log,
	})
	if err != nil {
		return stop, err
	}
	if err := shared.cli.CheckDocker(ctx); err != nil {
		return stop, err
	}
	if err := shared.cli.Build(ctx); err != nil {
		return stop, err
	}
	if shared.data, err = shared.cli.StartData(ctx, ""); err != nil {
		return stop, err
	}
	stops = append(stops, shared.data.Stop)
	environment, err := tables(ctx, "")
	if err != nil {
		return stop, err
	}
	if shared.api, err = shared.cli.StartAPI(ctx, sam.ServeOptions{Environment: environment}); err != nil {
		return stop, err
	}
	stops = append(stops, shared.api.Stop)
	shared.data.NotifyStripe(shared.api.URL)
	if shared.events, err = shared.cli.StartEvents(ctx, shared.data, environment); err != nil {
		return stop, err
	}
	stops = append(stops, shared.events.Stop)
	return stop, nil
}

// tables creates tables under a suffix of their own and returns the environment that names them. Rate limits count there
// and refuse nothing, because all requests come from one address.
func tables(ctx context.Context, suffix string) (map[string]string, error) {
	if err := shared.data.CreateTables(ctx, suffix); err != nil {
		return nil, err
	}
	environment, err := shared.data.Environment(suffix)
	if err != nil {
		return nil, err
	}
	environment["RATE_LIMITS_SHADOW"] = ratelimit.All
	return environment, nil
}

// leftovers reports containers that are still there. Without Docker there are none.
func leftovers(ids []string) error {
	out, err := exec.Command("docker", "ps", "--all", "--quiet", "--no-trunc").Output()
	if err != nil {
		return nil //nolint:nilerr // Docker has ended
	}
	for _, id := range ids {
		if strings.Contains(string(out), id) {
			return fmt.Errorf("the container %s is left", id)
		}
	}
	return nil
}

// failed keeps the output of SAM and the functions.
func failed() int {
	path := filepath.Join(root, ".cache", "sam", "test.log")
	if err := os.WriteFile(path, shared.log.Bytes(), 0o600); err == nil {
		fmt.Fprintln(os.Stderr, "the output of SAM and the functions is in", path)
	}
	return 1
}

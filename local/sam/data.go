package sam

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/local/localddb"
	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/seed"
	"github.com/tienda-dev/tienda/local/simulator"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/local/token"
	"github.com/tienda-dev/tienda/tools/dist"
)

const (
	region = "us-east-1"
	// envEndpoint is the variable with the URL of DynamoDB, envLogLevel the one with the log level.
	envEndpoint = "AWS_ENDPOINT_URL_DYNAMODB"
	envLogLevel = "LOG_LEVEL"
	// containerHost is this machine as a container sees it.
	containerHost = "host.docker.internal"
)

// Data is what the functions use: a DynamoDB, queues and a simulated Stripe that containers reach, and secrets.
type Data struct {
	// Endpoint is the DynamoDB's URL on this machine.
	Endpoint string
	// SQS is the URL of the queues on this machine.
	SQS string
	// Queues are the template's queues.
	Queues *queues.Server

	// Stripe is the URL of the simulated Stripe on this machine; empty for a template without its secret.
	Stripe string

	cli        *CLI
	server     *localddb.Server
	stopQueues func()
	stripe     *simulator.Simulator
	stopStripe func()
}

// StartData makes the secrets, and starts the simulated Stripe, the queues and a DynamoDB without tables; a given endpoint is one that runs
// already.
func (c *CLI) StartData(ctx context.Context, endpoint string) (*Data, error) {
	if err := token.EnsureSecrets(c.cacheDir(), c.template.Secrets); err != nil {
		return nil, err
	}
	server, err := localddb.Start(ctx, localddb.Config{
		CacheDir: c.cacheDir(), Endpoint: endpoint, Containers: true, Note: c.note,
	})
	if err != nil {
		return nil, err
	}
	d := &Data{Endpoint: server.Endpoint, cli: c, server: server}
	if err := d.serveQueues(ctx); err != nil {
		server.Stop()
		return nil, err
	}
	if err := d.serveStripe(ctx); err != nil {
		d.stopQueues()
		server.Stop()
		return nil, err
	}
	return d, nil
}

// Stop ends the simulated Stripe, the queues, and the DynamoDB that StartData started.
func (d *Data) Stop() {
	d.stopStripe()
	d.stopQueues()
	d.server.Stop()
}

// CreateTables creates the template's tables with the items that the sample events ask for. The suffix is
// added to the names of the tables, so that each suffix has its own.
func (d *Data) CreateTables(ctx context.Context, suffix string) error {
	tables := slices.Clone(d.cli.template.Tables)
	for i := range tables {
		tables[i].Name += suffix
	}
	if err := localddb.CreateTables(ctx, d.Endpoint, region, tables); err != nil {
		return err
	}
	secret, err := os.ReadFile(token.Path(d.cli.cacheDir(), "IdentifierKeySecret"))
	if err != nil {
		return err
	}
	identifierKey, err := auth.ParseIdentifierKey(secret)
	if err != nil {
		return err
	}
	if err := given(ctx, d.Endpoint, identifierKey, func(logicalID string) string { return logicalID + suffix }); err != nil {
		return err
	}
	return d.givenPayments(ctx, suffix)
}

// LoadSamples loads the sample products through the API. For this the local gateway serves the
// functions' binaries, because through SAM's containers it would take a minute.
func (d *Data) LoadSamples(ctx context.Context) (seed.Result, error) {
	binaries, err := d.cli.hostBinaries(ctx)
	if err != nil {
		return seed.Result{}, err
	}
	s, err := stack.Start(ctx, stack.Options{Root: d.cli.root, BinDir: binaries, DynamoDBEndpoint: d.Endpoint, NoEvents: true})
	if err != nil {
		return seed.Result{}, err
	}
	defer s.Stop()
	minted, err := s.Token("local-seed", seed.Roles()...)
	if err != nil {
		return seed.Result{}, err
	}
	return seed.Load(ctx, seed.Config{URL: s.URL, Token: minted})
}

// Environment returns the variables that SAM resolves wrongly: those with the name of a table or a
// secret, and the addresses of DynamoDB, of the queues and of the simulated Stripe. For a secret it is the value, because a container cannot read this
// machine's files.
func (d *Data) Environment(suffix string) (map[string]string, error) {
	endpoint, err := fromContainer(d.Endpoint)
	if err != nil {
		return nil, err
	}
	sqs, err := fromContainer(d.SQS)
	if err != nil {
		return nil, err
	}
	stripe, err := fromContainer(d.Stripe)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, f := range d.cli.template.Functions {
		for name, value := range f.Environment {
			replaced, ok, err := d.replacement(name, value, suffix)
			switch {
			case err != nil:
				return nil, err
			case name == envEndpoint:
				replaced = endpoint
			case name == stack.EnvQueues:
				replaced = sqs
			case name == stack.EnvStripe:
				replaced = stripe
			case name == envLogLevel && d.cli.cfg.LogLevel != "":
				replaced = d.cli.cfg.LogLevel
			case !ok:
				continue
			}
			if other, seen := found[name]; seen && other != replaced {
				return nil, fmt.Errorf("two functions have different values of %s", name)
			}
			found[name] = replaced
		}
	}
	return found, nil
}

// replacement returns a variable's value for a container, and false when SAM resolves it right.
func (d *Data) replacement(name, value, suffix string) (string, bool, error) {
	if path, ok := strings.CutPrefix(value, "file:"); ok {
		secret, err := os.ReadFile(path)
		if err != nil {
			return "", false, fmt.Errorf("%s: %w", name, err)
		}
		return string(secret), true, nil
	}
	isTable := slices.ContainsFunc(d.cli.template.Tables, func(t template.Table) bool { return t.Name == value })
	return value + suffix, isTable, nil
}

// fromContainer returns the URL by which a container reaches a server on this machine.
func fromContainer(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("the address %s: %w", endpoint, err)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		u.Host = net.JoinHostPort(containerHost, u.Port())
	}
	return u.String(), nil
}

// hostBinaries returns the folder of the functions' binaries for this machine. On Linux they are the
// same as the containers'.
func (c *CLI) hostBinaries(ctx context.Context) (string, error) {
	if runtime.GOOS == "linux" {
		return c.path("dist"), nil
	}
	out := filepath.Join(c.cacheDir(), "run")
	_, err := dist.Build(ctx, dist.Options{Root: c.root, Out: out, GOOS: runtime.GOOS, GOARCH: runtime.GOARCH})
	return out, err
}

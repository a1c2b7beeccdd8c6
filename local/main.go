// Command local runs the whole API on this machine, without Docker and without AWS: the functions'
// own binaries behind a gateway that behaves like API Gateway, on Amazon's DynamoDB engine.
//
//	local                          serve on PORT (3000) with sample products, until Ctrl-C
//	local token -role catalog      print an access token for a running API
//	local admin -email a@b.example  make an admin of a registered user, here or on AWS
//	local keys add                 show or rotate the token keys: show, add, promote, remove, revoke, public
//	local seed                     load the sample products into a running API
//	local demo                     walk one order through its life on a running API
//	local reindex                  let search find the products of an earlier release, here or on AWS
//	local redrive -queue Name      move the messages of a dead-letter queue back, here or on AWS
//	local fetch                    fetch DynamoDB Local into .cache
//	local dynamodb -- go test …    run a command beside a DynamoDB Local of its own (see dynamodb.go)
//	local observe                  serve beside a collector and Prometheus (see observe_command.go)
//	local tool collector           build the collector into .cache; prometheus and jaeger too
//	local sam api                  serve the same through the SAM CLI and its containers (see sam.go)
//
// It reads PORT, DATA, DYNAMODB_ENDPOINT and LOG_LEVEL from the environment: where the API listens, a
// folder that keeps the tables, a DynamoDB that runs already, and the log level of the functions. WATCH=1
// builds and serves each change of the sources and of the template, LOGS=json prints the functions' lines as
// they are, NO_COLOR leaves out colours, THROTTLE=off serves without the template's throttles, and LIMITS=off
// without the rate limits of the functions.
// OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS send the functions' telemetry to a collector too.
//
// Ctrl-C ends a server at any moment, even during the start, without output and with exit code 0. Another
// command that it interrupts exits with 130, also without output. Every other failure prints one sentence
// and exits with 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/localddb"
	"github.com/tienda-dev/tienda/local/runtime"
	"github.com/tienda-dev/tienda/local/seed"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/local/token"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/tools/progress"
)

const (
	defaultPort = "3000"
	// seeder and developer are the subjects of the tokens that this command mints.
	seeder    = "local-seed"
	developer = "local-developer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	interrupted := ctx.Err() != nil
	stop()
	os.Exit(exitCode(err, interrupted, os.Stderr))
}

// exitCode returns the exit code of a run that ended with err, and prints the error unless it is silent.
func exitCode(err error, interrupted bool, stderr io.Writer) int {
	code := exitError(0)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case interrupted && errors.Is(err, context.Canceled):
		return 128 + int(syscall.SIGINT)
	default:
		_, _ = fmt.Fprintln(stderr, "local:", err)
		return 1
	}
}

// untilStopped returns the error of a server that runs until ctx ends: nil if ctx ended it.
func untilStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// run is main with its environment as arguments.
func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	command := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	switch command {
	case "sam":
		return runSAM(ctx, args, getenv, out)
	case "dynamodb":
		return runDynamoDB(ctx, args, getenv, out)
	case "observe":
		return runObserve(ctx, args, getenv, out)
	case "tool":
		return runTool(ctx, args, out)
	}
	number, err := portOf(getenv)
	if err != nil {
		return err
	}
	port := strconv.Itoa(number)

	flags := flag.NewFlagSet("local "+command, flag.ContinueOnError)
	root := flags.String("root", ".", "the repository's folder")
	switch command {
	case "serve":
		data := flags.String("data", getenv("DATA"), "a folder that keeps the tables; empty is in memory")
		endpoint := flags.String("dynamodb", getenv("DYNAMODB_ENDPOINT"), "the URL of a DynamoDB that runs already")
		host := flags.String("host", "localhost", "where the API listens; 0.0.0.0 is every address of a container")
		idle := flags.Duration("idle", runtime.DefaultIdleTimeout, "how long a function's process waits for its next request")
		if err := flags.Parse(args); err != nil {
			return err
		}
		opts := options(*root, getenv)
		opts.Data, opts.DynamoDBEndpoint, opts.Addr = *data, *endpoint, net.JoinHostPort(*host, port)
		shown := progress.New(out)
		opts.Logs, opts.Color = stack.LogsPeople, shown.Terminal() && getenv("NO_COLOR") == ""
		asJSON, err := choice(getenv, "LOGS", "json")
		if err != nil {
			return err
		}
		if asJSON {
			opts.Logs = stack.LogsJSON
		}
		opts.CheckInit, opts.IdleTimeout = true, *idle
		if opts.Watch, err = choice(getenv, "WATCH", "1"); err != nil {
			return err
		}
		if opts.Telemetry, err = telemetry(getenv); err != nil {
			return err
		}
		if opts.Unlimited, err = choice(getenv, "THROTTLE", "off"); err != nil {
			return err
		}
		if err := limits(getenv, opts.Parameters); err != nil {
			return err
		}
		return untilStopped(ctx, serve(ctx, opts, shown))
	case "token":
		role := flags.String("role", "", "the token's roles, separated by commas; empty is a customer")
		subject := flags.String("subject", developer, "the token's subject")
		if err := flags.Parse(args); err != nil {
			return err
		}
		held, err := roles(*role)
		if err != nil {
			return err
		}
		minted, err := mint(options(*root, getenv), *subject, held)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, minted)
		return err
	case "seed":
		url := flags.String("url", "http://127.0.0.1:"+port, "the URL of the API")
		given := flags.String("token", "", "an access token; empty mints one with the local keys")
		if err := flags.Parse(args); err != nil {
			return err
		}
		return load(ctx, options(*root, getenv), *url, *given, out)
	case "demo":
		url := flags.String("url", "http://127.0.0.1:"+port, "the URL of an API that uses this machine's keys")
		if err := flags.Parse(args); err != nil {
			return err
		}
		return demonstrate(ctx, options(*root, getenv), *url, out)
	case "admin":
		email := flags.String("email", "", "the address of a registered user")
		if err := flags.Parse(args); err != nil {
			return err
		}
		return grant(ctx, options(*root, getenv), getenv, port, *email, out)
	case "keys":
		var r rotation
		flags.StringVar(&r.secret, "secret", "TokenKeysSecret", "the secret's name in the template: TokenKeysSecret or RefreshKeysSecret")
		flags.StringVar(&r.from, "from", "", "a file to read instead of the local secret; the new one is printed, not stored")
		flags.StringVar(&r.alg, "alg", "", "add: HS256, EdDSA, ES256 or RS256; empty is the active key's")
		flags.StringVar(&r.kid, "kid", "", "revoke: the key's id")
		flags.DurationVar(&r.idle, "idle", 0, "remove, of refresh keys: how long a session lives without a refresh (SESSION_IDLE); 0 is the local template's")
		flags.BoolVar(&r.force, "force", false, "promote, remove: do not wait until no function or token needs the old key")
		if err := flags.Parse(args); err != nil {
			return err
		}
		if r.step = flags.Arg(0); r.step == "" {
			r.step = "show"
		}
		return rotate(options(*root, getenv), r, time.Now(), out)
	case "reindex":
		if err := flags.Parse(args); err != nil {
			return err
		}
		return reindex(ctx, *root, getenv, port, out)
	case "redrive":
		queue := flags.String("queue", "", "the dead-letter queue: its name here, its ARN on AWS")
		if err := flags.Parse(args); err != nil {
			return err
		}
		return moveBack(ctx, *root, getenv, port, *queue, out)
	case "fetch":
		if err := flags.Parse(args); err != nil {
			return err
		}
		_, err := localddb.Fetch(ctx, filepath.Join(*root, ".cache"), func(sentence string) { _, _ = fmt.Fprintln(out, sentence) })
		return err
	default:
		return fmt.Errorf("unknown command %q (want serve, token, admin, keys, seed, demo, reindex, redrive, fetch, dynamodb, observe, tool or sam)", command)
	}
}

// portOf returns the port of the API.
func portOf(getenv func(string) string) (int, error) {
	port := getenv("PORT")
	if port == "" {
		port = defaultPort
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 {
		return 0, fmt.Errorf("PORT is %q, want a number from 0 to 65535", port)
	}
	return n, nil
}

// options returns the options with which every command reads the template.
func options(root string, getenv func(string) string) stack.Options {
	o := stack.Options{Root: root, Parameters: map[string]string{}}
	if level := getenv("LOG_LEVEL"); level != "" {
		o.Parameters["LogLevel"] = strings.ToUpper(level)
	}
	return o
}

// limits switches the functions' rate limits off in the template's parameters, if LIMITS says so.
func limits(getenv func(string) string, parameters map[string]string) error {
	off, err := choice(getenv, "LIMITS", "off")
	if off {
		parameters[stack.RateLimitsOff] = ratelimit.All
	}
	return err
}

// load loads the sample products into a running API.
func load(ctx context.Context, opts stack.Options, url, given string, out io.Writer) error {
	if given == "" {
		var err error
		if given, err = mint(opts, seeder, seed.Roles()); err != nil {
			return err
		}
	}
	loaded, err := seed.Load(ctx, seed.Config{URL: url, Token: given})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d products created, %d were there; %d pieces of stock added\n",
		loaded.Created, loaded.Existing, loaded.Pieces)
	return err
}

// mint returns a token signed with the keys of this machine.
func mint(opts stack.Options, subject string, held []string) (string, error) {
	t, err := stack.ReadTemplate(opts)
	if err != nil {
		return "", err
	}
	cache, err := filepath.Abs(filepath.Join(opts.Root, ".cache"))
	if err != nil {
		return "", err
	}
	if err := token.EnsureSecrets(cache, t.Secrets); err != nil {
		return "", err
	}
	return token.Mint(t, cache, subject, held, time.Now)
}

// roles splits a list by commas. It refuses a role that the API does not have.
func roles(list string) ([]string, error) {
	var held []string
	for r := range strings.SplitSeq(list, ",") {
		if r = strings.TrimSpace(r); r == "" {
			continue
		}
		if !slices.Contains(policy.Roles(), r) {
			return nil, fmt.Errorf("unknown role %q (want %s, or several separated by commas)", r, strings.Join(policy.Roles(), ", "))
		}
		held = append(held, r)
	}
	return held, nil
}
